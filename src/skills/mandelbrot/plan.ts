import { UNIT_BYTES_MAX, UNITS_MAX } from '../../wire/index.ts'
import { limbsOf } from './fixed.ts'

export const SIDE_MAX = 4096
export const ITERATIONS_MAX = 65_535
/** Counted operations of a unit by default. An upper limit: most points leave long before the last iteration. */
const UNIT_OPERATIONS = 2 ** 29
/** Pixels of a unit at least, so that the check's samples stay few among them. */
const UNIT_PIXELS = 2048
const UNIT_PIXELS_MAX = UNIT_BYTES_MAX / 4

/** Columns [left, left + columns) by rows [top, top + rows) of the picture. */
export interface Tile {
  readonly left: number
  readonly top: number
  readonly columns: number
  readonly rows: number
}

/**
 * Operations of one pixel: three squares of L(L + 1)/2 multiply-adds and 12 sums, carries and comparisons a
 * limb, for each iteration that is allowed. An upper limit, so that the cost follows from the input alone.
 */
export function pixelOperations(words: number, iterations: number): number {
  const limbs = limbsOf(words)
  return (3 * limbs * limbs + 15 * limbs) * iterations
}

/** Cuts a picture into tiles, row by row: `wanted` of them or a few more, or as many as the work needs. */
export function cutTiles(width: number, height: number, operations: number, wanted?: number): Tile[] {
  const pixels = width * height
  const byCost = Math.max(UNIT_PIXELS, Math.floor(UNIT_OPERATIONS / operations))
  const each = Math.min(
    UNIT_PIXELS_MAX,
    Math.max(wanted === undefined ? byCost : Math.floor(pixels / wanted), pixels / (UNITS_MAX / 4), 1)
  )
  const side = Math.max(1, Math.floor(Math.sqrt(each)))
  const columns = Math.min(width, Math.max(side, Math.floor(each / height)))
  const across = Math.ceil(width / columns)
  const rows = Math.max(1, Math.min(height, Math.floor(each / Math.ceil(width / across))))
  const down = Math.ceil(height / rows)
  return ranges(height, down).flatMap(([top, bottom]) =>
    ranges(width, across).map(([left, right]) => ({ left, top, columns: right - left, rows: bottom - top }))
  )
}

function ranges(total: number, count: number): Array<readonly [number, number]> {
  return Array.from({ length: count }, (_, index) => [
    Math.floor((index * total) / count),
    Math.floor(((index + 1) * total) / count)
  ])
}
