import type { CID } from 'multiformats/cid'
import {
  type LedgerRecord,
  type Network,
  type RecordOf,
  type Reseat,
  type Signed,
  sha256
} from '../wire/index.ts'
import { type VerifiedCertificate, verifyCertificate } from './certificate.ts'
import { decodeStatement, openRecord, statementsOf, type VerifyOptions } from './envelope.ts'
import { ensure } from './errors.ts'

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
  const { id, record } = await openRecord(envelope, network, options)
  switch (record.kind) {
    case 'claim':
      return { id, record, certificate: await verifyCertificate(record.body.certificate, network, options) }
    case 'seat':
      return { id, record, votes: await statementsOf(record.body.votes, 'reseat', network, options) }
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

/** Many of them, in order: the error of the first that is wrong comes in its place. */
export async function* verifyRecords(
  envelopes: Iterable<Signed>,
  network: Network,
  options: VerifyOptions = {}
): AsyncGenerator<VerifiedRecord> {
  const { together = TOGETHER } = options
  const underWay: Array<Promise<VerifiedRecord>> = []
  for (const envelope of envelopes) {
    const verifying = verifyRecord(envelope, network, options)
    verifying.catch(() => {}) // awaited in its turn
    underWay.push(verifying)
    // by halves: who checks signatures has always the other half to do, and is not woken for each
    const left = underWay.length >= together ? together >> 1 : together
    while (underWay.length > left) {
      yield* next(underWay)
    }
  }
  while (underWay.length > 0) {
    yield* next(underWay)
  }
}

async function* next(underWay: Array<Promise<VerifiedRecord>>): AsyncGenerator<VerifiedRecord> {
  const first = underWay.shift()
  if (first) {
    yield await first
  }
}

const TOGETHER = 64
