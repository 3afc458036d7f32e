import * as z from 'zod/mini'
import { bytes, cid, hash, microCredits, natural, peerId, timestamp } from './schema.ts'
import { signedUpTo } from './signed.ts'

/** The records of a personal chain. Amounts are µcr; `ts` is ms since 1970 UTC. PROTOCOL.md has vectors. */

export const PAYEES_MAX = 64
export const SEAT_MAX = 7
/** Largest payload of an escrow and of a settle in bytes, so that any certificate fits into a claim. */
export const CERTIFIED_PAYLOAD_MAX = 16 * 1024
/** Largest payload of a vote in bytes. */
export const VOTE_PAYLOAD_MAX = 384
/** Largest payload of a vote on a seat in bytes: it names the members. */
export const RESEAT_PAYLOAD_MAX = 1024
/** Largest payload of a record in a healed branch in bytes: one at least fits into a `heal`. */
export const HEAL_RECORD_MAX = 60 * 1024
/** Largest payload of a receipt in bytes. */
export const RECEIPT_PAYLOAD_MAX = 512

const peers = z.array(peerId).check(z.maxLength(SEAT_MAX))

/** First record of a chain: the grant, fixed by the network's parameters. */
export const genesisBody = z.strictObject({ grant: microCredits })

/**
 * The witnesses of the author's later records. `votes`: `reseat` statements of a quorum of the old seat; none on
 * a seat that is `unsure`, which its own members certify by voting on a record after it.
 */
export const seatBody = z.strictObject({
  members: peers,
  quorum: natural,
  unsure: z.boolean(),
  votes: z.array(signedUpTo(RESEAT_PAYLOAD_MAX)).check(z.maxLength(SEAT_MAX))
})

/** On whose recognition a payee serves, and how much of it (empty: strangers' work). */
export const recognitionShare = z.strictObject({ payer: peerId, amount: microCredits })

export const recognised = z.array(recognitionShare).check(z.maxLength(16))

/** One payment channel: at most `max` to `peer`. */
export const payee = z.strictObject({ peer: peerId, max: microCredits, on: recognised })

/**
 * Locks Σ max for one job, one channel a payee. An empty `witnesses` with `quorum` 0 means that the payees'
 * own signatures are the certificate: a double spend is then detected, not prevented.
 */
export const escrowBody = z.strictObject({
  jobId: bytes(16),
  parent: z.nullable(cid),
  payees: z.array(payee).check(z.minLength(1), z.maxLength(PAYEES_MAX)),
  amount: microCredits,
  inputRoot: hash,
  witnesses: peers,
  quorum: natural,
  tClose: timestamp,
  nonce: bytes(16)
})

/** Units that the same payees computed: total `weight` (µcr), `payees` by index, `quorum` of them needed. */
export const unitGroup = z.strictObject({
  weight: microCredits,
  payees: z.array(natural).check(z.minLength(1), z.maxLength(PAYEES_MAX)),
  quorum: natural
})

export const unitsSplit = z.strictObject({
  form: z.literal('units'),
  seed: hash,
  inputs: z.array(unitGroup).check(z.maxLength(256))
})

/** The most stages of a pipeline. */
export const STAGES_MAX = 8

/** What a stage is worth (µcr), and who could each have done it alone, by index. */
export const pipelineStage = z.strictObject({
  weight: microCredits,
  payees: z.array(natural).check(z.minLength(1), z.maxLength(PAYEES_MAX))
})

/** The stages that some rows of a pipeline went through, in order. No payee stands in two of them. */
export const pipelineLane = z.array(pipelineStage).check(z.minLength(1), z.maxLength(STAGES_MAX))

export const pipelineSplit = z.strictObject({
  form: z.literal('pipeline'),
  seed: hash,
  inputs: z.array(pipelineLane).check(z.maxLength(256))
})

/** Ends an escrow: Σ payouts (by payee index) + refund = the escrow's amount, exactly. */
export const settleBody = z.strictObject({
  escrow: cid,
  payouts: z.array(microCredits).check(z.minLength(1), z.maxLength(PAYEES_MAX)),
  refund: microCredits,
  split: z.discriminatedUnion('form', [unitsSplit, pipelineSplit])
})

/**
 * Escrow, its settle, and the votes on the settle. Enough for a third party to check a payment offline. Under
 * an escrow without witnesses the votes are its payees', any number of them: there the claim that embeds the
 * certificate is its payee's signature. `seat`: the author's later seat, where the witnesses of the escrow are
 * gone and its members voted in their place.
 */
export const settleCertificate = z.strictObject({
  kind: z.literal('settle'),
  escrow: signedUpTo(CERTIFIED_PAYLOAD_MAX),
  settle: signedUpTo(CERTIFIED_PAYLOAD_MAX),
  seat: z.nullable(signedUpTo(CERTIFIED_PAYLOAD_MAX)),
  votes: z.array(signedUpTo(VOTE_PAYLOAD_MAX)).check(z.maxLength(PAYEES_MAX))
})

/** Escrow, a receipt on it that its payee lodged with the witnesses, and a quorum of their `payout` votes. */
export const payoutCertificate = z.strictObject({
  kind: z.literal('payout'),
  escrow: signedUpTo(CERTIFIED_PAYLOAD_MAX),
  receipt: signedUpTo(RECEIPT_PAYLOAD_MAX),
  votes: z.array(signedUpTo(VOTE_PAYLOAD_MAX)).check(z.maxLength(SEAT_MAX))
})

/** A transfer and the votes on it. Its only index is 0. */
export const transferCertificate = z.strictObject({
  kind: z.literal('transfer'),
  transfer: signedUpTo(CERTIFIED_PAYLOAD_MAX),
  /** A later seat of the giver, whose members voted because the transfer's own witnesses are gone. */
  seat: z.optional(signedUpTo(CERTIFIED_PAYLOAD_MAX)),
  votes: z.array(signedUpTo(VOTE_PAYLOAD_MAX)).check(z.maxLength(SEAT_MAX))
})

export const certificate = z.discriminatedUnion('kind', [
  settleCertificate,
  payoutCertificate,
  transferCertificate
])

/** Takes payout `index` of a certificate into the author's balance. The amount is read, never stated. */
export const claimBody = z.strictObject({ certificate, index: natural })

/** A gift. Without witnesses (none, quorum 0) the claim that embeds it is its payee's signature. */
export const transferBody = z.strictObject({
  to: peerId,
  amount: microCredits,
  on: z.array(recognitionShare).check(z.maxLength(16)),
  witnesses: peers,
  quorum: natural
})

/** What the chain before it comes to: SHA-256 of the canonical bytes of its state, so that the rest can go. */
export const checkpointBody = z.strictObject({ state: hash })

/** Records of a branch that one heal holds at most; the rest is in those that follow it. */
export const HEAL_BRANCH_MAX = 64

/**
 * Joins a branch that its author signed by accident to its chain: `prev` is the one head, `head` the other. `branch`:
 * the records that are not in the chain, oldest first. The witnesses are those of the last seat that is sure.
 */
export const healBody = z.strictObject({
  head: cid,
  branch: z.array(signedUpTo(HEAL_RECORD_MAX)).check(z.minLength(1), z.maxLength(HEAL_BRANCH_MAX)),
  witnesses: peers,
  quorum: natural
})

/** Ends a chain where it was. `next`: SHA-256 of the token with which it goes on elsewhere; null: it never does. */
export const closedBody = z.strictObject({ next: z.nullable(hash) })

/** The one record that may follow a `closed` one: by whoever was handed its token. */
export const openedBody = z.strictObject({ token: bytes(32) })

const head = {
  v: z.literal(1),
  net: hash,
  author: peerId,
  seq: natural,
  prev: z.nullable(cid),
  ts: timestamp,
  bal: microCredits,
  idleSince: timestamp
}

export const record = z.discriminatedUnion('kind', [
  z.strictObject({ ...head, kind: z.literal('genesis'), body: genesisBody }),
  z.strictObject({ ...head, kind: z.literal('seat'), body: seatBody }),
  z.strictObject({ ...head, kind: z.literal('escrow'), body: escrowBody }),
  z.strictObject({ ...head, kind: z.literal('settle'), body: settleBody }),
  z.strictObject({ ...head, kind: z.literal('claim'), body: claimBody }),
  z.strictObject({ ...head, kind: z.literal('transfer'), body: transferBody }),
  z.strictObject({ ...head, kind: z.literal('checkpoint'), body: checkpointBody }),
  z.strictObject({ ...head, kind: z.literal('heal'), body: healBody }),
  z.strictObject({ ...head, kind: z.literal('closed'), body: closedBody }),
  z.strictObject({ ...head, kind: z.literal('opened'), body: openedBody })
])

export type LedgerRecord = z.output<typeof record>
export type RecordKind = LedgerRecord['kind']
export type RecordOf<K extends RecordKind> = Extract<LedgerRecord, { kind: K }>
export type EscrowBody = z.output<typeof escrowBody>
export type SettleBody = z.output<typeof settleBody>
export type UnitGroup = z.output<typeof unitGroup>
export type PipelineStage = z.output<typeof pipelineStage>
export type PipelineLane = z.output<typeof pipelineLane>
export type TransferBody = z.output<typeof transferBody>
export type Certificate = z.output<typeof certificate>
export type PayoutCertificate = z.output<typeof payoutCertificate>
export type TransferCertificate = z.output<typeof transferCertificate>
export type SettleCertificate = z.output<typeof settleCertificate>
