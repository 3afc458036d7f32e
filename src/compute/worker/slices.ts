import type { Profile } from '../engine.ts'

/**
 * How long a slice takes, in ms: what the device does between two looks at messages, power and cancellation. With
 * nobody at the page it may be longer, and lose less to waiting; a driver ends what takes two seconds (Windows) or ten.
 */
const SLICES: Readonly<
  Record<Profile, { readonly min: number; readonly aim: number; readonly max: number }>
> = {
  page: { min: 8, aim: 16, max: 30 },
  kiosk: { min: 50, aim: 110, max: 200 }
}
const GRAIN_MIN = 1_000_000
const GRAIN_MAX = 10 ** 13

/** Counted operations of the first slice: 8 ms of a software adapter. */
export const GRAIN_START = 16_000_000

/**
 * The operations of the next slice, after one that took `ms`. Grows only after full slices, since short ones
 * measure latency; at most doubles or quarters.
 */
export function nextGrain(grain: number, operations: number, ms: number, profile: Profile = 'page'): number {
  const { min, aim, max } = SLICES[profile]
  const factor = aim / Math.max(ms, 0.1)
  if (ms > max) {
    return Math.max(GRAIN_MIN, Math.min(grain, operations) * Math.max(0.25, factor))
  }
  if (ms < min && operations >= grain / 2) {
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
