import { learn, lowerBound, mean, type Outcome, type Trust, UNKNOWN } from '../trust/index.ts'
import type { Milliseconds } from '../wire/index.ts'
import {
  AS_PREDICTED,
  observe,
  observeFailure,
  type Slowdown,
  slowdownAt,
  slowdownFactor
} from './peak-ewma.ts'
import { PHEROMONE_START, type Pheromone, reinforce, strengthAt } from './pheromone.ts'
import type { SwarmCandidate } from './strategy.ts'

/** All that this node has learned of one peer for one skill, first-hand. */
export interface Experience {
  readonly trust: Trust
  readonly trail: Pheromone
  readonly peak: Slowdown
}

/** How one unit went. */
export interface UnitOutcome {
  readonly outcome: Outcome
  /** From dispatch to verified result, or to the failure. */
  readonly tookMs: Milliseconds
  /** What it was expected to take when it was sent. */
  readonly predictedMs: Milliseconds
  /** The skill's median time. */
  readonly targetMs: Milliseconds
}

export function neverMet(now: Milliseconds): Experience {
  return {
    trust: { ...UNKNOWN, at: now },
    trail: { strength: PHEROMONE_START, at: now },
    peak: { ...AS_PREDICTED, at: now }
  }
}

export function experience(before: Experience, unit: UnitOutcome, now: Milliseconds): Experience {
  const success = unit.outcome === 'verified'
  return {
    trust: learn(before.trust, unit.outcome, now),
    trail: reinforce(before.trail, { success, latencyMs: unit.tookMs, targetMs: unit.targetMs }, now),
    peak: success
      ? observe(before.peak, unit.tookMs / Math.max(unit.predictedMs, unit.targetMs, Number.MIN_VALUE), now)
      : observeFailure(before.peak, now)
  }
}

/** What the strategies look at, as it stands at `now`. */
export function judge(
  { trust, trail, peak }: Experience,
  now: Milliseconds
): Pick<SwarmCandidate, 'trust' | 'trustLow' | 'verified' | 'pheromone' | 'slowdown'> {
  return {
    trust: mean(trust, now),
    trustLow: lowerBound(trust, now),
    verified: trust.right,
    pheromone: strengthAt(trail, now),
    slowdown: slowdownFactor(slowdownAt(peak, now))
  }
}
