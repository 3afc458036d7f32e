/** A slice is what the device does between two looks at messages, power and cancellation. */
const SLICE_MIN_MS = 8
const SLICE_AIM_MS = 16
const SLICE_MAX_MS = 30
const GRAIN_MIN = 1_000_000
const GRAIN_MAX = 10 ** 13

/** Counted operations of the first slice: 8 ms of a software adapter. */
export const GRAIN_START = 16_000_000

/**
 * The operations of the next slice, after one that took `ms`. Grows only after full slices, since short ones
 * measure latency; at most doubles or quarters.
 */
export function nextGrain(grain: number, operations: number, ms: number): number {
  const factor = SLICE_AIM_MS / Math.max(ms, 0.1)
  if (ms > SLICE_MAX_MS) {
    return Math.max(GRAIN_MIN, Math.min(grain, operations) * Math.max(0.25, factor))
  }
  if (ms < SLICE_MIN_MS && operations >= grain / 2) {
    return Math.min(GRAIN_MAX, grain * Math.min(2, factor))
  }
  return grain
}

/** How many of the dispatches from `first` make one slice: at least one, and no more than `grain` operations. */
export function sliceEnd(
  dispatches: ReadonlyArray<{ readonly operations: number }>,
  first: number,
  grain: number
): number {
  let end = first + 1
  let operations = dispatches[first]?.operations ?? 0
  for (let next = dispatches[end]; next !== undefined; next = dispatches[++end]) {
    operations += next.operations
    if (operations > grain) {
      break
    }
  }
  return end
}
