import type { UnitShape } from '../matmul/blocks.ts'
import { padded } from '../matmul/grid.ts'
import { drawPlaces, isSampled, isWeak } from '../matmul/sampled.ts'
import { floatsOf } from './layout.ts'
import { allowedError, LOOKS } from './verify.ts'

/** Measured: in WebAssembly, on one thread. */
const SLENDERNESS = 1 / 160

/** True if a unit of this shape is checked by `checkSample`. */
export const isThin = (shape: UnitShape): boolean => isSampled(shape, SLENDERNESS)

/** True if a check of a unit of this shape costs more than a tenth of computing it. */
export const isSmall = (shape: UnitShape): boolean => isWeak(shape, SLENDERNESS)

/**
 * Computes 48 random elements anew in float64, and allows each what `checkProduct` allows a row: for thin products
 * (see `isThin`). Catches a result of which a tenth is wrong with .9936, a stale quarter, zeros or another unit's
 * answer practically always; one wrong element among N with 48/N only.
 */
export function checkSample(
  a: Uint8Array,
  b: Uint8Array,
  result: Uint8Array,
  shape: UnitShape,
  random: () => number
): boolean {
  const { rows, k, columns } = shape
  if (result.byteLength !== rows * columns * 4) {
    return false
  }
  const places = drawPlaces(shape, random)
  const { sums, squares, peaks } = sumsAt(floatsOf(a), floatsOf(b), shape, places)
  const c = floatsOf(result)
  return sums.every((sum, sample) => {
    const value = c[(places[2 * sample] ?? 0) * columns + (places[2 * sample + 1] ?? 0)] ?? Number.NaN
    const limit = allowedError(k, 1, {
      random: Math.sqrt(squares[sample] ?? 0),
      size: Math.abs(value),
      peak: peaks[sample] ?? 0
    })
    return Number.isFinite(value) && Math.abs(value - sum) <= limit
  })
}

/** For each place Σ a·b, Σ (a·b)², and the largest size of Σ a·b so far at a few looks. */
function sumsAt(a: Float32Array, b: Float32Array, { rows, k, columns }: UnitShape, places: Uint32Array) {
  const sums = new Float64Array(places.length / 2)
  const squares = new Float64Array(sums.length)
  const peaks = new Float64Array(sums.length)
  const strideA = padded(rows)
  const strideB = padded(columns)
  const between = Math.ceil(k / LOOKS)
  for (let first = 0; first < k; first += between) {
    const end = Math.min(k, first + between)
    for (let sample = 0; sample < sums.length; sample++) {
      let atA = first * strideA + (places[2 * sample] ?? 0)
      let atB = first * strideB + (places[2 * sample + 1] ?? 0)
      let sum = sums[sample] ?? 0
      let square = squares[sample] ?? 0
      for (let step = first; step < end; step++) {
        const product = (a[atA] ?? 0) * (b[atB] ?? 0)
        sum += product
        square += product * product
        atA += strideA
        atB += strideB
      }
      sums[sample] = sum
      squares[sample] = square
      peaks[sample] = Math.max(peaks[sample] ?? 0, Math.abs(sum))
    }
  }
  return { sums, squares, peaks }
}
