/**
 * A running quantile by stochastic approximation (Robbins & Monro 1951) in relative steps: one number of state,
 * follows a change, and needs no scale. At rest it wavers by a few percent.
 */
export interface Quantile {
  /** The estimate, in the unit of the samples; 0 before the first. */
  readonly value: number
  readonly seen: number
}

export const NO_SAMPLES: Quantile = { value: 0, seen: 0 }

const STEP = 0.05
/** Before its steps have become small, an estimate is not worth acting on. */
export const QUANTILE_SEEN_MIN = 20

/** @param sample above 0 @param quantile 0 to 1: .5 is the median */
export function follow(before: Quantile, sample: number, quantile: number): Quantile {
  const seen = before.seen + 1
  if (before.seen === 0) {
    return { value: sample, seen }
  }
  const step = Math.max(STEP, 1 / seen)
  const factor = sample > before.value ? 1 + step * quantile : 1 - step * (1 - quantile)
  return { value: before.value * factor, seen }
}
