/**
 * Adaptive replication and holdback, for skills whose own check is weak (credit.md section 5; after BOINC). A
 * strong check needs neither.
 */
export interface Replication {
  /** CV: consecutive valid *checked* units of one peer for one skill. */
  readonly valid: number
}

export const UNCHECKED: Replication = { valid: 0 }

/** Fewer consecutive valid checked units: everything is replicated. */
export const REPLICATE_ALL_BELOW = 10
export const REPLICATION_MIN = 0.02

/** p: the share of the peer's units that are replicated, REPLICATION_MIN to 1. */
export function replicationShare({ valid }: Replication): number {
  return valid < REPLICATE_ALL_BELOW ? 1 : Math.max(REPLICATION_MIN, 1 / valid)
}

/** @param draw uniform in [0, 1), unknown to the peer until it has committed itself to its result */
export function mustReplicate(state: Replication, draw: number): boolean {
  return draw < replicationShare(state)
}

/** A unit was checked. One bad one, and trust starts anew. Unchecked units teach nothing: do not call it. */
export function checked(state: Replication, isValid: boolean): Replication {
  return { valid: isValid ? state.valid + 1 : 0 }
}

/**
 * H = g(1 − p)/p: the last rewards of a job that are held back until it settles, in units, so that a cheat loses on
 * average what it gains. At most the job's own units.
 *
 * @param units of the job that the peer does
 * @param gain g: of one undetected cheat, in rewards
 */
export function holdback(state: Replication, units: number, gain = 1): number {
  const share = replicationShare(state)
  return Math.min(units, (gain * (1 - share)) / share)
}
