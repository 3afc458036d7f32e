import type { MicroCredits, Milliseconds } from '../wire/index.ts'
import { follow, NO_SAMPLES, QUANTILE_SEEN_MIN, type Quantile } from './quantile.ts'

/**
 * Hedging: an idempotent unit that takes longer than 95 % of its kind is sent to a second provider too; at most
 * 5 % of all units, by a token bucket (Dean & Barroso 2013, "The tail at scale").
 */
export interface Hedge {
  /** 95th percentile of the time of a unit, from dispatch to verified result (ms). */
  readonly p95: Quantile
  /** Hedges that may be sent now. */
  readonly tokens: number
}

export const NO_HEDGE: Hedge = { p95: NO_SAMPLES, tokens: 0 }

const QUANTILE = 0.95
export const HEDGE_SHARE = 0.05
/** 1 / HEDGE_SHARE. */
const COPIES_PART = 20n
/** Tokens that can be saved up: one bad second must not spend an hour's savings. */
const TOKENS_MAX = 10

/** One more unit was sent for the first time: earns a twentieth of a hedge. */
export function earn(hedge: Hedge): Hedge {
  return { ...hedge, tokens: Math.min(TOKENS_MAX, hedge.tokens + HEDGE_SHARE) }
}

/** One more unit is done. @param ms from dispatch to verified result */
export function time(hedge: Hedge, ms: Milliseconds): Hedge {
  return { ...hedge, p95: follow(hedge.p95, ms, QUANTILE) }
}

/** When a unit that was sent at `sentAt` should be hedged; undefined: too few seen. */
export function hedgeAt({ p95 }: Hedge, sentAt: Milliseconds): Milliseconds | undefined {
  return p95.seen >= QUANTILE_SEEN_MIN ? sentAt + p95.value : undefined
}

/** Takes a token for one hedge; undefined: there is none, so do not hedge. */
export function spend(hedge: Hedge): Hedge | undefined {
  return hedge.tokens >= 1 ? { ...hedge, tokens: hedge.tokens - 1 } : undefined
}

/**
 * The most that a job may come to with all copies of late units, those that were finished beside the first included:
 * a twentieth above its price, and one unit, without which a job of few units could have no copy at all.
 *
 * @param price of all units, each once
 * @param dearest of one unit
 */
export function copiesLimit(price: MicroCredits, dearest: MicroCredits): MicroCredits {
  return price + price / COPIES_PART + dearest
}

/** A unit that takes this many times what was expected of it is sent again, whatever it costs. */
const LATE_FACTOR = 4
/** Less is no reason: a page that was hidden, a kernel that is compiled. */
const LATE_MIN: Milliseconds = 2_000

/** @param expectedMs undefined: nothing is known to expect */
export function isLate(elapsedMs: Milliseconds, expectedMs: Milliseconds | undefined): boolean {
  return expectedMs !== undefined && elapsedMs > Math.max(LATE_MIN, LATE_FACTOR * expectedMs)
}
