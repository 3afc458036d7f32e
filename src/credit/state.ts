import type { CID } from 'multiformats/cid'
import type { EscrowBody, MicroCredits, Milliseconds, PeerIdString } from '../wire/index.ts'

/** An author's witnesses. None: its payees' signatures certify, and a double spend is only detected. */
export interface Seat {
  readonly members: readonly PeerIdString[]
  readonly quorum: number
}

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
  /** By CID text. */
  readonly openEscrows: ReadonlyMap<string, OpenEscrow>
  /** Payouts taken, `<escrow CID>/<index>`, with the last moment at which they could be claimed. */
  readonly claimed: ReadonlyMap<string, Milliseconds>
}

/** At most so many escrows of one author are open at once: a witness keeps them all. */
export const OPEN_ESCROWS_MAX = 256

export const claimKey = (escrow: CID, index: number) => `${escrow.toString()}/${index}`

export const escrowed = (state: ChainState): MicroCredits =>
  [...state.openEscrows.values()].reduce((sum, { body }) => sum + body.amount, 0n)

/** Size and quorum of a seat (credit.md section 2): K of 1, 2, 3, 4, 7; f = ⌊(K−1)/3⌋; q = ⌊(K+f)/2⌋+1. */
export function quorumOf(members: number): number {
  return members === 0 ? 0 : Math.floor((members + Math.floor((members - 1) / 3)) / 2) + 1
}

export const SEAT_SIZES: readonly number[] = [0, 1, 2, 3, 4, 7]
