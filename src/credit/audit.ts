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
  /** Payouts of settles that their payees can still claim. */
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

/** The part of the audit that a chain shows by itself. */
interface Tally {
  minted: MicroCredits
  balances: MicroCredits
  burned: MicroCredits
  readonly open: Map<string, MicroCredits>
  /** By claim key. */
  readonly due: Map<
    string,
    { amount: MicroCredits; until: Milliseconds; payee: PeerIdString; settle: Uint8Array }
  >
  readonly claims: Array<{ key: string; amount: MicroCredits; settle: Uint8Array }>
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
  const debt = redeemClaims(tally)
  let certifiedUnclaimed = 0n
  let forfeited = 0n
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
      settle: encode(settle)
    })
  }
}

function claimOf({ body }: RecordOf<'claim'>): Tally['claims'][number] {
  const settle = body.certificate.settle.payload
  const record = decodeStrict(settle, recordSchema, SIGNED_PAYLOAD_MAX)
  if (record.kind !== 'settle') {
    return { key: '', amount: 0n, settle }
  }
  return {
    key: claimKey(record.body.escrow, body.index),
    amount: record.body.payouts[body.index] ?? 0n,
    settle
  }
}

/** Sets each claim against the payout that it takes. Returns what has none. */
function redeemClaims(tally: Tally): MicroCredits {
  let debt = 0n
  for (const { key, amount, settle } of tally.claims) {
    const due = tally.due.get(key)
    if (due && equals(due.settle, settle)) {
      tally.due.delete(key)
    } else {
      debt += amount
    }
  }
  return debt
}
