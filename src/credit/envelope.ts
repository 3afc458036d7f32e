import type { CID } from 'multiformats/cid'
import { equals } from 'uint8arrays/equals'
import {
  checkSignature,
  cidHere,
  cidOf,
  DOMAINS,
  decodeStrict,
  type LedgerRecord,
  type Network,
  openSigned,
  record as recordSchema,
  SIGNED_PAYLOAD_MAX,
  type Signed,
  type Statement,
  statement as statementSchema,
  type VerifySignature,
  type Vote,
  verifySigned,
  WireError
} from '../wire/index.ts'
import { checkPayloadSize } from './bodies.ts'

/** Signatures, form and network of records and statements: all that can be said without looking inside. */

export interface VerifyOptions {
  /** False for what this node itself verified or signed before it stored it. @default true */
  readonly signatures?: boolean
  /** How they are checked: of many, beside this thread. @default WebCrypto, as this thread calls it */
  readonly verify?: VerifySignature | undefined
}

export interface OpenedRecord {
  readonly id: CID
  readonly record: LedgerRecord
}

/** @throws WireError, CreditError `BAD_RECORD` */
export async function openRecord(
  envelope: Signed,
  network: Network,
  options: VerifyOptions = {}
): Promise<OpenedRecord> {
  const { record, checking } = readRecord(envelope, network, options)
  await checking
  return { id: cidHere(envelope.payload) ?? (await cidOf(envelope.payload)), record }
}

/**
 * A record's form and network: for `verifyRecord`, since of a long tail each promise counts.
 *
 * @returns `checking`: rejects if the signature is wrong; undefined where it need not be checked. To be awaited at once
 * @throws WireError, CreditError `BAD_RECORD`
 */
export function readRecord(
  envelope: Signed,
  network: Network,
  { signatures = true, verify }: VerifyOptions
): { record: LedgerRecord; checking: Promise<void> | undefined } {
  const { value: record, message } = signatures
    ? openSigned(envelope, DOMAINS.record, recordSchema)
    : { value: decodeStrict(envelope.payload, recordSchema, SIGNED_PAYLOAD_MAX) }
  checkNetwork(record.net, network)
  checkPayloadSize(record.kind, envelope.payload.byteLength)
  return { record, checking: message && checkSignature(record.author, message, envelope.signature, verify) }
}

/** @throws WireError */
export async function verifyStatement<K extends Statement['kind']>(
  envelope: Signed,
  kind: K,
  network: Network,
  options: Pick<VerifyOptions, 'verify'> = {}
): Promise<Extract<Statement, { kind: K }>> {
  const value = await verifySigned(
    envelope,
    DOMAINS.statement,
    statementSchema,
    ({ author }) => author,
    options.verify
  )
  checkNetwork(value.net, network)
  return ofKind(value, kind)
}

/** A statement whose signature was checked before. @throws WireError */
export function decodeStatement<K extends Statement['kind']>(
  { payload }: Signed,
  kind: K
): Extract<Statement, { kind: K }> {
  return ofKind(decodeStrict(payload, statementSchema, SIGNED_PAYLOAD_MAX), kind)
}

/** @throws WireError */
export function statementsOf<K extends Statement['kind']>(
  envelopes: readonly Signed[],
  kind: K,
  network: Network,
  options: VerifyOptions = {}
): Promise<Array<Extract<Statement, { kind: K }>>> {
  return Promise.all(
    envelopes.map((envelope) =>
      options.signatures === false
        ? decodeStatement(envelope, kind)
        : verifyStatement(envelope, kind, network, options)
    )
  )
}

/** Whether a vote is for the record with this id. */
export function isVoteOn(vote: Vote, { author, seq }: LedgerRecord, id: CID): boolean {
  return vote.subject === author && vote.seq === seq && vote.record.equals(id)
}

function ofKind<K extends Statement['kind']>(value: Statement, kind: K): Extract<Statement, { kind: K }> {
  if (value.kind !== kind) {
    throw new WireError('MALFORMED', `Expected a ${kind}, got a ${value.kind}.`)
  }
  return value as Extract<Statement, { kind: K }> // the line above compared the kind
}

function checkNetwork(net: Uint8Array, network: Network): void {
  if (!equals(net, network.hash)) {
    throw new WireError(
      'WRONG_NETWORK',
      `This was signed for another network than ${network.parameters.name}.`
    )
  }
}
