import type { Milliseconds } from '../wire/index.ts'

/**
 * How much slower a peer is than predicted, 1 or more: a moving average that rises to a peak at once and falls
 * slowly (after Finagle's Peak EWMA), so that a peer that hangs or fails is avoided after one unit.
 */
export interface Slowdown {
  /** Observed time ÷ predicted time; 1: as predicted. */
  readonly value: number
  readonly at: Milliseconds
}

export const AS_PREDICTED: Slowdown = { value: 1, at: 0 }

/** Time in which a peak falls to 1/e of its excess (Finagle's default). */
export const SLOWDOWN_FADE: Milliseconds = 10_000
/** A failure counts as this many times slower than predicted: else a peer that fails fast looks fast. */
export const FAILURE_SLOWDOWN = 100
/**
 * Ratios up to this one are the noise of queues and unequal units. At 1 a sound peer is punished for one unlucky unit:
 * in `sim-router` at load .8 the mean time is 3 to 4 % longer.
 */
export const SLOWDOWN_TOLERANCE = 4

/** The average as it stands at `now`, having faded towards 1. */
export function slowdownAt({ value, at }: Slowdown, now: Milliseconds): number {
  return 1 + (value - 1) * Math.exp(-Math.max(0, now - at) / SLOWDOWN_FADE)
}

/**
 * @param ratio observed time ÷ predicted time of one unit
 * @throws RangeError if the ratio is not a number ≥ 0
 */
export function observe(before: Slowdown, ratio: number, now: Milliseconds): Slowdown {
  if (!(ratio >= 0)) {
    throw new RangeError(`A slowdown must be a number ≥ 0; got ${ratio}.`)
  }
  const sample = Math.min(FAILURE_SLOWDOWN, Math.max(1, ratio))
  const faded = slowdownAt(before, now)
  if (sample >= faded) {
    return { value: sample, at: now }
  }
  const keep = Math.exp(-Math.max(0, now - before.at) / SLOWDOWN_FADE)
  return { value: faded * keep + sample * (1 - keep), at: now }
}

export function observeFailure(before: Slowdown, now: Milliseconds): Slowdown {
  return observe(before, FAILURE_SLOWDOWN, now)
}

/** The factor of the cost: 1 within tolerance, then in proportion. */
export function slowdownFactor(slowdown: number): number {
  return Math.max(1, slowdown / SLOWDOWN_TOLERANCE)
}
