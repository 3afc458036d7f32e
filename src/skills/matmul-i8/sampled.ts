import type { UnitShape } from '../matmul/blocks.ts'
import { padded } from '../matmul/grid.ts'
import { drawPlaces, isSampled, isWeak } from '../matmul/sampled.ts'

/** Measured: in WebAssembly, on one thread. */
const SLENDERNESS = 1 / 128

/** True if a unit of this shape is checked by `checkSample`. */
export const isThin = (shape: UnitShape): boolean => isSampled(shape, SLENDERNESS)

/** True if a check of a unit of this shape costs more than a tenth of computing it: that of thin ones a tenth or a little more. */
export const isSmall = (shape: UnitShape): boolean => isThin(shape) || isWeak(shape, SLENDERNESS)

/**
 * Computes 48 random elements anew: for thin products (see `isThin`). Catches a result of which a tenth is wrong
 * with .9936, a stale quarter, zeros or another unit's answer practically always; one wrong element among N with
 * 48/N only. Never refuses a right result.
 */
export function checkSample(
  a: Int8Array,
  b: Int8Array,
  result: Uint8Array,
  shape: UnitShape,
  random: () => number
): boolean {
  const { rows, columns } = shape
  if (result.byteLength !== rows * columns * 4) {
    return false
  }
  const places = drawPlaces(shape, random)
  const view = new DataView(result.buffer, result.byteOffset, result.byteLength)
  for (let at = 0; at < places.length; at += 2) {
    const row = places[at] ?? 0
    const column = places[at + 1] ?? 0
    if (view.getInt32((row * columns + column) * 4, true) !== elementOf(a, b, shape, row, column)) {
      return false
    }
  }
  return true
}

function elementOf(
  a: Int8Array,
  b: Int8Array,
  { rows, k, columns }: UnitShape,
  row: number,
  column: number
): number {
  let sum = 0
  let atA = row * 4
  let atB = column * 4
  for (let step = 0; step < k; step += 4) {
    sum += (a[atA] ?? 0) * (b[atB] ?? 0) + (a[atA + 1] ?? 0) * (b[atB + 1] ?? 0)
    sum += (a[atA + 2] ?? 0) * (b[atB + 2] ?? 0) + (a[atA + 3] ?? 0) * (b[atB + 3] ?? 0)
    atA += padded(rows) * 4
    atB += padded(columns) * 4
  }
  return sum
}
