import type { LedgerExport } from '../api.ts'
import { openExport, replayChain, type VerifiedRecord, verifyRecord } from '../credit/index.ts'
import {
  decodeLedgerFile,
  type MicroCredits,
  type Milliseconds,
  NETWORKS,
  type Network,
  networkOf,
  type PeerIdString,
  SwarmError,
  WireError
} from '../wire/index.ts'
import { breathe } from './breathe.ts'
import { SignatureWorker } from './signature-worker.ts'

/** One record of a node's own chain, as people read it. */
export interface LedgerRow {
  readonly seq: number
  /** CID text. */
  readonly id: string
  /** `genesis`, `escrow` and so on: docs/PROTOCOL.md has them all. */
  readonly kind: string
  readonly at: Milliseconds
  /** What the author could spend after it (µcr). */
  readonly balance: MicroCredits
  /** What it changed (µcr). */
  readonly change: MicroCredits
  /** Who votes on it, or has: of a seat its members, of a claim those whose votes it holds. */
  readonly witnesses: readonly PeerIdString[]
}

/** Some milliseconds' work. */
const ROWS_A_TASK = 256

/** Credit that is set aside for a job of this node. */
export interface EscrowRow {
  /** CID text of the escrow record. */
  readonly id: string
  readonly at: Milliseconds
  /** All that is locked (µcr). */
  readonly amount: MicroCredits
  readonly payees: ReadonlyArray<{ readonly peer: PeerIdString; readonly max: MicroCredits }>
  /** It is settled before, or can be from then on, whatever its payees do. */
  readonly frees: Milliseconds
}

/** What is wrong first, and where: `seq` is undefined for the chain as a whole. */
export interface LedgerFault {
  readonly seq: number | undefined
  readonly code: string
  readonly message: string
}

/**
 * Reads the form of a ledger file, of whomever it is; what its records say is not checked.
 *
 * @throws WireError `TOO_LARGE`, `MALFORMED`
 */
export function openLedgerFile(file: Uint8Array): LedgerExport {
  try {
    return decodeLedgerFile(file)
  } catch (cause) {
    if (cause instanceof WireError && cause.code === 'TOO_LARGE') {
      throw cause
    }
    throw new WireError(
      'MALFORMED',
      'This is no ledger file, or it is damaged: take the one that was saved.',
      {
        cause
      }
    )
  }
}

/**
 * The records of an export, oldest first. Checks their form, not their signatures: `checkLedger` does.
 *
 * @throws SwarmError for what is no ledger of a known network
 */
export async function readLedger(ledger: LedgerExport): Promise<LedgerRow[]> {
  const network = await networkNamed(ledger.network)
  const rows: LedgerRow[] = []
  for (const signed of ledger.records) {
    if (rows.length % ROWS_A_TASK === ROWS_A_TASK - 1) {
      await breathe()
    }
    const verified = await verifyRecord(signed, network, { signatures: false })
    const { record, id } = verified
    // an export that starts at a checkpoint does not say what that one changed: nothing
    const before = rows.at(-1)?.balance ?? (record.seq === 0 ? 0n : record.bal)
    rows.push({
      seq: record.seq,
      id: id.toString(),
      kind: record.kind,
      at: record.ts,
      balance: record.bal,
      change: record.bal - before,
      witnesses: witnessesOf(verified)
    })
  }
  return rows
}

/**
 * The escrows that are open at the end of an export, oldest first. Checks the chain's rules, not its signatures.
 *
 * @throws SwarmError for what is no ledger of a known network
 */
export async function readEscrows(ledger: LedgerExport): Promise<EscrowRow[]> {
  const network = await networkNamed(ledger.network)
  const start = await openExport(ledger, network)
  const state = await replayChain(start?.state, ledger.records, network, { signatures: false })
  return [...(state?.openEscrows ?? [])].map(([id, { body, ts }]) => ({
    id,
    at: ts,
    amount: body.amount,
    payees: body.payees.map(({ peer, max }) => ({ peer, max })),
    frees: body.tClose
  }))
}

/**
 * Checks an export from its first record: every signature, certificate, link, balance and split. Needs nobody else and
 * no network. What is missing at its end cannot be seen.
 *
 * @returns undefined: all of it holds
 */
export async function checkLedger(ledger: LedgerExport): Promise<LedgerFault | undefined> {
  let seq: number | undefined
  const signatures = new SignatureWorker()
  try {
    const network = await networkNamed(ledger.network)
    const start = await openExport(ledger, network)
    const first = (start?.state.seq ?? -1) + 1
    seq = first
    const state = await replayChain(start?.state, ledger.records, network, {
      verify: signatures.verify,
      held: (records) => {
        seq = first + records
      }
    })
    if (state?.author === ledger.peer) {
      return undefined
    }
    return { seq: undefined, code: 'BAD_RECORD', message: 'The records are not those of this node.' }
  } catch (error) {
    if (!(error instanceof SwarmError)) {
      throw error
    }
    return { seq, code: error.code, message: error.message }
  } finally {
    signatures.close()
  }
}

function witnessesOf(verified: VerifiedRecord): readonly PeerIdString[] {
  const { record } = verified
  switch (record.kind) {
    case 'seat':
      return record.body.members
    case 'escrow':
    case 'transfer':
    case 'heal':
      return record.body.witnesses
    case 'claim':
      return 'certificate' in verified ? verified.certificate.votes.map(({ author }) => author) : []
    default:
      return []
  }
}

export async function networkNamed(name: string): Promise<Network> {
  const parameters = Object.values(NETWORKS).find((known) => known.name === name)
  if (parameters === undefined) {
    throw new WireError('WRONG_NETWORK', `These records are of a network that is not known here: ${name}.`)
  }
  return networkOf(parameters)
}
