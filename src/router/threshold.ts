/**
 * Response thresholds (Bonabeau, Theraulaz & Deneubourg 1996): each provider has one for each skill; the lower it
 * is, the weaker a demand it answers. Performing a skill lowers its threshold, not performing it raises it, so
 * that equal providers come to differ.
 */

/** Of every skill at the start: equal, so that what emerges was not put in. */
export const THRESHOLD_START = 0.5
export const THRESHOLD_MIN = 0.01
export const THRESHOLD_MAX = 1

export interface ThresholdRates {
  /** ξ: what one unit performed takes off. */
  readonly learning: number
  /** φ: what one unit of another skill adds. */
  readonly forgetting: number
}

/** Shortest mean time of the four pairs tried in `sim-specialise` (.08/.01, .2/.02, .3/.05, .2/.1; one seed). */
export const THRESHOLD_RATES: ThresholdRates = { learning: 0.3, forgetting: 0.05 }

/** P = s²/(s² + θ²), 0 to 1. @param stimulus demand for the skill, 0 to 1 @param threshold θ > 0 */
export function responseProbability(stimulus: number, threshold: number): number {
  const square = Math.max(0, stimulus) ** 2
  return square / (square + threshold * threshold)
}

/** θ − ξ for the skill that was performed, θ + φ for every other. */
export function adaptThreshold(
  threshold: number,
  performed: boolean,
  rates: ThresholdRates = THRESHOLD_RATES
): number {
  const moved = performed ? threshold - rates.learning : threshold + rates.forgetting
  return Math.min(THRESHOLD_MAX, Math.max(THRESHOLD_MIN, moved))
}
