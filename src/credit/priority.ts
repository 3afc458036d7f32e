import type { MicroCredits, Milliseconds, NetworkParameters } from '../wire/index.ts'

const HOUR = 3_600_000

/**
 * A requester's weight in a provider's queue: rec_v(j) · 2^(−idle / half-life). 0: a stranger, behind all others.
 * Linear in what is recognised, so that splitting oneself into names gains nothing.
 *
 * @param idleMs since the newest claimed certificate (`idleMs`)
 * @returns µcr, faded
 */
export function priorityWeight(
  recognised: MicroCredits,
  idleMs: Milliseconds,
  network: NetworkParameters
): number {
  return Number(recognised) * idleFactor(idleMs, network)
}

/** 2^(−idle / half-life), 0 to 1: also what the router multiplies a provider's score by. */
export function idleFactor(idleMs: Milliseconds, network: NetworkParameters): number {
  return 2 ** (-Math.max(0, idleMs) / (network.idleHalfLifeHours * HOUR))
}

/**
 * How long a chain's author has been idle. A newcomer counts from its first seat, which others have signed: its
 * genesis may have lain in a drawer.
 *
 * @param idleSince of the newest record
 * @param firstSeat its `ts`, if the chain has one
 */
export function idleMs(
  idleSince: Milliseconds,
  firstSeat: Milliseconds | undefined,
  now: Milliseconds
): Milliseconds {
  return Math.max(0, now - Math.max(idleSince, firstSeat ?? 0))
}
