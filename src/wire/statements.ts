import * as z from 'zod/mini'
import { SEAT_MAX } from './records.ts'
import { cid, hash, microCredits, natural, peerId, timestamp } from './schema.ts'

/** Signed statements outside the chain. Each names its author; each is signed in the `statement` domain. */

const head = { v: z.literal(1), net: hash, author: peerId, ts: timestamp }

/**
 * The requester's word that `payee` has earned `amount` µcr of the escrow so far. Cumulative: the highest
 * counts. `pairTotal` is all that the author ever receipted to the payee, this receipt included.
 */
export const receipt = z.strictObject({
  ...head,
  kind: z.literal('receipt'),
  escrow: cid,
  payee: peerId,
  amount: microCredits,
  pairTotal: microCredits
})

/** The payee's word that it wants no more of an escrow than `amount`: the requester may settle at once. */
export const release = z.strictObject({
  ...head,
  kind: z.literal('release'),
  escrow: cid,
  amount: microCredits
})

/** A witness's vote that `record` is the one at `seq` of `subject`'s chain, and for a settle, that it may stand. */
export const vote = z.strictObject({
  ...head,
  kind: z.literal('vote'),
  subject: peerId,
  seq: natural,
  record: cid
})

/**
 * A member's vote that at `seq` of `subject`'s chain, after the record `prev`, stands a seat of these members and
 * nothing else. It is given before the seat is signed, because the seat embeds it.
 */
export const reseat = z.strictObject({
  ...head,
  kind: z.literal('reseat'),
  subject: peerId,
  seq: natural,
  prev: cid,
  members: z.array(peerId).check(z.maxLength(SEAT_MAX))
})

/** A witness's vote that `payee` is owed `amount` µcr of the escrow, whatever its requester does. */
export const payout = z.strictObject({
  ...head,
  kind: z.literal('payout'),
  escrow: cid,
  payee: peerId,
  amount: microCredits
})

export const statement = z.discriminatedUnion('kind', [receipt, release, vote, reseat, payout])

export type Receipt = z.output<typeof receipt>
export type Release = z.output<typeof release>
export type Vote = z.output<typeof vote>
export type Reseat = z.output<typeof reseat>
export type Payout = z.output<typeof payout>
export type Statement = z.output<typeof statement>
