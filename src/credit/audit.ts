import type { CID } from 'multiformats/cid'
import { equals } from 'uint8arrays/equals'
import {
  decodeStrict,
  encode,
  type LedgerRecord,
  type MicroCredits,
  type Milliseconds,
  type Network,
  type NetworkParameters,
  type PeerIdString,
  type RecordOf,
  record as recordSchema,
  SIGNED_PAYLOAD_MAX
} from '../wire/index.ts'
import { sum } from './bodies.ts'
import { replayChain } from './chain.ts'
import { drain, idleHours } from './drain.ts'
import { decodeStatement } from './envelope.ts'
import { ensure } from './errors.ts'
import { claimKey } from './state.ts'
import type { LedgerExport } from './types.ts'
import { verifyRecord } from './verify.ts'

export interface AuditedRecord {
  readonly id: CID
  readonly record: LedgerRecord
}

/** Where all credit is, in µcr (credit.md, invariants). */
export interface Audit {
  readonly minted: MicroCredits
  readonly balances: MicroCredits
  readonly openEscrows: MicroCredits
  /** Payouts of settles, and transfers, that their payees can still claim. */
  readonly certifiedUnclaimed: MicroCredits
  /** Drained while idle. */
  readonly burned: MicroCredits
  /** Payouts that were not claimed in time. */
  readonly forfeited: MicroCredits
  /** Claims without a settle behind them in the audited chains: only a fork, or a chain left out, makes any. */
  readonly debt: MicroCredits
  /** minted = balances + openEscrows + certifiedUnclaimed + burned + forfeited − debt, and there is no debt. */
  readonly balanced: boolean
}

/** What a claim takes: by the settle or transfer `proof`, or without one by the witnesses, from `escrow`. */
interface Claimed {
  readonly key: string
  readonly amount: MicroCredits
  readonly proof?: Uint8Array
  readonly escrow?: string
}

/** The part of the audit that a chain shows by itself. */
interface Tally {
  minted: MicroCredits
  balances: MicroCredits
  burned: MicroCredits
  readonly open: Map<string, MicroCredits>
  /** By claim key. */
  readonly due: Map<
    string,
    { amount: MicroCredits; until: Milliseconds; payee: PeerIdString; proof: Uint8Array }
  >
  readonly claims: Claimed[]
  readonly lastSeen: Map<PeerIdString, Milliseconds>
}

/**
 * Adds up all records of all chains. It trusts their form and signatures (`auditExports` checks those), not
 * their arithmetic: every drain, payout and claim is reckoned again.
 *
 * @param chains one a peer, each whole and oldest first
 * @param now until when unclaimed payouts could be claimed. @default what each payee's own chain shows
 */
export function audit(
  chains: ReadonlyArray<readonly AuditedRecord[]>,
  network: NetworkParameters,
  now?: Milliseconds
): Audit {
  const tally: Tally = {
    minted: 0n,
    balances: 0n,
    burned: 0n,
    open: new Map(),
    due: new Map(),
    claims: [],
    lastSeen: new Map()
  }
  for (const chain of chains) {
    addChain(tally, chain, network)
  }
  const { debt, lost } = redeemClaims(tally)
  let certifiedUnclaimed = 0n
  let forfeited = lost
  for (const { amount, until, payee } of tally.due.values()) {
    const isOver = Math.max(now ?? 0, tally.lastSeen.get(payee) ?? 0) > until
    certifiedUnclaimed += isOver ? 0n : amount
    forfeited += isOver ? amount : 0n
  }
  const { minted, balances, burned } = tally
  const openEscrows = sum([...tally.open.values()])
  const accounted = balances + openEscrows + certifiedUnclaimed + burned + forfeited - debt
  return {
    minted,
    balances,
    openEscrows,
    certifiedUnclaimed,
    burned,
    forfeited,
    debt,
    balanced: minted === accounted && debt === 0n
  }
}

/**
 * Verifies exported ledgers from their first record and audits them together.
 *
 * @throws WireError or CreditError for the first fault in the order given
 */
export async function auditExports(
  ledgers: readonly LedgerExport[],
  network: Network,
  now?: Milliseconds
): Promise<Audit> {
  const chains: AuditedRecord[][] = []
  for (const { peer, records } of ledgers) {
    const state = await replayChain(undefined, records, network)
    ensure(state?.author === peer, 'BAD_RECORD', `The records are not those of ${peer}.`)
    chains.push(
      await Promise.all(records.map((record) => verifyRecord(record, network, { signatures: false })))
    )
  }
  return audit(chains, network.parameters, now)
}

function addChain(tally: Tally, chain: readonly AuditedRecord[], network: NetworkParameters): void {
  const escrows = new Map<string, { record: RecordOf<'escrow'>; hours: number }>()
  let previous: LedgerRecord | undefined
  let hours = 0
  for (const { id, record } of chain) {
    if (previous) {
      const applied =
        idleHours(previous.idleSince, record.ts, network) -
        idleHours(previous.idleSince, previous.ts, network)
      hours += applied
      tally.burned += previous.bal - drain(previous.bal, applied, network)
    }
    switch (record.kind) {
      case 'genesis':
        tally.minted += network.genesisGrant
        break
      case 'escrow':
        escrows.set(id.toString(), { record, hours })
        tally.open.set(id.toString(), record.body.amount)
        break
      case 'settle': {
        const escrow = escrows.get(record.body.escrow.toString())
        if (escrow) {
          tally.burned += record.body.refund - drain(record.body.refund, hours - escrow.hours, network)
          addPayouts(tally, record, escrow.record, network)
        }
        break
      }
      case 'transfer':
        tally.due.set(transferKey(record), {
          amount: record.body.amount,
          until: record.ts + network.claimWindowMs,
          payee: record.body.to,
          proof: encode(record)
        })
        break
      case 'claim':
        tally.claims.push(claimOf(record))
    }
    previous = record
  }
  if (previous) {
    tally.balances += previous.bal
    tally.lastSeen.set(previous.author, previous.ts)
  }
}

function addPayouts(
  tally: Tally,
  settle: RecordOf<'settle'>,
  escrow: RecordOf<'escrow'>,
  network: NetworkParameters
): void {
  const { escrow: id, payouts } = settle.body
  tally.open.delete(id.toString())
  for (const [index, { peer }] of escrow.body.payees.entries()) {
    tally.due.set(claimKey(id, index), {
      amount: payouts[index] ?? 0n,
      until: settle.ts + network.claimWindowMs,
      payee: peer,
      proof: encode(settle)
    })
  }
}

/** Here a transfer is known by its place: its id is not among what a claim states. */
const transferKey = ({ author, seq }: LedgerRecord) => `${author}/${seq}`

function claimOf({ body }: RecordOf<'claim'>): Claimed {
  const { certificate, index } = body
  if (certificate.kind === 'payout') {
    const { escrow, amount } = decodeStatement(certificate.receipt, 'receipt')
    return { key: claimKey(escrow, index), amount, escrow: escrow.toString() }
  }
  const proof = certificate.kind === 'settle' ? certificate.settle.payload : certificate.transfer.payload
  const record = decodeStrict(proof, recordSchema, SIGNED_PAYLOAD_MAX)
  switch (record.kind) {
    case 'settle':
      return { key: claimKey(record.body.escrow, index), amount: record.body.payouts[index] ?? 0n, proof }
    case 'transfer':
      return { key: transferKey(record), amount: record.body.amount, proof }
    default:
      return { key: '', amount: 0n, proof }
  }
}

/**
 * Sets each claim against the payout that it takes. A payout by the witnesses comes out of an escrow that is open
 * still, or out of its settle, which may pay more: then the difference is lost.
 *
 * @returns claims with nothing behind them, and what is lost
 */
function redeemClaims({ claims, due, open }: Tally): { debt: MicroCredits; lost: MicroCredits } {
  let debt = 0n
  let lost = 0n
  for (const { key, amount, proof, escrow } of claims) {
    const payment = due.get(key)
    const locked = escrow === undefined ? undefined : open.get(escrow)
    if (payment && (proof === undefined || equals(payment.proof, proof))) {
      due.delete(key)
      debt += amount > payment.amount ? amount - payment.amount : 0n
      lost += amount < payment.amount ? payment.amount - amount : 0n
    } else if (escrow !== undefined && locked !== undefined && locked >= amount) {
      open.set(escrow, locked - amount)
    } else {
      debt += amount
    }
  }
  return { debt, lost }
}
