import { UNIT_BYTES_MAX, UNITS_MAX } from '../../wire/index.ts'
import { SkillError } from '../errors.ts'
import type { Assembler } from '../skill.ts'

/** Pixels of one side of a picture at most. */
export const SIDE_MAX = 4096
/** Pixels of a unit at least, so that the check's samples stay few among them. */
const UNIT_PIXELS = 2048

/** Columns [left, left + columns) by rows [top, top + rows) of the picture. */
export interface Tile {
  readonly left: number
  readonly top: number
  readonly columns: number
  readonly rows: number
}

export interface TileWish {
  readonly width: number
  readonly height: number
  /** Of a pixel's result. */
  readonly bytes: number
  /** How many pixels make a unit of the right length. */
  readonly pixels: number
  /** How many tiles, instead: so many, or a few more where that many make no grid. */
  readonly count: number | undefined
}

/** Cuts a picture into tiles of nearly the same size, about as high as wide, row by row. */
export function cutTiles({ width, height, bytes, pixels, count }: TileWish): Tile[] {
  const all = width * height
  const pixelsMax = UNIT_BYTES_MAX / bytes
  const wanted = count ?? Math.floor(all / Math.max(UNIT_PIXELS, pixels))
  const least = Math.ceil(all / pixelsMax)
  for (let tiles = Math.max(least, Math.min(wanted, all, UNITS_MAX / 2), 1); ; tiles++) {
    const grid = bestGrid(width, height, tiles, pixelsMax)
    if (grid !== undefined) {
      return ranges(height, grid.down).flatMap(([top, bottom]) =>
        ranges(width, grid.across).map(([left, right]) => ({
          left,
          top,
          columns: right - left,
          rows: bottom - top
        }))
      )
    }
  }
}

interface Grid {
  readonly across: number
  readonly down: number
}

/** `tiles` tiles, or a few more where that makes them much less oblong. */
function bestGrid(width: number, height: number, tiles: number, pixelsMax: number): Grid | undefined {
  let best: Grid | undefined
  let bestWeight = Infinity
  for (let across = 1; across <= Math.min(width, tiles); across++) {
    const down = Math.ceil(tiles / across)
    const fits = down <= height && Math.ceil(width / across) * Math.ceil(height / down) <= pixelsMax
    const oblong = Math.abs(Math.log((width * down) / (height * across)))
    const weight = (100 * across * down) / tiles + oblong
    if (fits && weight < bestWeight) {
      best = { across, down }
      bestWeight = weight
    }
  }
  return best
}

function ranges(total: number, count: number): Array<readonly [number, number]> {
  return Array.from({ length: count }, (_, index) => [
    Math.floor((index * total) / count),
    Math.floor(((index + 1) * total) / count)
  ])
}

type Pixels = Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>

/** Lays tiles into `picture`, which has `channels` elements a pixel, and gives what `finished` makes of it. */
export function tileAssembler<Output>(
  tiles: readonly Tile[],
  picture: Pixels,
  width: number,
  channels: number,
  finished: () => Output
): Assembler<Output> {
  const missing = new Set(tiles.keys())
  return {
    accept(unit, result) {
      const tile = tiles[unit]
      const size = tile && tile.columns * tile.rows * channels * 4
      if (tile === undefined || !missing.has(unit) || result.byteLength !== size) {
        throw new SkillError('BAD_RESULT', `This is no result that unit ${unit} of the plan still waits for.`)
      }
      const bytes = aligned(result)
      const values =
        picture instanceof Uint32Array
          ? new Uint32Array(bytes.buffer, bytes.byteOffset, size / 4)
          : new Float32Array(bytes.buffer, bytes.byteOffset, size / 4)
      const length = tile.columns * channels
      for (let row = 0; row < tile.rows; row++) {
        const to = ((tile.top + row) * width + tile.left) * channels
        picture.set(values.subarray(row * length, (row + 1) * length), to)
      }
      missing.delete(unit)
    },
    soFar: finished,
    finish() {
      if (missing.size > 0) {
        throw new SkillError('INCOMPLETE', `${missing.size} of ${tiles.length} units are missing.`)
      }
      return finished()
    }
  }
}

/** Bytes off the wire may lie at any offset; 32-bit views may not. */
export const aligned = (bytes: Uint8Array): Uint8Array => (bytes.byteOffset % 4 === 0 ? bytes : bytes.slice())
