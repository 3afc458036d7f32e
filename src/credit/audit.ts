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
import { overAt } from './certificate.ts'
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
  /** Of a heal: the records that it joins. */
  readonly branch?: readonly AuditedRecord[]
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
  /**
   * Claims without a settle behind them in the audited chains, and what healed branches have spent beyond their
   * author's balance: only a fork, or a chain left out, makes any.
   */
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
  /** The last moment at which it could be claimed. */
  readonly until: Milliseconds
}

/** A payment by the settle or transfer `proof`: of a forked author there may be two for one key. */
interface Due {
  readonly amount: MicroCredits
  readonly until: Milliseconds
  readonly payee: PeerIdString
  readonly proof: Uint8Array
}

/** The part of the audit that a chain shows by itself. */
interface Tally {
  minted: MicroCredits
  balances: MicroCredits
  burned: MicroCredits
  debt: MicroCredits
  readonly open: Map<string, MicroCredits>
  /** By claim key. */
  readonly due: Map<string, Due[]>
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
    debt: 0n,
    open: new Map(),
    due: new Map(),
    claims: [],
    lastSeen: new Map()
  }
  for (const chain of chains) {
    addChain(tally, chain, network)
  }
  const { unbacked, lost } = redeemClaims(tally)
  const debt = tally.debt + unbacked
  let certifiedUnclaimed = 0n
  let forfeited = lost
  for (const { amount, until, payee } of [...tally.due.values()].flat()) {
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
 * Verifies exported ledgers from their first record and audits them together. Only whole ones can be: what an author had
 * at a checkpoint came from nowhere, as far as the rest shows.
 *
 * @throws WireError or CreditError for the first fault in the order given
 */
export async function auditExports(
  ledgers: readonly LedgerExport[],
  network: Network,
  now?: Milliseconds
): Promise<Audit> {
  const chains: AuditedRecord[][] = []
  for (const { peer, start, records } of ledgers) {
    ensure(
      start === undefined,
      'BAD_RECORD',
      `The ledger of ${peer} starts at a checkpoint: audit whole ones.`
    )
    const state = await replayChain(undefined, records, network)
    ensure(state?.author === peer, 'BAD_RECORD', `The records are not those of ${peer}.`)
    chains.push(
      await Promise.all(records.map((record) => verifyRecord(record, network, { signatures: false })))
    )
  }
  return audit(chains, network.parameters, now)
}

/** What is known of a chain on the way along it. */
interface Walk {
  readonly escrows: Map<string, { record: RecordOf<'escrow'>; hours: number }>
  readonly claimed: Set<string>
  /** Idle hours applied so far. */
  hours: number
}

function addChain(tally: Tally, chain: readonly AuditedRecord[], network: NetworkParameters): void {
  const walk: Walk = { escrows: new Map(), claimed: new Set(), hours: 0 }
  let previous: LedgerRecord | undefined
  let debt = 0n
  for (const { id, record, branch = [] } of chain) {
    let left = 0n
    if (previous) {
      const applied =
        idleHours(previous.idleSince, record.ts, network) -
        idleHours(previous.idleSince, previous.ts, network)
      walk.hours += applied
      left = drain(previous.bal, applied, network)
      tally.burned += previous.bal - left
    }
    const changes = [{ id, record }, ...branch].map((each) => addRecord(tally, walk, each, record, network))
    // what a heal leaves below 0 is owed, until it is earned
    const after = left + sum(changes) - debt
    debt = after < 0n ? -after : 0n
    previous = record
  }
  if (previous) {
    tally.balances += previous.bal
    tally.debt += debt
    tally.lastSeen.set(previous.author, previous.ts)
  }
}

/**
 * @param at the chain's own record: `record` itself, or the heal that joins it
 * @returns what it adds to its author's balance
 */
function addRecord(
  tally: Tally,
  { escrows, claimed, hours }: Walk,
  { id, record }: AuditedRecord,
  at: LedgerRecord,
  network: NetworkParameters
): MicroCredits {
  switch (record.kind) {
    case 'genesis':
      tally.minted += network.genesisGrant
      return network.genesisGrant
    case 'escrow':
      escrows.set(id.toString(), { record, hours })
      tally.open.set(id.toString(), record.body.amount)
      return -record.body.amount
    case 'settle': {
      const key = record.body.escrow.toString()
      const escrow = escrows.get(key)
      if (escrow === undefined) {
        return 0n
      }
      addPayouts(tally, record, escrow.record)
      if (!tally.open.delete(key)) {
        return -sum(record.body.payouts)
      }
      const refund = drain(record.body.refund, hours - escrow.hours, network)
      tally.burned += record.body.refund - refund
      return refund
    }
    case 'transfer':
      addDue(tally, transferKey(record), {
        amount: record.body.amount,
        until: record.ts + network.claimWindowMs,
        payee: record.body.to,
        proof: encode(record)
      })
      return -record.body.amount
    case 'claim': {
      const claim = claimOf(record, network)
      if (record !== at && (claimed.has(claim.key) || claim.until < at.ts)) {
        return 0n
      }
      claimed.add(claim.key)
      tally.claims.push(claim)
      return claim.amount
    }
    default:
      return 0n
  }
}

function addDue({ due }: Tally, key: string, payment: Due): void {
  due.set(key, [...(due.get(key) ?? []), payment])
}

function addPayouts(tally: Tally, settle: RecordOf<'settle'>, escrow: RecordOf<'escrow'>): void {
  const { escrow: id, payouts } = settle.body
  for (const [index, { peer }] of escrow.body.payees.entries()) {
    addDue(tally, claimKey(id, index), {
      amount: payouts[index] ?? 0n,
      until: overAt(escrow.body.tClose),
      payee: peer,
      proof: encode(settle)
    })
  }
}

/** Here a transfer is known by its place: its id is not among what a claim states. */
const transferKey = ({ author, seq }: LedgerRecord) => `${author}/${seq}`

function claimOf({ body }: RecordOf<'claim'>, network: NetworkParameters): Claimed {
  const { certificate, index } = body
  if (certificate.kind === 'transfer') {
    const proof = certificate.transfer.payload
    const given = readRecord(proof)
    const amount = given.kind === 'transfer' ? given.body.amount : 0n
    return { key: transferKey(given), amount, proof, until: given.ts + network.claimWindowMs }
  }
  const opened = readRecord(certificate.escrow.payload)
  const until = opened.kind === 'escrow' ? overAt(opened.body.tClose) : 0
  if (certificate.kind === 'payout') {
    const { escrow, amount } = decodeStatement(certificate.receipt, 'receipt')
    return { key: claimKey(escrow, index), amount, escrow: escrow.toString(), until }
  }
  const proof = certificate.settle.payload
  const settle = readRecord(proof)
  return settle.kind === 'settle'
    ? { key: claimKey(settle.body.escrow, index), amount: settle.body.payouts[index] ?? 0n, proof, until }
    : { key: '', amount: 0n, proof, until }
}

const readRecord = (payload: Uint8Array) => decodeStrict(payload, recordSchema, SIGNED_PAYLOAD_MAX)

/**
 * Sets each claim against the payout that it takes. A payout by the witnesses comes out of an escrow that is open
 * still, or out of its settle, which may pay more: then the difference is lost.
 *
 * @returns claims with nothing behind them, and what is lost
 */
function redeemClaims({ claims, due, open }: Tally): { unbacked: MicroCredits; lost: MicroCredits } {
  let unbacked = 0n
  let lost = 0n
  for (const { key, amount, proof, escrow } of claims) {
    const payments = due.get(key) ?? []
    const payment = payments.find((each) => proof === undefined || equals(each.proof, proof))
    const locked = escrow === undefined ? undefined : open.get(escrow)
    if (payment) {
      due.set(
        key,
        payments.filter((each) => each !== payment)
      )
      unbacked += amount > payment.amount ? amount - payment.amount : 0n
      lost += amount < payment.amount ? payment.amount - amount : 0n
    } else if (escrow !== undefined && locked !== undefined && locked >= amount) {
      open.set(escrow, locked - amount)
    } else {
      unbacked += amount
    }
  }
  return { unbacked, lost }
}
