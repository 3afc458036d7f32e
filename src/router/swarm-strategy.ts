import type { Decision, Request, Strategy, SwarmCandidate } from './strategy.ts'

export interface SwarmStrategyInit {
  /** Candidates compared when what is known of them is old. @default 2 */
  readonly draws?: number
  /** Candidates compared when what is known of them is new. @default 6 */
  readonly drawsFresh?: number
  /** Share of choices among peers hardly known, while there are any. @default .03 */
  readonly exploration?: number
}

/** Peers with fewer verified units are hardly known. */
export const EXPLORED = 10
/**
 * From this τ_low on peers count as equally reliable. A sound peer reaches it with five units; what lies above
 * says how often it was chosen, not how good it is, and would keep the load on the first ones that were.
 */
export const RELIABLE = 0.65
/** Half-life of a peer's priority while it earns nothing (credit.md section 3). */
const IDLE_HALF_LIFE_MS = 168 * 3_600_000
/**
 * From this share of own units in all that is pending on, nobody else is there to herd with, and what counts is known
 * first-hand: all candidates are compared.
 */
const OWN_SHARE = 0.5
/** How fast news turns old: at an age of 1/8 of a unit's time half of the extra draws are left. */
const STALENESS = 8

/**
 * Time until the unit is done, in ms, made longer by what speaks against the peer (credit.md section 6):
 * slowdown · (pending + 1) · work/speed ÷ (τ_low · 2^(−idle/168 h)), τ_low capped at RELIABLE and in its share.
 */
export function cost(candidate: SwarmCandidate, request: Request): number {
  const trust = Math.min(1, candidate.trustLow / RELIABLE)
  const priority = candidate.idleMs > 0 ? 2 ** (-candidate.idleMs / IDLE_HALF_LIFE_MS) : 1
  return delay(candidate, request) / (trust * priority)
}

function delay({ slowdown, pending, speed }: SwarmCandidate, { work }: Request): number {
  return (slowdown * (pending + 1) * work) / speed
}

/**
 * Ours: draw a few in proportion to pheromone and speed, take the least cost. Few, because requesters that all know
 * the best peer would all go there; two keep queues short and stay robust when news is old (Mitzenmacher 2000, "How
 * useful is old information?"). The newer the news, the more are drawn.
 */
export function swarmStrategy(init: SwarmStrategyInit = {}): Strategy<SwarmCandidate> {
  const { draws = 2, drawsFresh = 6, exploration = 0.03 } = init
  return {
    name: 'swarm',
    choose(eligible, request, random) {
      const explored = random() < exploration ? explore(eligible, request, random) : undefined
      return (
        explored ??
        (isMostlyOwn(eligible)
          ? leastCost(eligible, request)
          : leastOfDrawn(eligible, request, random, draws, drawsFresh))
      )
    },
    score: cost
  }
}

function isMostlyOwn(eligible: readonly SwarmCandidate[]): boolean {
  let own = 0
  let pending = 0
  for (const candidate of eligible) {
    own += candidate.own
    pending += candidate.pending
  }
  return own > 0 && own >= OWN_SHARE * pending
}

function leastOfDrawn<C extends SwarmCandidate>(
  eligible: readonly C[],
  request: Request,
  random: () => number,
  draws: number,
  drawsFresh: number
): Decision<C> | undefined {
  const draw = wheelOf(eligible)
  const compared: C[] = []
  let wanted = draws
  while (compared.length < wanted) {
    const candidate = draw(random())
    if (candidate === undefined) {
      break // there is nobody
    }
    if (compared.length === 0) {
      wanted += extraDraws(candidate, request, drawsFresh - draws)
    }
    compared.push(candidate)
  }
  return leastCost(compared, request)
}

function leastCost<C extends SwarmCandidate>(
  compared: readonly C[],
  request: Request
): Decision<C> | undefined {
  let chosen = compared[0]
  let least = Number.POSITIVE_INFINITY
  for (const candidate of compared) {
    const price = cost(candidate, request)
    if (price < least) {
      least = price
      chosen = candidate
    }
  }
  return chosen && { chosen, reason: 'cost', compared }
}

/**
 * A peer hardly known gets its chance, if without regard to trust it is no worse than another: else all requesters
 * together would bury the last slow peer that they have not explored.
 */
function explore<C extends SwarmCandidate>(
  eligible: readonly C[],
  request: Request,
  random: () => number
): Decision<C> | undefined {
  const strangers = eligible.filter(({ verified }) => verified < EXPLORED)
  const stranger = wheelOf(strangers)(random())
  const rival = wheelOf(eligible)(random())
  if (stranger === undefined || rival === undefined) {
    return undefined
  }
  const isWorth = delay(stranger, request) <= delay(rival, request)
  return isWorth ? { chosen: stranger, reason: 'exploration', compared: [stranger, rival] } : undefined
}

/** Fewer, the older the news of a candidate is, measured in times of this unit there. */
function extraDraws(candidate: SwarmCandidate, { work }: Request, max: number): number {
  const age = (candidate.reportAgeMs * candidate.speed) / work
  return Math.floor(max / (1 + STALENESS * age))
}

/** Draws in proportion to weight: the weights are summed up once, and each draw (uniform in [0, 1)) is looked up. */
function wheelOf<C extends SwarmCandidate>(candidates: readonly C[]): (at: number) => C | undefined {
  const upTo = new Float64Array(candidates.length)
  let total = 0
  let place = 0
  for (const candidate of candidates) {
    total += weight(candidate)
    upTo[place++] = total
  }
  return (at) => candidates[firstAbove(upTo, at * total)] ?? candidates.at(-1) // rounding
}

/** Place of the first of these rising numbers that is above `at`; behind the last if none is. */
function firstAbove(rising: Float64Array, at: number): number {
  let from = 0
  let to = rising.length
  while (from < to) {
    const middle = (from + to) >> 1
    if ((rising[middle] ?? 0) > at) {
      to = middle
    } else {
      from = middle + 1
    }
  }
  return from
}

/** Pheromone alone is no measure of size: every peer that is fast enough has 1. */
function weight(candidate: SwarmCandidate): number {
  return candidate.pheromone * candidate.speed
}
