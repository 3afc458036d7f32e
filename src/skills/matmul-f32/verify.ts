import type { UnitShape } from '../matmul/blocks.ts'
import { padded } from '../matmul/grid.ts'
import { floatsOf, NORMAL_MIN } from './layout.ts'

/** Random vectors of ±1, each an independent check. */
export const VECTORS = 8
/** Float64 a step or a row: one for each vector, and one for the rounding model. */
export const CHANNELS = VECTORS + 1
/** Float64 a row of running sums: one more, for the largest mean square of the vectors' sums so far. */
export const RUNNING = CHANNELS + 1
/** How often the running sums along K are looked at. */
export const LOOKS = 8
/** How many times the expected error is allowed. Honest kernels stay under 1.2. */
const TOLERANCE = 4
/** Half an ulp of 1. */
const ROUNDING = 2 ** -24

/** What the check needs, in float64, by whatever computes it. */
export interface CheckSums {
  /** C·r and Σ c² for each row: `CHANNELS` a row. */
  readonly ofResult: Float64Array
  /**
   * Adds steps [first, first + steps) to A·(B·r) and to Σ a²·‖b‖², and returns them for each row, with the largest
   * mean square of A·(B·r) after any call so far: `RUNNING` a row.
   */
  addSteps(first: number, steps: number): Float64Array
}

/**
 * Freivalds' check for float32: for eight random vectors r of ±1, A·(B·r) must equal C·r within four
 * times the error that rounding makes.
 *
 * The model, for row i: s = 2^-24 · ((√K + 2) · max(q, c) + K/2 · max(0, c − 3 q, 2 p − 4 q)), where q² = Σ a²·‖b‖²
 * is the size of sums whose terms have random signs, c that of the row of C, and p that of the running sums along
 * K, which the check's own products estimate; the 2 covers the check's own rounding. For inputs of random signs
 * and one size σ² = |a·b| it is 2^-24 · K · σ² · √N for large K; honest residuals stay under 1.2 s, in any order
 * of summation. Where terms add up with one sign, rounding may drift one way (think of a constant matrix), and s
 * grows with K. A liar gains nothing by a large c: its residual grows two thousand times faster.
 *
 * Catches a result in which any element is off by more than 8 s (float32 results of size 30 from K = N = 512
 * and |a|, |b| ≤ 1 of either sign at 1e-2; not so where all have one sign) with certainty: a vector of ±1 hides
 * no single error. Errors in several elements of
 * a row may cancel in one vector with probability at most 1/2: a stale tile, another unit's answer, zeros, or a
 * tenth computed pass with at most 2^-8, and, as errors in several rows must cancel for the same vectors, far
 * less for all that is not made so on purpose. Cannot see errors below 4 s: those of lower precision (f16
 * inputs are seen, tf32 inputs mostly), nor where the error is. Never accepts NaN or infinities.
 *
 * Costs 8 · (rows·k + k·columns + rows·columns) additions, half of them with a multiplication: in WebAssembly a
 * tenth of computing for blocks from about 512 a side. Thin products have another check (`sampled.ts`).
 *
 * @param random uniform in [0, 1)
 */
export function checkProduct(
  a: Uint8Array,
  b: Uint8Array,
  result: Uint8Array,
  shape: UnitShape,
  random: () => number
): boolean {
  const { rows, columns } = shape
  if (result.byteLength !== rows * columns * 4) {
    return false
  }
  const r = drawSigns(columns, random)
  const x = signedSums(floatsOf(b), columns, padded(columns), r)
  const factors = floatsOf(a)
  const running = new Float64Array(padded(rows) * RUNNING)
  return agrees(shape, {
    ofResult: signedSums(floatsOf(result), columns, columns, r),
    addSteps(first, steps) {
      for (let step = first; step < first + steps; step++) {
        addStep(factors.subarray(step * padded(rows)), rows, x.subarray(step * CHANNELS), running)
      }
      raisePeaks(running)
      return running
    }
  })
}

/**
 * How far a row (or element) may be off: see `checkProduct`, whose q, c and p are `random`, `size` and `peak`.
 *
 * @param columns how many elements the sums hold
 */
export function allowedError(
  k: number,
  columns: number,
  { random, size, peak }: { readonly random: number; readonly size: number; readonly peak: number }
): number {
  const drift = Math.max(0, size - 3 * random, 2 * peak - 4 * random)
  const scale = ROUNDING * ((Math.sqrt(k) + 2) * Math.max(random, size) + (k / 2) * drift)
  // products below the smallest normal number may be lost
  return TOLERANCE * scale + NORMAL_MIN * k * columns
}

/** ±1 for each padded column of the first vector, then of the second, … */
export function drawSigns(columns: number, random: () => number): Float64Array {
  const signs = new Float64Array(padded(columns) * VECTORS)
  for (let column = 0; column < padded(columns); column++) {
    const bits = drawBits(random)
    for (let vector = 0; vector < VECTORS; vector++) {
      signs[vector * padded(columns) + column] = (bits >> vector) & 1 ? 1 : -1
    }
  }
  return signs
}

/** A bit a vector. */
export const drawBits = (random: () => number): number => Math.floor(random() * 2 ** VECTORS)

/** Compares row by row. */
export function agrees({ rows, k, columns }: UnitShape, sums: CheckSums): boolean {
  const steps = Math.ceil(k / LOOKS)
  let wanted: Float64Array = new Float64Array(0)
  for (let first = 0; first < k; first += steps) {
    wanted = sums.addSteps(first, Math.min(steps, k - first))
  }
  for (let row = 0; row < rows; row++) {
    const at = row * CHANNELS
    const from = row * RUNNING
    const limit = allowedError(k, columns, {
      random: Math.sqrt(wanted[from + VECTORS] ?? 0),
      size: Math.sqrt(sums.ofResult[at + VECTORS] ?? 0),
      peak: Math.sqrt(wanted[from + CHANNELS] ?? 0)
    })
    for (let vector = 0; vector < VECTORS; vector++) {
      const residual = Math.abs((sums.ofResult[at + vector] ?? 0) - (wanted[from + vector] ?? 0))
      if (!(residual <= limit && residual < Number.POSITIVE_INFINITY)) {
        return false // also for NaN
      }
    }
  }
  return true
}

function raisePeaks(running: Float64Array): void {
  for (let at = 0; at < running.length; at += RUNNING) {
    let sum = 0
    for (let vector = 0; vector < VECTORS; vector++) {
      sum += (running[at + vector] ?? 0) ** 2
    }
    running[at + CHANNELS] = Math.max(running[at + CHANNELS] ?? 0, sum / VECTORS)
  }
}

/** For each line of `stride` values: Σ value · r for each vector, then Σ value². */
function signedSums(values: Float32Array, columns: number, stride: number, r: Float64Array): Float64Array {
  const lines = Math.floor(values.length / stride)
  const sums = new Float64Array(lines * CHANNELS)
  for (let line = 0; line < lines; line++) {
    for (let vector = 0; vector < VECTORS; vector++) {
      let sum = 0
      for (let column = 0; column < columns; column++) {
        sum += (values[line * stride + column] ?? 0) * (r[vector * padded(columns) + column] ?? 0)
      }
      sums[line * CHANNELS + vector] = sum
    }
    let squares = 0
    for (let column = 0; column < columns; column++) {
      squares += (values[line * stride + column] ?? 0) ** 2
    }
    sums[line * CHANNELS + VECTORS] = squares
  }
  return sums
}

/** running[row] += a[row] · x for the vectors, a² · β for the last channel. */
function addStep(a: Float32Array, rows: number, x: Float64Array, running: Float64Array): void {
  for (let row = 0; row < rows; row++) {
    const factor = a[row] ?? 0
    const at = row * RUNNING
    for (let vector = 0; vector < VECTORS; vector++) {
      running[at + vector] = (running[at + vector] ?? 0) + factor * (x[vector] ?? 0)
    }
    running[at + VECTORS] = (running[at + VECTORS] ?? 0) + factor * factor * (x[VECTORS] ?? 0)
  }
}
