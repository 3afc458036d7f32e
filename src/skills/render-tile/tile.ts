import { SkillError } from '../errors.ts'
import { SIDE_MAX } from '../picture/tiles.ts'
import { type Counts, MATERIALS_MAX, packedLength, SPHERES_MAX, TRIANGLES_MAX } from './scene.ts'

export const SAMPLES_MAX = 64
export const DEPTH_MAX = 8

/** What a unit renders: pixels [left, left + columns) by [top, top + rows) of a picture. */
export interface RenderTile extends Counts {
  readonly left: number
  readonly top: number
  readonly columns: number
  readonly rows: number
  /** Paths a pixel. */
  readonly samples: number
  /** Surfaces that a path may meet. */
  readonly depth: number
  /** Of the random numbers, 32 bits. */
  readonly seed: number
}

export const paramsOf = (tile: RenderTile): number[] => [
  tile.left,
  tile.top,
  tile.columns,
  tile.rows,
  tile.samples,
  tile.depth,
  tile.seed,
  tile.materials,
  tile.spheres,
  tile.triangles
]

/** @throws SkillError `BAD_UNIT` */
export function tileOf(params: readonly number[]): RenderTile {
  const limits = [
    ['left', 0, SIDE_MAX - 1],
    ['top', 0, SIDE_MAX - 1],
    ['columns', 1, SIDE_MAX],
    ['rows', 1, SIDE_MAX],
    ['samples', 1, SAMPLES_MAX],
    ['depth', 1, DEPTH_MAX],
    ['seed', 0, 2 ** 32 - 1],
    ['materials', 1, MATERIALS_MAX],
    ['spheres', 0, SPHERES_MAX],
    ['triangles', 0, TRIANGLES_MAX]
  ] as const
  for (const [index, [name, least, most]] of limits.entries()) {
    const value = params[index]
    if (value === undefined || !Number.isInteger(value) || value < least || value > most) {
      throw new SkillError('BAD_UNIT', `A unit's ${name} must be a whole number from ${least} to ${most}.`)
    }
  }
  if (params.length !== limits.length) {
    throw new SkillError('BAD_UNIT', `A unit has ${limits.length} params.`)
  }
  const [left = 0, top = 0, columns = 0, rows = 0, samples = 0, depth = 0, seed = 0, ...counts] = params
  const [materials = 0, spheres = 0, triangles = 0] = counts
  return { left, top, columns, rows, samples, depth, seed, materials, spheres, triangles }
}

/**
 * Operations of one pixel: for each path 40, and for each surface that it may meet 22 a sphere, 30 a triangle and
 * 80 for what comes of it. An upper limit, so that the cost follows from the input alone.
 */
export function pixelOperations({
  samples,
  depth,
  spheres,
  triangles
}: Omit<RenderTile, keyof Position>): number {
  return samples * (40 + depth * (22 * spheres + 30 * triangles + 80))
}

type Position = Pick<RenderTile, 'left' | 'top' | 'columns' | 'rows'>

/** The packed scene as numbers. @throws SkillError `BAD_UNIT` if it is none of this size */
export function sceneOf(tile: Counts, parts: readonly Uint8Array[]): Float32Array {
  const [part] = parts
  if (part === undefined || parts.length !== 1 || part.byteLength !== packedLength(tile) * 4) {
    throw new SkillError('BAD_UNIT', 'A unit needs a packed scene of its size as its only part.')
  }
  const bytes = part.byteOffset % 4 === 0 ? part : part.slice()
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
}
