import type { MicroCredits, NetworkParameters } from '../wire/index.ts'
import { ensure } from './errors.ts'

/**
 * What this node owes a peer by its own eyes: work that the peer did and this node checked, on inputs that this
 * node chose itself, and what it gave back since. Nothing that anybody says adds to it.
 */
export interface Edge {
  /** Checked work, in all (µcr). */
  readonly work: MicroCredits
  /** Given back on the peer's word: to the peer, or to whom the peer paid (µcr). */
  readonly served: MicroCredits
  /** Given back to the peer against this node's own payments (µcr). */
  readonly redeemed: MicroCredits
}

export const NO_EDGE: Edge = { work: 0n, served: 0n, redeemed: 0n }

/** A unit as the node that wants to learn from it knows it. */
export interface CheckedUnit {
  readonly cost: MicroCredits
  /** Who chose the input: a replica or an appeal on somebody else's could be staged with its owner. */
  readonly inputBy: 'self' | 'other'
  readonly verdict: 'verified' | 'wrong' | 'unchecked'
}

/** The work that a unit adds to its worker's edge (µcr). */
export function workOf({ cost, inputBy, verdict }: CheckedUnit): MicroCredits {
  return inputBy === 'self' && verdict === 'verified' ? cost : 0n
}

export function addWork(edge: Edge, work: MicroCredits): Edge {
  return work > 0n ? { ...edge, work: edge.work + work } : edge
}

/** res_v(p): what this node still gives on the peer's word (µcr). */
export function residual({ work, served }: Edge, network: NetworkParameters): MicroCredits {
  return positive(share(work, network.edgePercent) - served)
}

/** What this node still gives the peer against its own payments (µcr), whatever the peer's chain shows. */
export function redeemable({ work, redeemed }: Edge, network: NetworkParameters): MicroCredits {
  return positive(share(work, network.paymentPercent) - redeemed)
}

/**
 * @param amount negative to take back what was promised and not used
 * @throws CreditError `INSUFFICIENT_CREDIT` beyond what the edge holds
 */
export function serve(edge: Edge, amount: MicroCredits, network: NetworkParameters): Edge {
  ensure(
    amount <= residual(edge, network) && edge.served + amount >= 0n,
    'INSUFFICIENT_CREDIT',
    'More is given back on a word than was worked for it.'
  )
  return { ...edge, served: edge.served + amount }
}

/** As `serve`, for what the peer redeems of this node's own payments. */
export function redeem(edge: Edge, amount: MicroCredits, network: NetworkParameters): Edge {
  ensure(
    amount <= redeemable(edge, network) && edge.redeemed + amount >= 0n,
    'INSUFFICIENT_CREDIT',
    'More is redeemed than was paid.'
  )
  return { ...edge, redeemed: edge.redeemed + amount }
}

/** `percent` of an amount, rounded down. */
export const share = (amount: MicroCredits, percent: number): MicroCredits =>
  (amount * BigInt(percent)) / 100n

const positive = (amount: bigint) => (amount > 0n ? amount : 0n)

export const min = (a: bigint, b: bigint) => (a < b ? a : b)
