import type { CID } from 'multiformats/cid'
import type {
  Certificate,
  LedgerRecord,
  MicroCredits,
  Milliseconds,
  Network,
  Payout,
  PayoutCertificate,
  PeerIdString,
  Receipt,
  RecordOf,
  SettleCertificate,
  Signed,
  TransferCertificate,
  Vote
} from '../wire/index.ts'
import { checkEscrow, checkSettle, checkTransfer, indexOfPayee } from './bodies.ts'
import { ESCROW_KEPT_MS } from './constants.ts'
import { isVoteOn, openRecord, statementsOf, type VerifyOptions } from './envelope.ts'
import { ensure } from './errors.ts'
import { quorumOf } from './seat.ts'
import { type Certifiers, certifiersOf } from './voters.ts'

/** What proves a payment to a third party: settle, payout, transfer. No state, no I/O but WebCrypto. */

interface Payment {
  /** Who pays. */
  readonly author: PeerIdString
  /** The escrow or transfer that is paid from: with the index it makes the claim's key. */
  readonly base: CID
  /** When the payment became due, and its claim window began. */
  readonly ts: Milliseconds
  /** When that window ends: the same for each certificate of one `base`, so that who forgets one claim forgets all. */
  readonly until: Milliseconds
  /** What can be claimed, by index; 0 where nothing can. */
  readonly payouts: ReadonlyArray<{ readonly peer: PeerIdString; readonly amount: MicroCredits }>
  /** `witnessed`: by a quorum of the witnesses that the escrow or transfer names. */
  readonly certainty: 'witnessed' | 'detection-only'
}

interface OfEscrow {
  readonly escrow: RecordOf<'escrow'>
  readonly escrowId: CID
}

export interface VerifiedSettle extends Payment, OfEscrow {
  readonly kind: 'settle'
  readonly settle: RecordOf<'settle'>
  readonly settleId: CID
  readonly votes: readonly Vote[]
}

export interface VerifiedPayout extends Payment, OfEscrow {
  readonly kind: 'payout'
  readonly receipt: Receipt
  readonly votes: readonly Payout[]
}

export interface VerifiedTransfer extends Payment {
  readonly kind: 'transfer'
  readonly transfer: RecordOf<'transfer'>
  readonly votes: readonly Vote[]
}

export type VerifiedCertificate = VerifiedSettle | VerifiedPayout | VerifiedTransfer

/**
 * Checks a payment by itself: its records are one author's and obey their rules, every vote is for it and from a
 * peer that may vote, and the quorum is reached.
 *
 * @throws WireError or CreditError `BAD_CERTIFICATE`, `BAD_RECORD`
 */
export function verifyCertificate(
  certificate: Certificate,
  network: Network,
  options: VerifyOptions = {}
): Promise<VerifiedCertificate> {
  switch (certificate.kind) {
    case 'settle':
      return verifySettle(certificate, network, options)
    case 'payout':
      return verifyPayout(certificate, network, options)
    case 'transfer':
      return verifyTransfer(certificate, network, options)
  }
}

/** An escrow with the votes that certify it. @throws WireError or CreditError */
export async function verifyEscrow(
  { escrow, votes }: { escrow: Signed; votes: readonly Signed[] },
  network: Network,
  options: VerifyOptions = {}
): Promise<OfEscrow> {
  const { record, id } = await openRecord(escrow, network, options)
  ensure(record.kind === 'escrow', 'BAD_CERTIFICATE', 'The votes are to be on an escrow.')
  checkEscrow(record, network.parameters)
  const given = await statementsOf(votes, 'vote', network, options)
  checkVotes(given, (vote) => isVoteOn(vote, record, id), certifiersOf(record.body))
  return { escrow: record, escrowId: id }
}

async function verifySettle(
  certificate: SettleCertificate,
  network: Network,
  options: VerifyOptions
): Promise<VerifiedSettle> {
  const [first, second] = await Promise.all([
    openRecord(certificate.escrow, network, options),
    openRecord(certificate.settle, network, options)
  ])
  const { record: escrow, id: escrowId } = first
  const { record: settle, id: settleId } = second
  ensure(
    escrow.kind === 'escrow' && settle.kind === 'settle',
    'BAD_CERTIFICATE',
    'A certificate consists of an escrow and its settle.'
  )
  ensure(
    settle.author === escrow.author &&
      settle.seq > escrow.seq &&
      settle.ts >= escrow.ts &&
      settle.body.escrow.equals(escrowId),
    'BAD_CERTIFICATE',
    'The settle is not of this escrow.'
  )
  checkEscrow(escrow, network.parameters)
  checkSettle(settle.body, escrow.body)
  const votes = await statementsOf(certificate.votes, 'vote', network, options)
  const later = certificate.seat && (await openRecord(certificate.seat, network, options)).record
  const certifiers = later ? successors(escrow, settle, later, network) : certifiersOf(escrow.body)
  checkVotes(votes, (vote) => isVoteOn(vote, settle, settleId), certifiers)
  return {
    kind: 'settle',
    author: escrow.author,
    base: escrowId,
    ts: settle.ts,
    until: overAt(escrow.body.tClose),
    payouts: escrow.body.payees.map(({ peer }, index) => ({
      peer,
      amount: settle.body.payouts[index] ?? 0n
    })),
    certainty: later || escrow.body.witnesses.length === 0 ? 'detection-only' : 'witnessed',
    escrow,
    escrowId,
    settle,
    settleId,
    votes
  }
}

/** The members of a later seat, where the escrow's own witnesses are gone. They prove no more than the author. */
function successors(
  escrow: RecordOf<'escrow'>,
  settle: RecordOf<'settle'>,
  seat: LedgerRecord,
  { parameters }: Network
): Certifiers {
  ensure(
    seat.kind === 'seat' && seat.author === escrow.author && seat.seq > escrow.seq,
    'BAD_CERTIFICATE',
    'The seat is not a later one of the same author.'
  )
  ensure(
    settle.ts >= orphanedAt(escrow.body.tClose, parameters.orphanedAfterMs),
    'BAD_CERTIFICATE',
    "Only the escrow's own witnesses may vote yet."
  )
  const { members } = seat.body
  return members.length > 0
    ? { members, quorum: quorumOf(members.length) }
    : { members: escrow.body.payees.map(({ peer }) => peer), quorum: 0 }
}

/** From when on a later seat may stand in for the witnesses of an escrow, or of a gift of that time; at once where nobody waits. */
export const orphanedAt = (tClose: Milliseconds, orphanedAfterMs: Milliseconds): Milliseconds =>
  orphanedAfterMs === 0 ? 0 : tClose + orphanedAfterMs

/** The last moment at which a payee claims from an escrow, by whichever certificate. */
export const overAt = (tClose: Milliseconds): Milliseconds => tClose + ESCROW_KEPT_MS

async function verifyPayout(
  certificate: PayoutCertificate,
  network: Network,
  options: VerifyOptions
): Promise<VerifiedPayout> {
  const { record: escrow, id: escrowId } = await openRecord(certificate.escrow, network, options)
  ensure(escrow.kind === 'escrow', 'BAD_CERTIFICATE', 'A payout is made from an escrow.')
  checkEscrow(escrow, network.parameters)
  const { body } = escrow
  ensure(body.witnesses.length > 0, 'BAD_CERTIFICATE', 'Only witnesses pay without the requester.')
  const [receipt] = await statementsOf([certificate.receipt], 'receipt', network, options)
  ensure(receipt !== undefined, 'BAD_CERTIFICATE', 'A payout needs its receipt.')
  const due = checkReceipt(receipt, escrow, escrowId)
  const votes = await statementsOf(certificate.votes, 'payout', network, options)
  checkVotes(
    votes,
    ({ escrow: of, payee, amount }) =>
      of.equals(escrowId) && payee === receipt.payee && amount === receipt.amount,
    certifiersOf(body)
  )
  return {
    kind: 'payout',
    author: escrow.author,
    base: escrowId,
    ts: body.tClose,
    until: overAt(body.tClose),
    payouts: body.payees.map(({ peer }, index) => ({ peer, amount: index === due ? receipt.amount : 0n })),
    certainty: 'witnessed',
    escrow,
    escrowId,
    receipt,
    votes
  }
}

/** That a receipt is on this escrow. Returns its payee's index. @throws CreditError `BAD_RECEIPT` */
export function checkReceipt(receipt: Receipt, escrow: RecordOf<'escrow'>, escrowId: CID): number {
  const index = indexOfPayee(escrow.body, receipt.payee)
  const max = escrow.body.payees[index]?.max ?? 0n
  ensure(
    receipt.author === escrow.author && receipt.escrow.equals(escrowId) && index >= 0,
    'BAD_RECEIPT',
    'The receipt is for another channel.'
  )
  ensure(receipt.amount <= max, 'BAD_RECEIPT', `The receipt is above the channel's maximum (${max}).`)
  ensure(receipt.pairTotal >= receipt.amount, 'BAD_RECEIPT', 'The total of the pair is below the receipt.')
  return index
}

async function verifyTransfer(
  certificate: TransferCertificate,
  network: Network,
  options: VerifyOptions
): Promise<VerifiedTransfer> {
  const { record: transfer, id } = await openRecord(certificate.transfer, network, options)
  ensure(transfer.kind === 'transfer', 'BAD_CERTIFICATE', 'The votes are to be on a transfer.')
  checkTransfer(transfer)
  const { to, amount, witnesses, quorum } = transfer.body
  const votes = await statementsOf(certificate.votes, 'vote', network, options)
  const later = certificate.seat && (await openRecord(certificate.seat, network, options)).record
  const named = witnesses.length > 0 ? { members: witnesses, quorum } : { members: [to], quorum: 0 }
  const certifiers = later ? heirs(transfer, later, votes, network) : named
  checkVotes(votes, (vote) => isVoteOn(vote, transfer, id), certifiers)
  return {
    kind: 'transfer',
    author: transfer.author,
    base: id,
    ts: transfer.ts,
    until: transfer.ts + network.parameters.claimWindowMs,
    payouts: [{ peer: to, amount }],
    certainty: witnesses.length > 0 && !later ? 'witnessed' : 'detection-only',
    transfer,
    votes
  }
}

/** The members of a later seat, for a gift whose own witnesses are gone: they prove no more than its giver. */
function heirs(
  transfer: RecordOf<'transfer'>,
  seat: LedgerRecord,
  votes: readonly Vote[],
  { parameters }: Network
): Certifiers {
  ensure(
    seat.kind === 'seat' && seat.author === transfer.author && seat.seq > transfer.seq,
    'BAD_CERTIFICATE',
    'The seat is not a later one of the same author.'
  )
  const { members } = seat.body
  const orphaned = orphanedAt(transfer.ts, parameters.orphanedAfterMs)
  ensure(
    members.length > 0 && votes.every(({ ts }) => ts >= orphaned),
    'BAD_CERTIFICATE',
    "Only the transfer's own witnesses may vote yet."
  )
  return { members, quorum: quorumOf(members.length) }
}

/** A heal with the votes that certify it. @throws WireError or CreditError */
export async function verifyHeal(
  { heal, votes }: { heal: Signed; votes: readonly Signed[] },
  network: Network
): Promise<RecordOf<'heal'>> {
  const { record, id } = await openRecord(heal, network)
  ensure(record.kind === 'heal', 'BAD_CERTIFICATE', 'The votes are to be on a heal.')
  const { witnesses, quorum } = record.body
  ensure(quorum === quorumOf(witnesses.length), 'BAD_CERTIFICATE', 'The heal names another quorum.')
  const given = await statementsOf(votes, 'vote', network)
  checkVotes(given, (vote) => isVoteOn(vote, record, id), { members: witnesses, quorum })
  return record
}

/** @throws CreditError `BAD_CERTIFICATE` */
function checkVotes<V extends { readonly author: PeerIdString }>(
  votes: readonly V[],
  isRight: (vote: V) => boolean,
  { members, quorum }: Certifiers
): void {
  for (const vote of votes) {
    ensure(isRight(vote), 'BAD_CERTIFICATE', 'A vote is for another record.')
    ensure(members.includes(vote.author), 'BAD_CERTIFICATE', 'A vote is from a peer that has none.')
  }
  const voters = new Set(votes.map(({ author }) => author)).size
  ensure(voters === votes.length, 'BAD_CERTIFICATE', 'A peer voted twice.')
  ensure(voters >= quorum, 'BAD_CERTIFICATE', `Only ${voters} of ${quorum} votes.`)
}
