import { padded } from '../matmul/grid.ts'

/**
 * How blocks travel and lie in memory. A word is four int8 neighbours along K; the words of one K-quad lie
 * side by side: byte `(quad · stride + line) · 4 + k mod 4`, where a line is a row of A or a column of B and
 * `stride` is the number of lines, rounded up to 4. Padding is zero.
 */

/** Bytes of a packed block of `lines` rows (or columns) of length `k`. */
export const packedSize = (lines: number, k: number): number => padded(lines) * padded(k)

/** Packs rows [first, first + lines) of row-major A (… × k). */
export function packRows(a: Int8Array, k: number, first: number, lines: number): Uint8Array {
  const stride = padded(lines)
  const packed = new Uint8Array(packedSize(lines, k))
  for (let line = 0; line < lines; line++) {
    const row = (first + line) * k
    for (let i = 0; i < k; i++) {
      packed[((i >> 2) * stride + line) * 4 + (i & 3)] = a[row + i] ?? 0
    }
  }
  return packed
}

/** Packs columns [first, first + lines) of row-major B (k × n). */
export function packColumns(b: Int8Array, k: number, n: number, first: number, lines: number): Uint8Array {
  const stride = padded(lines)
  const packed = new Uint8Array(packedSize(lines, k))
  for (let i = 0; i < k; i++) {
    const row = i * n + first
    const at = (i >> 2) * stride * 4 + (i & 3)
    for (let line = 0; line < lines; line++) {
      packed[at + line * 4] = b[row + line] ?? 0
    }
  }
  return packed
}

/** The signed view of packed bytes. */
export const signedBytes = (bytes: Uint8Array): Int8Array =>
  new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
