/** Which variant of a kernel is the best on a device: the pure part. */

/** Runs of one candidate on the same unit, after a first one whose result was checked. */
export interface Trial {
  readonly candidate: string
  /** Its result passed the skill's check: who computes wrong is no candidate, however fast. */
  readonly isRight: boolean
  /** Of each round; all candidates measured in turn. */
  readonly ms: readonly number[]
}

/** By how much a candidate must beat the default: below it, noise decides. */
const LEAD = 0.97
/** A candidate this much slower than the best so far is not measured further. */
const HOPELESS = 2
/** Within this of the best, noise may have decided: such candidates meet again. */
const CLOSE = 1.25

/** The middle value; the lower one of the middle two. */
function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[(values.length - 1) >> 1] ?? Number.POSITIVE_INFINITY
}

/**
 * The candidate with the least median time among those that compute right, if it beats the default by 3 %; else
 * the default. Without a right default the fastest right one; without any right one the default.
 */
export function chooseCandidate(trials: readonly Trial[], preset: string): string {
  const right = trials.filter(({ isRight, ms }) => isRight && ms.length > 0)
  const best = right.reduce<Trial | undefined>(
    (leader, trial) => (leader === undefined || middle(trial.ms) < middle(leader.ms) ? trial : leader),
    undefined
  )
  const current = right.find(({ candidate }) => candidate === preset)
  if (best === undefined || (current !== undefined && middle(best.ms) >= middle(current.ms) * LEAD)) {
    return preset
  }
  return best.candidate
}

/** Who is worth another round: the default, and all right ones within twice the best median. */
export function worthMeasuring(trials: readonly Trial[], preset: string): string[] {
  return within(trials, preset, HOPELESS)
}

/** Who goes into the second comparison: the default, and all right ones within a quarter of the best median. */
export function finalists(trials: readonly Trial[], preset: string): string[] {
  return within(trials, preset, CLOSE)
}

function within(trials: readonly Trial[], preset: string, factor: number): string[] {
  const right = trials.filter(({ isRight }) => isRight)
  const best = Math.min(...right.map(({ ms }) => middle(ms)))
  return right
    .filter(({ candidate, ms }) => ms.length === 0 || candidate === preset || middle(ms) <= best * factor)
    .map(({ candidate }) => candidate)
}
