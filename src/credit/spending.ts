import type { PrivateKey } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import * as z from 'zod/mini'
import type { Store } from '../store/index.ts'
import {
  DOMAINS,
  decode,
  type EscrowBody,
  encode,
  type MicroCredits,
  type Milliseconds,
  microCredits,
  type Network,
  type PeerIdString,
  peerId,
  type Receipt,
  type Signed,
  sign
} from '../wire/index.ts'
import { indexOfPayee } from './bodies.ts'
import { ensure } from './errors.ts'

const schema = z.strictObject({ payee: peerId, amount: microCredits, pairTotal: microCredits })
const totals = z.record(z.string(), microCredits)

const PREFIX = 'paid/'
const TOTALS = 'pair-totals'
const ROW_MAX = 1024

/** The receipts that this node has given on its open escrows, and what it ever receipted to each peer. */
export class Spending {
  /** Highest receipt by payee index, by escrow CID text. */
  private readonly given = new Map<string, MicroCredits[]>()
  private readonly pairTotals = new Map<string, MicroCredits>()
  private readonly closed = new Set<string>()
  /** Keys of rows whose escrow is settled, or is about to be. */
  private readonly settled = new Set<string>()
  private readonly store: Store
  private readonly key: PrivateKey
  private readonly network: Network
  private readonly self: PeerIdString

  constructor(init: { store: Store; key: PrivateKey; network: Network; self: PeerIdString }) {
    this.store = init.store
    this.key = init.key
    this.network = init.network
    this.self = init.self
  }

  /** Reads what was receipted; what belongs to settled escrows is folded into the totals. */
  async load(openEscrows: ReadonlyMap<string, { body: EscrowBody }>): Promise<void> {
    const meta = await this.store.table('meta').get(TOTALS)
    for (const [peer, total] of Object.entries(meta ? decode(meta, totals, Number.POSITIVE_INFINITY) : {})) {
      this.raiseTotal(peer, total)
    }
    for (const [key, value] of await this.store.table('contracts').entries()) {
      if (!key.startsWith(PREFIX)) {
        continue
      }
      const { payee, amount, pairTotal } = decode(value, schema, ROW_MAX)
      this.raiseTotal(payee, pairTotal)
      const [, escrow = '', index = ''] = key.split('/')
      const open = openEscrows.get(escrow)
      if (open) {
        this.amountsOf(escrow, open.body)[Number(index)] = amount
      } else {
        this.settled.add(key)
      }
    }
    await this.fold(openEscrows)
  }

  /** What belongs to settled escrows is folded into the totals. */
  async fold(openEscrows: ReadonlyMap<string, unknown>): Promise<void> {
    const over = [...this.settled].filter((key) => !openEscrows.has(key.split('/')[1] ?? ''))
    if (over.length === 0) {
      return
    }
    await this.store.table('meta').put(TOTALS, encode(Object.fromEntries(this.pairTotals)))
    for (const key of over) {
      this.settled.delete(key)
      await this.store.table('contracts').delete(key)
    }
  }

  /**
   * Signs and stores a cumulative receipt. The same amount again gives the receipt again.
   *
   * @throws CreditError `BAD_RECEIPT`
   */
  async give(
    escrow: CID,
    body: EscrowBody,
    payee: PeerIdString,
    amount: MicroCredits,
    ts: Milliseconds
  ): Promise<Signed> {
    const text = escrow.toString()
    const index = indexOfPayee(body, payee)
    const max = body.payees[index]?.max ?? 0n
    const amounts = this.amountsOf(text, body)
    const before = amounts[index] ?? 0n
    ensure(index >= 0, 'BAD_RECEIPT', 'The escrow has no channel for that peer.')
    ensure(!this.closed.has(text), 'BAD_RECEIPT', 'The escrow is being settled: no more receipts.')
    ensure(amount >= before, 'BAD_RECEIPT', `Receipts only rise: ${before} µcr were receipted.`)
    ensure(amount <= max, 'BAD_RECEIPT', `The channel holds ${max} µcr, not ${amount}.`)
    // counted before the first await, so that receipts given at the same time add up
    amounts[index] = amount
    const pairTotal = (this.pairTotals.get(payee) ?? 0n) + amount - before
    this.pairTotals.set(payee, pairTotal)
    const receipt: Receipt = {
      v: 1,
      net: this.network.hash,
      author: this.self,
      ts,
      kind: 'receipt',
      escrow,
      payee,
      amount,
      pairTotal
    }
    const [signed] = await Promise.all([
      sign(this.key, DOMAINS.statement, receipt),
      this.store.table('contracts').put(`${PREFIX}${text}/${index}`, encode({ payee, amount, pairTotal }))
    ])
    return signed
  }

  /** What was receipted on an escrow, by payee index. */
  amountsOf(escrow: CID | string, body: EscrowBody): MicroCredits[] {
    const text = escrow.toString()
    const known = this.given.get(text)
    if (known) {
      return known
    }
    const amounts = body.payees.map(() => 0n)
    this.given.set(text, amounts)
    return amounts
  }

  /** From now on no receipt is given on the escrow; `reopen` takes it back when its settle failed. */
  close(escrow: CID): void {
    this.closed.add(escrow.toString())
  }

  reopen(escrow: CID): void {
    this.closed.delete(escrow.toString())
  }

  /** The escrow is settled: nothing of it needs to be in memory. */
  forget(escrow: CID): void {
    for (const index of this.given.get(escrow.toString())?.keys() ?? []) {
      this.settled.add(`${PREFIX}${escrow}/${index}`)
    }
    this.given.delete(escrow.toString())
    this.closed.delete(escrow.toString())
  }

  private raiseTotal(peer: string, total: MicroCredits): void {
    if (total > (this.pairTotals.get(peer) ?? 0n)) {
      this.pairTotals.set(peer, total)
    }
  }
}
