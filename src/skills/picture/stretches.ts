const GROUP = 64
/** The fewest pixels of a dispatch: where one takes long, there is no time for more. */
const PIXELS_MIN = 4
/** Most workgroups along one dimension that every device takes. */
const GROUPS_MAX = 65_535

/** Pixels [first, end) of a unit, row by row, one invocation each. */
export interface Stretch {
  readonly first: number
  readonly end: number
  readonly workgroups: readonly [number, number, number]
  readonly operations: number
}

/** Cuts a unit's pixels into stretches of at most `grain` operations, but of four pixels at least. */
export function cutStretches(pixels: number, operations: number, grain: number): Stretch[] {
  const wished = Math.min(GROUPS_MAX * GROUP, grain / operations)
  const step = wished >= GROUP ? GROUP : PIXELS_MIN
  const length = Math.max(PIXELS_MIN, Math.floor(wished / step) * step)
  return Array.from({ length: Math.ceil(pixels / length) }, (_, index) => {
    const first = index * length
    const end = Math.min(pixels, first + length)
    return {
      first,
      end,
      workgroups: [Math.ceil((end - first) / GROUP), 1, 1],
      operations: operations * (end - first)
    }
  })
}
