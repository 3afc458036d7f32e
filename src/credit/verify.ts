import type { CID } from 'multiformats/cid'
import {
  cidHere,
  cidOf,
  type LedgerRecord,
  type Network,
  type RecordOf,
  type Reseat,
  type Signed,
  sha256
} from '../wire/index.ts'
import { type VerifiedCertificate, verifyCertificate } from './certificate.ts'
import {
  decodeStatement,
  type OpenedRecord,
  openRecord,
  readRecord,
  statementsOf,
  type VerifyOptions
} from './envelope.ts'
import { ensure } from './errors.ts'
import { nextTask } from './next-task.ts'

/** Signatures and everything that a record says of itself. No state, no I/O but WebCrypto. */

/** A record with what it embeds. */
export type VerifiedRecord =
  | {
      readonly id: CID
      readonly record: Exclude<LedgerRecord, RecordOf<'claim' | 'seat' | 'heal' | 'opened'>>
    }
  | { readonly id: CID; readonly record: RecordOf<'claim'>; readonly certificate: VerifiedCertificate }
  | { readonly id: CID; readonly record: RecordOf<'seat'>; readonly votes: readonly Reseat[] }
  | {
      readonly id: CID
      readonly record: RecordOf<'opened'>
      /** SHA-256 of the token. */
      readonly shown: Uint8Array
    }
  | { readonly id: CID; readonly record: RecordOf<'heal'>; readonly branch: readonly VerifiedRecord[] }

/** What a claim or a heal embeds, verified; of an `opened` the SHA-256 of its token. */
export type Embedded = VerifiedCertificate | readonly VerifiedRecord[] | Uint8Array

const isBranch = (embedded: Embedded | undefined): embedded is readonly VerifiedRecord[] =>
  Array.isArray(embedded)

/**
 * A record whose signatures were checked, or are this node's own.
 *
 * @throws CreditError `BAD_CERTIFICATE` for a claim without one
 */
export function verifiedRecord(
  id: CID,
  record: LedgerRecord,
  embedded: Embedded | undefined
): VerifiedRecord {
  if (record.kind === 'seat') {
    return { id, record, votes: record.body.votes.map((vote) => decodeStatement(vote, 'reseat')) }
  }
  if (record.kind === 'heal') {
    ensure(isBranch(embedded), 'BAD_RECORD', 'A heal needs its verified branch.')
    return { id, record, branch: embedded }
  }
  if (record.kind === 'opened') {
    ensure(embedded instanceof Uint8Array, 'BAD_RECORD', 'An opened needs the hash of its token.')
    return { id, record, shown: embedded }
  }
  if (record.kind !== 'claim') {
    return { id, record }
  }
  ensure(
    embedded !== undefined && 'payouts' in embedded,
    'BAD_CERTIFICATE',
    'A claim needs its verified certificate.'
  )
  return { id, record, certificate: embedded }
}

/**
 * Checks a record's form, network and signature, the certificate that a claim embeds and the votes in a seat.
 *
 * @throws WireError, or CreditError `BAD_RECORD`, `BAD_CERTIFICATE`
 */
export async function verifyRecord(
  envelope: Signed,
  network: Network,
  options: VerifyOptions = {}
): Promise<VerifiedRecord> {
  const { record, checking } = readRecord(envelope, network, options)
  await checking
  const id = cidHere(envelope.payload) ?? (await cidOf(envelope.payload))
  switch (record.kind) {
    case 'claim':
      return { id, record, certificate: await verifyCertificate(record.body.certificate, network, options) }
    case 'seat': {
      const { votes } = record.body
      return {
        id,
        record,
        votes: votes.length === 0 ? [] : await statementsOf(votes, 'reseat', network, options)
      }
    }
    case 'opened':
      return { id, record, shown: await sha256(record.body.token) }
    case 'heal': {
      const branch: VerifiedRecord[] = []
      for (const lost of record.body.branch) {
        branch.push(await verifyRecord(lost, network, options))
      }
      return { id, record, branch }
    }
    default:
      return { id, record }
  }
}

/** A record as it came, and the promise of what it is. */
export interface Verifying<T = VerifiedRecord> {
  readonly envelope: Signed
  readonly verifying: Promise<T>
}

/**
 * Many records, some at a time and in order: while one half is looked at, the signatures of the other are checked, where
 * that is done beside this thread: by WebCrypto's own ones, or by `verify`, which is asked only where there is more than
 * one half. Chromium's WebCrypto has none, and answers before anything else can happen: so events are let in after some
 * halves. Whoever awaits the records one after the other meets the error of the first that is wrong.
 */
export function verifyRecords(
  envelopes: Iterable<Signed>,
  network: Network,
  options: VerifyOptions = {}
): Generator<Verifying> {
  return inTurn(envelopes, options, (envelope, how) => verifyRecord(envelope, network, how))
}

/** The same of the records alone, whatever they embed. */
export function openRecords(
  envelopes: Iterable<Signed>,
  network: Network,
  options: VerifyOptions = {}
): Generator<Verifying<OpenedRecord>> {
  return inTurn(envelopes, options, (envelope, how) => openRecord(envelope, network, how))
}

type Check<T> = (envelope: Signed, options: VerifyOptions) => Promise<T>

/** Half of what is under way at once: more is of no use, and lost behind a record that is wrong. */
const HALF = 64
/** Some 10 ms of a desktop's time: a slow phone is heard within 50 ms, too. */
const HALVES_A_TASK = 2

function* inTurn<T>(
  envelopes: Iterable<Signed>,
  options: VerifyOptions,
  check: Check<T>
): Generator<Verifying<T>> {
  const all = [...envelopes]
  const how = all.length > HALF ? options : { ...options, verify: undefined }
  const begin = (from: number) =>
    all.slice(from, from + HALF).map((envelope) => begun(envelope, check(envelope, how)))
  let ahead = begin(0)
  for (let halves = 1; ahead.length > 0; halves++) {
    const now = ahead
    ahead = begin(halves * HALF)
    yield* now
    const [next, ...rest] = ahead
    if (next && halves % HALVES_A_TASK === 0) {
      ahead = [later(next), ...rest]
    }
  }
}

function begun<T>(envelope: Signed, verifying: Promise<T>): Verifying<T> {
  verifying.catch(() => {}) // awaited in its turn, unless one before it is wrong
  return { envelope, verifying }
}

const later = <T>({ envelope, verifying }: Verifying<T>): Verifying<T> => ({
  envelope,
  verifying: nextTask().then(() => verifying)
})
