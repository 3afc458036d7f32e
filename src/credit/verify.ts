import type { CID } from 'multiformats/cid'
import { equals } from 'uint8arrays/equals'
import {
  cidOf,
  DOMAINS,
  decodeStrict,
  type LedgerRecord,
  type Milliseconds,
  type Network,
  type RecordOf,
  record as recordSchema,
  type SettleCertificate,
  SIGNED_PAYLOAD_MAX,
  type Signed,
  type Statement,
  statement as statementSchema,
  type Vote,
  verifySigned,
  WireError
} from '../wire/index.ts'
import { checkEscrow, checkPayloadSize, checkSettle } from './bodies.ts'
import { ensure } from './errors.ts'
import { certifiersOf } from './voters.ts'

/** Signatures and everything that a record or certificate says of itself. No state, no I/O but WebCrypto. */

export interface VerifiedCertificate {
  readonly escrow: RecordOf<'escrow'>
  readonly escrowId: CID
  readonly settle: RecordOf<'settle'>
  readonly settleId: CID
  readonly votes: readonly Vote[]
  /** When the payment became due, and its claim window began: the settle's `ts`. */
  readonly ts: Milliseconds
}

export type VerifiedRecord =
  | { readonly id: CID; readonly record: Exclude<LedgerRecord, RecordOf<'claim'>> }
  | { readonly id: CID; readonly record: RecordOf<'claim'>; readonly certificate: VerifiedCertificate }

/** @throws CreditError `BAD_CERTIFICATE` for a claim without one */
export function verifiedRecord(
  id: CID,
  record: LedgerRecord,
  certificate: VerifiedCertificate | undefined
): VerifiedRecord {
  if (record.kind !== 'claim') {
    return { id, record }
  }
  ensure(certificate !== undefined, 'BAD_CERTIFICATE', 'A claim needs its verified certificate.')
  return { id, record, certificate }
}

export interface VerifyOptions {
  /** False for what this node itself verified or signed before it stored it. @default true */
  readonly signatures?: boolean
}

/**
 * Checks a record's form, network and signature, and the certificate that a claim embeds.
 *
 * @throws WireError, or CreditError `BAD_RECORD`, `BAD_CERTIFICATE`
 */
export async function verifyRecord(
  envelope: Signed,
  network: Network,
  options: VerifyOptions = {}
): Promise<VerifiedRecord> {
  const record =
    options.signatures === false
      ? decodeStrict(envelope.payload, recordSchema, SIGNED_PAYLOAD_MAX)
      : await verifySigned(envelope, DOMAINS.record, recordSchema, ({ author }) => author)
  checkNetwork(record.net, network)
  checkPayloadSize(record.kind, envelope.payload.byteLength)
  const id = await cidOf(envelope.payload)
  const certificate =
    record.kind === 'claim' ? await verifyCertificate(record.body.certificate, network, options) : undefined
  return verifiedRecord(id, record, certificate)
}

/** @throws WireError */
export async function verifyStatement<K extends Statement['kind']>(
  envelope: Signed,
  kind: K,
  network: Network
): Promise<Extract<Statement, { kind: K }>> {
  const value = await verifySigned(envelope, DOMAINS.statement, statementSchema, ({ author }) => author)
  if (value.kind !== kind) {
    throw new WireError('MALFORMED', `Expected a ${kind}, got a ${value.kind}.`)
  }
  checkNetwork(value.net, network)
  return value as Extract<Statement, { kind: K }> // the line above compared the kind
}

/**
 * Checks a payment by itself: escrow and settle are one author's, the settle divides the escrow as its split
 * says, every vote is for this settle and from a peer that may vote, and the quorum is reached.
 *
 * @throws WireError or CreditError `BAD_CERTIFICATE`, `BAD_RECORD`
 */
export async function verifyCertificate(
  certificate: SettleCertificate,
  network: Network,
  options: VerifyOptions = {}
): Promise<VerifiedCertificate> {
  const [first, second] = await Promise.all([
    verifyRecord(certificate.escrow, network, options),
    verifyRecord(certificate.settle, network, options)
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
  const votes = await Promise.all(
    certificate.votes.map((vote) =>
      options.signatures === false ? decodeVote(vote) : verifyStatement(vote, 'vote', network)
    )
  )
  checkVotes(votes, second, certifiersOf(escrow.body))
  return { escrow, escrowId, settle, settleId, votes, ts: settle.ts }
}

function checkVotes(
  votes: readonly Vote[],
  { record, id }: VerifiedRecord,
  { members, quorum }: ReturnType<typeof certifiersOf>
): void {
  for (const vote of votes) {
    ensure(isVoteOn(vote, record, id), 'BAD_CERTIFICATE', 'A vote is for another record.')
    ensure(members.includes(vote.author), 'BAD_CERTIFICATE', 'A vote is from a peer that has none.')
  }
  const voters = new Set(votes.map(({ author }) => author)).size
  ensure(voters === votes.length, 'BAD_CERTIFICATE', 'A peer voted twice.')
  ensure(voters >= quorum, 'BAD_CERTIFICATE', `Only ${voters} of ${quorum} votes.`)
}

/** Whether a vote is for the record with this id. */
export function isVoteOn(vote: Vote, { author, seq }: LedgerRecord, id: CID): boolean {
  return vote.subject === author && vote.seq === seq && vote.record.equals(id)
}

function decodeVote({ payload }: Signed): Vote {
  const value = decodeStrict(payload, statementSchema, SIGNED_PAYLOAD_MAX)
  if (value.kind !== 'vote') {
    throw new WireError('MALFORMED', `Expected a vote, got a ${value.kind}.`)
  }
  return value
}

function checkNetwork(net: Uint8Array, network: Network): void {
  if (!equals(net, network.hash)) {
    throw new WireError(
      'WRONG_NETWORK',
      `This was signed for another network than ${network.parameters.name}.`
    )
  }
}
