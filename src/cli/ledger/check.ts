import type { CID } from 'multiformats/cid'
import { toString as textOf } from 'uint8arrays/to-string'
import {
  type ChainState,
  type OpenedStart,
  openExport,
  replayChain,
  type VerifiedRecord,
  verifyRecord
} from '../../credit/index.ts'
import {
  type ChainStart,
  decodeLedgerFile,
  type LedgerRecord,
  NETWORKS,
  type Network,
  networkOf,
  type PeerIdString,
  type Signed,
  SwarmError,
  WireError
} from '../../wire/index.ts'

/** What is wrong first. */
export interface Fault {
  /** Place of the record in its chain; null: the file as a whole. */
  readonly place: number | null
  readonly code: string
  readonly message: string
}

/** A ledger file as far as it holds: `records` are those before the fault. */
export interface CheckedLedger {
  readonly network: Network
  readonly peer: PeerIdString
  readonly records: readonly VerifiedRecord[]
  /** Of a file that is not whole: where its chain begins, and who vouches for that. */
  readonly start: OpenedStart | undefined
  /** After the last record; undefined if there is a fault. */
  readonly state: ChainState | undefined
  readonly fault: Fault | undefined
}

export interface OpenedLedger {
  readonly network: Network
  readonly peer: PeerIdString
  readonly start: ChainStart | undefined
  readonly envelopes: readonly Signed[]
}

/** @throws WireError for bytes that are no ledger file of a known network */
export async function openLedger(bytes: Uint8Array): Promise<OpenedLedger> {
  const { network: name, peer, start, records } = decodeLedgerFile(bytes)
  const parameters = Object.values(NETWORKS).find((known) => known.name === name)
  if (parameters === undefined) {
    const known = Object.keys(NETWORKS).join(', ')
    throw new WireError('WRONG_NETWORK', `The file is of the network ${name}; known are ${known}.`)
  }
  return { network: await networkOf(parameters), peer, start, envelopes: records }
}

/**
 * Checks a chain from its first record: every signature, certificate, link, balance, escrow and split. Needs
 * nobody else and no network. An export that ends early is still sound: what is missing cannot be seen. What is before
 * the checkpoint of one that starts there, its witnesses vouch for.
 */
export async function checkLedger(ledger: OpenedLedger): Promise<CheckedLedger> {
  const { network, peer, envelopes } = ledger
  let start: OpenedStart | undefined
  let state: ChainState | undefined
  let fault: Fault | undefined
  let held = 0
  let isOpen = false
  try {
    start = await openExport({ start: ledger.start, records: envelopes }, network)
    isOpen = true
    state = await replayChain(start?.state, envelopes, network, {
      held: (records) => {
        held = records
      }
    })
    if (state?.author !== peer) {
      fault = { place: null, code: 'BAD_RECORD', message: `The records are not those of ${peer}.` }
    }
  } catch (error) {
    fault = faultOf(error, isOpen ? (start?.state.seq ?? -1) + 1 + held : null)
  }
  const records: VerifiedRecord[] = []
  for (const envelope of envelopes.slice(0, held)) {
    records.push(await verifyRecord(envelope, network, { signatures: false })) // they were checked above
  }
  return {
    network,
    peer,
    start,
    records,
    state: fault ? undefined : state,
    fault: fault ?? findFork([records])
  }
}

/** @throws what is no error of the ledger's own */
export function faultOf(error: unknown, place: number | null): Fault {
  if (error instanceof SwarmError) {
    return { place, code: error.code, message: error.message }
  }
  throw error
}

/**
 * Two different records for one place of one chain, or a witness's votes for two, in the chains themselves or in the
 * certificates claimed. A record also says which one is before it.
 */
export function findFork(chains: ReadonlyArray<readonly VerifiedRecord[]>): Fault | undefined {
  const known = new Map<string, string>()
  for (const chain of chains) {
    for (const verified of chain) {
      const place = verified.record.seq
      for (const { author, of, seq, id } of statedIn(verified)) {
        const key = `${textOf(verified.record.net, 'hex')}/${author}/${of ?? ''}/${seq}`
        const text = id.toString()
        if ((known.get(key) ?? text) !== text) {
          const what =
            of === undefined ? `signed two records for place ${seq}` : `voted twice at place ${seq} of ${of}`
          return { place, code: 'FORK', message: `${author} ${what}: ${known.get(key)} and ${text}.` }
        }
        known.set(key, text)
      }
    }
  }
  return undefined
}

/** That an author has put a record at a place of its chain, or a witness has voted for it in the chain `of` another. */
interface Stated {
  readonly author: string
  readonly of?: string
  readonly seq: number
  readonly id: CID
}

function statedIn(verified: VerifiedRecord): Stated[] {
  const own = placesIn(verified.record, verified.id)
  if (!('certificate' in verified)) {
    return own
  }
  const { certificate } = verified
  const votes = (certificate.kind === 'payout' ? [] : certificate.votes).map(
    ({ author, subject: of, seq, record: id }): Stated => ({ author, of, seq, id })
  )
  switch (certificate.kind) {
    case 'settle':
      return [
        ...own,
        ...placesIn(certificate.escrow, certificate.escrowId),
        ...placesIn(certificate.settle, certificate.settleId),
        ...votes
      ]
    case 'payout':
      return [...own, ...placesIn(certificate.escrow, certificate.escrowId)]
    case 'transfer':
      return [...own, ...placesIn(certificate.transfer, certificate.base), ...votes]
  }
}

const placesIn = ({ author, seq, prev }: LedgerRecord, id: CID): Stated[] => [
  { author, seq, id },
  ...(prev === null ? [] : [{ author, seq: seq - 1, id: prev }])
]
