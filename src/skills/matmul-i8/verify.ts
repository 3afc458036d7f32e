import { aligned, type UnitShape } from '../matmul/blocks.ts'
import { padded } from '../matmul/grid.ts'

/** The largest prime below 2^31 (a Mersenne prime: 2^31 − 1). */
const P = 2_147_483_647
/** Columns of C between two reductions: |c| · 2^16 · 1024 ≤ 2^26 · 2^26 stays below 2^53. */
const REDUCE_EVERY = 1024

/** Size beyond which an element of C is wrong: a sum of k products of two int8. Beyond it the check overflows. */
export const limitOf = (k: number): number => padded(k) * 2 ** 14

/** Uniform modulo p, one a column; zero in the padding. */
export function drawVector(columns: number, random: () => number): Float64Array {
  const r = new Float64Array(padded(columns))
  for (let column = 0; column < columns; column++) {
    r[column] = Math.floor(random() * P)
  }
  return r
}

/** 0 … p − 1, for whole numbers below 2^53 in size: `%` takes ten times as long on doubles. */
export function modulo(value: number): number {
  const rest = value - Math.floor(value / P) * P // the quotient may be rounded up
  return rest < 0 ? rest + P : rest
}

/**
 * Freivalds' check modulo p = 2^31 − 1: for a random vector r, A·(B·r) must equal C·r.
 *
 * Catches every wrong result, be it one element off by one, a stale tile, another unit's answer, all zeros or
 * a tenth computed, with probability 1 − 1/p > 1 − 2^−30, provided that r was drawn after the result was
 * fixed: a row of C − A·B that is not zero is not zero modulo p either (its elements are below 2^28 in size),
 * and a random r is orthogonal to it with probability 1/p. Never refuses a right result. Cannot see where the
 * error is, nor who made it, nor that the inputs are those that the requester meant.
 *
 * Costs rows·k + k·columns + 2·rows·columns multiplications, against rows·k·columns for computing: in
 * WebAssembly less than a tenth for blocks from about 400 a side. Thin products have another check (`sampled.ts`). All
 * arithmetic is exact in doubles: |a|, |b| ≤ 2^7, r < 2^31, at most 2^12 terms: below 2^51.
 *
 * @param random uniform in [0, 1)
 */
export function checkProduct(
  a: Int8Array,
  b: Int8Array,
  result: Uint8Array,
  { rows, k, columns }: UnitShape,
  random: () => number
): boolean {
  if (result.byteLength !== rows * columns * 4) {
    return false
  }
  const words = aligned(result)
  const c = new Int32Array(words.buffer, words.byteOffset, rows * columns)
  if (!inRange(c, limitOf(k))) {
    return false
  }
  const r = drawVector(columns, random)
  return agrees(c, columns, r, timesRows(a, rows, timesColumns(b, columns, k, r)))
}

function inRange(c: Int32Array, limit: number): boolean {
  for (let index = 0; index < c.length; index++) {
    const value = c[index] ?? 0
    if (value > limit || value < -limit) {
      return false
    }
  }
  return true
}

/** B·r mod p, in −p … p. */
function timesColumns(b: Int8Array, columns: number, k: number, r: Float64Array): Float64Array {
  const product = new Float64Array(padded(k))
  const stride = padded(columns)
  let at = 0
  for (let step = 0; step < product.length; step += 4) {
    let s0 = 0
    let s1 = 0
    let s2 = 0
    let s3 = 0
    for (let column = 0; column < stride; column++) {
      const factor = r[column] ?? 0
      s0 += (b[at] ?? 0) * factor
      s1 += (b[at + 1] ?? 0) * factor
      s2 += (b[at + 2] ?? 0) * factor
      s3 += (b[at + 3] ?? 0) * factor
      at += 4
    }
    product[step] = s0 % P
    product[step + 1] = s1 % P
    product[step + 2] = s2 % P
    product[step + 3] = s3 % P
  }
  return product
}

/** A·x, exact, not reduced. */
function timesRows(a: Int8Array, rows: number, x: Float64Array): Float64Array {
  const product = new Float64Array(padded(rows))
  let at = 0
  for (let step = 0; step < x.length; step += 4) {
    const x0 = x[step] ?? 0
    const x1 = x[step + 1] ?? 0
    const x2 = x[step + 2] ?? 0
    const x3 = x[step + 3] ?? 0
    for (let row = 0; row < product.length; row++) {
      const sum = (a[at] ?? 0) * x0 + (a[at + 1] ?? 0) * x1 + (a[at + 2] ?? 0) * x2 + (a[at + 3] ?? 0) * x3
      product[row] = (product[row] ?? 0) + sum
      at += 4
    }
  }
  return product
}

/** C·r = y (mod p), row by row. r is taken in two halves of 16 bits, so that no product leaves 2^53. */
function agrees(c: Int32Array, columns: number, r: Float64Array, y: Float64Array): boolean {
  const high = r.map((value) => Math.floor(value / 65_536))
  const low = r.map((value) => value % 65_536)
  const rows = c.length / columns
  for (let row = 0; row < rows; row++) {
    let sum = 0
    for (let first = 0; first < columns; first += REDUCE_EVERY) {
      const end = Math.min(columns, first + REDUCE_EVERY)
      let highSum = 0
      let lowSum = 0
      for (let column = first; column < end; column++) {
        const value = c[row * columns + column] ?? 0
        highSum += value * (high[column] ?? 0)
        lowSum += value * (low[column] ?? 0)
      }
      sum += ((highSum % P) * 65_536 + lowSum) % P
    }
    if ((sum - (y[row] ?? 0)) % P !== 0) {
      return false
    }
  }
  return true
}
