import type { Milliseconds } from '../wire/index.ts'
import { type Candidate, utility } from './utility.ts'

/** A candidate with what this node has seen of it besides: what strategy `swarm` looks at. */
export interface SwarmCandidate extends Candidate {
  /** Units ahead of a new one at the peer: own in flight, and what it last reported of others'. */
  readonly pending: number
  /** Those of `pending` that are this node's own. */
  readonly own: number
  /** Age of that report. */
  readonly reportAgeMs: Milliseconds
  /** What the peer computes, in operations a ms (any unit will do that all candidates share); above 0. */
  readonly speed: number
  /** Factor by which the peer is slower than predicted, 1 or more: `slowdownFactor` of its peak EWMA. */
  readonly slowdown: number
  /** τ less one standard deviation, .05 to 1. */
  readonly trustLow: number
  /** r: units of this peer that this node has verified. */
  readonly verified: number
  /** Since the peer last earned; priority halves in a week of it. */
  readonly idleMs: Milliseconds
  /** .05 to 1. */
  readonly pheromone: number
}

/** What is to be sent: only the time that it will take. */
export interface Request {
  /** Operations of a typical unit, in the unit of `SwarmCandidate.speed`. */
  readonly work: number
}

/**
 * Why a candidate was chosen: the greatest `utility`; the least `cost` of those drawn; an `exploration` of a peer
 * that is hardly known.
 */
export type Reason = 'utility' | 'cost' | 'exploration'

export interface Decision<C> {
  readonly chosen: C
  readonly reason: Reason
  /** The candidates that were compared; the others were not looked at. */
  readonly compared: readonly C[]
}

/** How to choose among peers that all can, may and should do the work. Pure but for the randomness it is given. */
export interface Strategy<Needs = Candidate> {
  readonly name: StrategyName
  /**
   * @param eligible what is left after the hard filter (`isEligible`)
   * @param random uniform in [0, 1)
   * @returns undefined if there is nobody
   */
  choose<C extends Needs>(
    eligible: readonly C[],
    request: Request,
    random: () => number
  ): Decision<C> | undefined
  /** What the strategy compares, for people: higher is better for `paper`, lower for `swarm`. */
  score(candidate: Needs, request: Request): number
}

export type StrategyName = 'paper' | 'swarm'

/** Paper, equation 1: the greatest utility, ties at random. */
export const paperStrategy: Strategy = {
  name: 'paper',
  choose(eligible, _request, random) {
    let best = Number.NEGATIVE_INFINITY
    let chosen = eligible[0]
    let equals = 0
    for (const candidate of eligible) {
      const score = utility(candidate)
      if (score > best) {
        best = score
        chosen = candidate
        equals = 1
      } else if (score === best && random() * ++equals < 1) {
        chosen = candidate
      }
    }
    return chosen && { chosen, reason: 'utility', compared: eligible }
  },
  score: (candidate) => utility(candidate)
}

/**
 * `count` different candidates, best first: the strategy's choice, then its choice among the rest, and so on.
 */
export function chooseMany<Needs, C extends Needs>(
  strategy: Strategy<Needs>,
  eligible: readonly C[],
  request: Request,
  count: number,
  random: () => number
): Decision<C>[] {
  const decisions: Decision<C>[] = []
  let rest = eligible
  while (decisions.length < count) {
    const decision = strategy.choose(rest, request, random)
    if (decision === undefined) {
      break
    }
    decisions.push(decision)
    if (decisions.length < count) {
      rest = rest.filter((candidate) => candidate !== decision.chosen)
    }
  }
  return decisions
}
