import { padded } from '../matmul/grid.ts'

/**
 * How blocks travel and lie in memory: little-endian float32, the lines (rows of A or columns of B) of one step
 * of K side by side: element `step · stride + line`, where `stride` is the number of lines, rounded up to 4.
 * Padding is zero, and so is what is smaller than any normal float32: GPUs may take it as zero, CPUs not.
 */

/** Smallest normal float32. */
export const NORMAL_MIN = 2 ** -126

/** Bytes of a packed block of `lines` rows (or columns) of length `k`. */
export const packedSize = (lines: number, k: number): number => padded(lines) * k * 4

const flushed = (value: number): number => (value < NORMAL_MIN && value > -NORMAL_MIN ? 0 : value)

/** Packs rows [first, first + lines) of row-major A (… × k). */
export function packRows(a: Float32Array, k: number, first: number, lines: number): Uint8Array {
  const stride = padded(lines)
  const packed = new Float32Array(stride * k)
  for (let line = 0; line < lines; line++) {
    const row = (first + line) * k
    for (let step = 0; step < k; step++) {
      packed[step * stride + line] = flushed(a[row + step] ?? 0)
    }
  }
  return new Uint8Array(packed.buffer)
}

/** Packs columns [first, first + lines) of row-major B (k × n). */
export function packColumns(b: Float32Array, k: number, n: number, first: number, lines: number): Uint8Array {
  const stride = padded(lines)
  const packed = new Float32Array(stride * k)
  for (let step = 0; step < k; step++) {
    const row = step * n + first
    for (let line = 0; line < lines; line++) {
      packed[step * stride + line] = flushed(b[row + line] ?? 0)
    }
  }
  return new Uint8Array(packed.buffer)
}

/** Bytes as float32: copied if they lie at an odd offset. */
export function floatsOf(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice()
  // units and results come by message: their buffers are never shared memory
  return new Float32Array(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / 4)
}
