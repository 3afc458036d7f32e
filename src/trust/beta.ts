/**
 * First-hand trust in one peer for one skill: a Beta estimate with a sceptical prior (credit.md section 5).
 * Only what this node saw itself enters; times are ms since 1970.
 */
export interface Trust {
  /** Verified units. */
  readonly right: number
  /** Time-outs and failures (1 each). */
  readonly missed: number
  /** Wrong results (10 each). */
  readonly wrong: number
  readonly at: number
}

export type Outcome = 'verified' | 'missed' | 'wrong'

export const UNKNOWN: Trust = { right: 0, missed: 0, wrong: 0, at: 0 }

const PRIOR_MEAN = 0.3
const PRIOR_WEIGHT = 2
const WRONG_WEIGHT = 10
const HALF_LIFE_MS = 30 * 24 * 3_600_000
const WRONG_SLOWDOWN = 6

/** Evidence halves in 30 days, wrong results six times slower. */
export function decay(trust: Trust, now: number): Trust {
  const age = Math.max(0, now - trust.at)
  const factor = 2 ** (-age / HALF_LIFE_MS)
  return {
    right: trust.right * factor,
    missed: trust.missed * factor,
    wrong: trust.wrong * 2 ** (-age / (HALF_LIFE_MS * WRONG_SLOWDOWN)),
    at: now
  }
}

export function learn(trust: Trust, outcome: Outcome, now: number): Trust {
  const faded = decay(trust, now)
  switch (outcome) {
    case 'verified':
      return { ...faded, right: faded.right + 1 }
    case 'missed':
      return { ...faded, missed: faded.missed + 1 }
    case 'wrong':
      return { ...faded, wrong: faded.wrong + 1 }
  }
}

/** τ = (r + 2·.3) / (r + s + 2), 0 to 1. */
export function mean(trust: Trust, now: number): number {
  const { right, against } = evidence(trust, now)
  return (right + PRIOR_WEIGHT * PRIOR_MEAN) / (right + against + PRIOR_WEIGHT)
}

/** τ less one standard deviation, at least .05: what routing uses. */
export function lowerBound(trust: Trust, now: number): number {
  const { right, against } = evidence(trust, now)
  const tau = mean(trust, now)
  return Math.max(0.05, tau - Math.sqrt((tau * (1 - tau)) / (right + against + PRIOR_WEIGHT + 1)))
}

function evidence(trust: Trust, now: number): { right: number; against: number } {
  const faded = decay(trust, now)
  return { right: faded.right, against: faded.missed + WRONG_WEIGHT * faded.wrong }
}
