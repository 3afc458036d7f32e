import type { Milliseconds, PeerIdString } from '../wire/index.ts'

/** What equation 1 looks at. Everything but `load` was measured by this node itself. */
export interface Candidate {
  readonly peer: PeerIdString
  /** Serves the very skill version and kernel (a hard filter here; a term of the sum in the paper). */
  readonly capable: boolean
  /** The advert has not expired. */
  readonly fresh: boolean
  /** The provider's rate is at most what the requester offers. */
  readonly affordable: boolean
  /** Wrong or lost lately. */
  readonly setAside: boolean
  /** 0 (idle) to 1 (full), the provider's word. */
  readonly load: number
  readonly latencyMs: Milliseconds
  /** 0 to 1, first-hand. */
  readonly trust: number
}

export interface UtilityWeights {
  readonly capability: number
  readonly load: number
  readonly latency: number
  readonly trust: number
}

/** Paper, equation 1: w1 … w4. They sum to 1. */
export const PAPER_WEIGHTS: UtilityWeights = { capability: 0.35, load: 0.25, latency: 0.2, trust: 0.2 }
/** Paper, equation 1: d_max. */
export const LATENCY_MAX: Milliseconds = 500

/**
 * Paper, equation 1: U(v,T) = w1·1[s∈S_v] + w2·(1 − load) + w3·(1 − d/d_max) + w4·τ, 0 to 1. A latency
 * beyond d_max counts as d_max.
 */
export function utility(candidate: Candidate, weights: UtilityWeights = PAPER_WEIGHTS): number {
  const latency = Math.min(Math.max(candidate.latencyMs, 0), LATENCY_MAX)
  return (
    weights.capability * (candidate.capable ? 1 : 0) +
    weights.load * (1 - clampShare(candidate.load)) +
    weights.latency * (1 - latency / LATENCY_MAX) +
    weights.trust * clampShare(candidate.trust)
  )
}

/** The hard filter: with equation 1 alone an incapable peer can outscore a capable one. */
export function isEligible(candidate: Candidate): boolean {
  return candidate.capable && candidate.fresh && candidate.affordable && !candidate.setAside
}

/**
 * Eligible candidates, best utility first; equal ones in random order.
 *
 * @param random uniform in [0, 1)
 */
export function rank<C extends Candidate>(candidates: readonly C[], random: () => number): C[] {
  return candidates
    .filter(isEligible)
    .map((candidate) => ({ candidate, score: utility(candidate), tie: random() }))
    .sort((a, b) => b.score - a.score || a.tie - b.tie)
    .map(({ candidate }) => candidate)
}

const clampShare = (share: number) => Math.min(1, Math.max(0, Number.isNaN(share) ? 0 : share))
