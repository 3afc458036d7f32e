import type { CID } from 'multiformats/cid'
import type { EscrowBody, MicroCredits, Milliseconds, PeerIdString } from '../wire/index.ts'
import type { Seat } from './seat.ts'

export interface OpenEscrow {
  readonly body: EscrowBody
  readonly seq: number
  readonly ts: Milliseconds
  /** `ChainState.idleHours` when it was opened: a refund is drained from here. */
  readonly idleHours: number
}

/** All that the next record of a chain is checked against. */
export interface ChainState {
  readonly author: PeerIdString
  readonly seq: number
  readonly id: CID
  readonly ts: Milliseconds
  /** Balance after the record, without open escrows (µcr). */
  readonly bal: MicroCredits
  readonly idleSince: Milliseconds
  /** Idle hours that the chain's records have applied so far, in all. */
  readonly idleHours: number
  readonly seat: Seat
  /** The last seat that a quorum of the one before it voted for, or the first one: it certifies a heal. */
  readonly sure: Seat & { readonly seq: number }
  /** Place of the newest heal; 0 for none. */
  readonly healSeq: number
  /** What the branches of a fork have spent beyond the balance (µcr): credits pay it off first. */
  readonly debt: MicroCredits
  /** Place of the record that made the seat; 0 for none. */
  readonly seatSeq: number
  /** The seat was never voted for by a quorum of the one before it. */
  readonly unsure: boolean
  /** By CID text. */
  readonly openEscrows: ReadonlyMap<string, OpenEscrow>
  /** Payouts taken, `<escrow CID>/<index>`, with the last moment at which they could be claimed: one an escrow. */
  readonly claimed: ReadonlyMap<string, Milliseconds>
  /** Null while the chain goes on; closed: SHA-256 of the token that opens it again (none: empty). */
  readonly closed: Uint8Array | null
}

/** At most so many escrows of one author are open at once: a witness keeps them all. */
export const OPEN_ESCROWS_MAX = 256

export const claimKey = (escrow: CID, index: number) => `${escrow.toString()}/${index}`

export const escrowed = (state: ChainState): MicroCredits =>
  [...state.openEscrows.values()].reduce((sum, { body }) => sum + body.amount, 0n)
