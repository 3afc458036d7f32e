import { equals } from 'uint8arrays/equals'
import {
  cidOf,
  decodeStrict,
  type Milliseconds,
  type Network,
  type PeerIdString,
  record as recordSchema,
  SIGNED_PAYLOAD_MAX,
  type Signed
} from '../wire/index.ts'
import { ASK_MS, BRANCH_MAX, PLACES_KEPT } from './constants.ts'
import { openRecord } from './envelope.ts'
import { CreditError } from './errors.ts'
import type { OwnChain } from './own-chain.ts'
import type { LedgerTransport } from './transport.ts'

export interface BranchesInit {
  readonly chain: OwnChain
  readonly transport: Pick<LedgerTransport, 'call'>
  readonly network: Network
  readonly within: (ms: Milliseconds, signal?: AbortSignal) => AbortSignal
}

/**
 * The branch of this node's own chain that a peer keeps, from its first record on: none where what it keeps is this
 * chain, or goes on from its head.
 *
 * @param tail the newest that the peer keeps; where the branch begins before that, the rest is asked for
 * @returns records oldest first, at most some `BRANCH_MAX`; only the first is checked
 * @throws CreditError `RECOVERING` where the peer has a branch, and not all of it; WireError for what is no record; what
 * `transport` throws
 */
export async function branchOf(
  peer: PeerIdString,
  tail: readonly Signed[],
  init: BranchesInit
): Promise<readonly Signed[]> {
  let records = tail
  for (let step = PLACES_KEPT; records.length <= BRANCH_MAX; step *= 2) {
    const found = await branchIn(records, init)
    if (found !== 'earlier') {
      return found
    }
    const first = seqOf(records[0])
    const { seq: head } = await init.chain.latest()
    const earlier = await recordsOf(peer, Math.max(1, Math.min(first - step, head)), first, init)
    records = [...earlier, ...records]
  }
  throw new CreditError(
    'RECOVERING',
    `Of another branch of this chain at most ${BRANCH_MAX} records are read.`
  )
}

/** Of records that follow each other, those from the first on that differs from this chain, and follows it. */
async function branchIn(
  records: readonly Signed[],
  { chain, network }: BranchesInit
): Promise<readonly Signed[] | 'earlier'> {
  for (const [i, envelope] of records.entries()) {
    const { seq, prev } = decodeStrict(envelope.payload, recordSchema, SIGNED_PAYLOAD_MAX)
    if (seq === 0) {
      continue // without a place in common there is nothing to heal
    }
    const [before, own] = await chain.range(seq - 1, seq + 1)
    if (own !== undefined && equals(own.payload, envelope.payload)) {
      continue
    }
    const { record } = await openRecord(envelope, network)
    if (record.author !== chain.peer) {
      return []
    }
    if (before !== undefined && prev?.equals(await cidOf(before.payload)) === true) {
      return own === undefined ? [] : records.slice(i) // beyond this chain: `recoverHead` takes that up
    }
    return i === 0 && seq > 1 ? 'earlier' : []
  }
  return []
}

/** Own records that a peer keeps, from ≤ seq < to. @throws CreditError `RECOVERING` where it has not all of them */
async function recordsOf(
  peer: PeerIdString,
  from: number,
  to: number,
  { chain, transport, within }: BranchesInit
): Promise<Signed[]> {
  const records: Signed[] = []
  const next = () => from + records.length
  while (next() < to) {
    const question = { t: 'records' as const, author: chain.peer, after: next() - 1 }
    const answer = await transport.call(peer, question, within(ASK_MS))
    const before = next()
    for (const envelope of answer.t === 'records' ? answer.tail : []) {
      if (next() < to && seqOf(envelope) === next()) {
        records.push(envelope)
      }
    }
    if (next() === before) {
      throw new CreditError('RECOVERING', `It has not kept where that branch of this chain began: ${next()}.`)
    }
  }
  return records
}

const seqOf = (envelope: Signed | undefined) =>
  envelope === undefined ? 0 : decodeStrict(envelope.payload, recordSchema, SIGNED_PAYLOAD_MAX).seq
