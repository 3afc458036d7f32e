import type { CID } from 'multiformats/cid'
import { equals } from 'uint8arrays/equals'
import { replaySplit, verifyRecord } from '../../credit/index.ts'
import {
  cidOf,
  decodeStrict,
  encode,
  type RecordOf,
  record as recordSchema,
  SIGNED_PAYLOAD_MAX,
  type Signed
} from '../../wire/index.ts'
import type { OpenedLedger } from './check.ts'

export interface Replay {
  readonly author: string
  readonly settle: RecordOf<'settle'>
  /** By payee index, if the escrow is in the file. */
  readonly payees: readonly string[] | undefined
  /** What the split comes to, reckoned here. */
  readonly payouts: readonly bigint[]
  /** The settle with these payouts has the bytes that its author signed. */
  readonly isSame: boolean
}

/**
 * Finds a settle in a ledger file, among the owner's records or in a certificate that it claimed, and reckons
 * its split again. The rest of the file is not checked.
 *
 * @returns undefined if the file does not have it
 * @throws WireError, CreditError
 */
export async function replaySettle(
  { network, envelopes }: OpenedLedger,
  id: CID
): Promise<Replay | undefined> {
  const envelope = await findRecord(envelopes, id)
  if (envelope === undefined) {
    return undefined
  }
  const { record: settle } = await verifyRecord(envelope, network)
  if (settle.kind !== 'settle') {
    return undefined
  }
  const payouts = replaySplit(settle.body)
  const again = encode({ ...settle, body: { ...settle.body, payouts } })
  const escrow = await findRecord(envelopes, settle.body.escrow)
  const opened = escrow && (await verifyRecord(escrow, network)).record
  return {
    author: settle.author,
    settle,
    payees: opened?.kind === 'escrow' ? opened.body.payees.map(({ peer }) => peer) : undefined,
    payouts,
    isSame: equals(again, envelope.payload)
  }
}

async function findRecord(envelopes: readonly Signed[], id: CID): Promise<Signed | undefined> {
  for (const envelope of envelopes) {
    const record = decodeStrict(envelope.payload, recordSchema, SIGNED_PAYLOAD_MAX)
    const certificate = record.kind === 'claim' ? record.body.certificate : undefined
    const parts = certificate?.kind === 'settle' ? [certificate.settle, certificate.escrow] : []
    for (const part of [envelope, ...parts]) {
      if ((await cidOf(part.payload)).equals(id)) {
        return part
      }
    }
  }
  return undefined
}
