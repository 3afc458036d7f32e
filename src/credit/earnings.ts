import type { CID } from 'multiformats/cid'
import * as z from 'zod/mini'
import type { Store, TableWrite } from '../store/index.ts'
import {
  bytes,
  decode,
  encode,
  type MicroCredits,
  type Milliseconds,
  microCredits,
  type Network,
  natural,
  type PeerIdString,
  peerId,
  type RecordOf,
  recognised,
  type Signed,
  signed,
  timestamp
} from '../wire/index.ts'
import { indexOfPayee } from './bodies.ts'
import { EARNINGS_MAX, EARNINGS_PER_PAYER_MAX, ESCROW_KEPT_MS } from './constants.ts'
import { verifyStatement } from './envelope.ts'
import { ensure } from './errors.ts'

const schema = z.strictObject({
  payer: peerId,
  jobId: bytes(16),
  index: natural,
  max: microCredits,
  /** Absent in rows of earlier versions. */
  on: z.optional(recognised),
  tClose: timestamp,
  /** The highest receipt, as it came. */
  receipt: z.nullable(signed),
  amount: microCredits,
  /** The escrow with its witnesses' votes; null where its payees certify it. */
  certified: z.nullable(z.strictObject({ escrow: signed, votes: z.array(signed) })),
  /** What this node signed that it wants no more than. */
  released: z.nullable(microCredits),
  /** No more receipts: the payer has shown its settle. */
  settled: z.boolean(),
  /** The payout is in the own chain (or was 0). */
  claimed: z.boolean()
})

export type Earning = z.output<typeof schema>

const ROW_MAX = 64 * 1024
const PREFIX = 'earn/'
const keyOf = (escrow: CID | string) => `${PREFIX}${escrow.toString()}`

/** The channels on which this node earns, with the highest receipt of each. */
export class Earnings {
  private readonly rows = new Map<string, Earning>()
  private readonly store: Store
  private readonly network: Network
  private readonly self: PeerIdString
  private readonly limit: number

  /** @param init `limit` of all rows, smaller in tests only */
  constructor(init: { store: Store; network: Network; self: PeerIdString; limit?: number }) {
    this.limit = init.limit ?? EARNINGS_MAX
    this.store = init.store
    this.network = init.network
    this.self = init.self
  }

  /** Reads what is kept, and forgets what nobody can claim any more. */
  async load(now: Milliseconds): Promise<void> {
    const table = this.store.table('contracts')
    for (const [key, value] of await table.entries()) {
      if (!key.startsWith(PREFIX)) {
        continue
      }
      this.rows.set(key.slice(PREFIX.length), decode(value, schema, ROW_MAX))
    }
    await this.forget(now)
  }

  /** Drops what nobody can claim any more, and what was claimed. */
  async forget(now: Milliseconds): Promise<void> {
    for (const [escrow, { tClose, claimed }] of this.rows) {
      if (now > tClose + ESCROW_KEPT_MS || (claimed && now > tClose)) {
        this.rows.delete(escrow)
        await this.store.table('contracts').delete(keyOf(escrow))
      }
    }
  }

  get(escrow: CID): Earning | undefined {
    return this.rows.get(escrow.toString())
  }

  /** Channels whose payout is still to come, by escrow CID text. */
  open(): Array<[string, Earning]> {
    return [...this.rows].filter(([, { claimed }]) => !claimed)
  }

  /** Receipted and not yet claimed (µcr). */
  receipted(): MicroCredits {
    return this.open().reduce((sum, [, { amount }]) => sum + amount, 0n)
  }

  /**
   * Takes part in an escrow that pays this node.
   *
   * @param on on whose account it is worked. @default those that the escrow names
   * @throws CreditError `NOT_CONCERNED`, `BUSY`
   */
  async join(
    id: CID,
    { author, body }: RecordOf<'escrow'>,
    certified: Earning['certified'] = null,
    on?: Earning['on']
  ): Promise<void> {
    const index = indexOfPayee(body, this.self)
    const channel = body.payees[index]
    ensure(channel !== undefined, 'NOT_CONCERNED', 'The escrow does not pay this node.')
    if (this.rows.has(id.toString())) {
      return
    }
    const ofPayer = this.open().filter(([, { payer }]) => payer === author).length
    ensure(
      ofPayer < EARNINGS_PER_PAYER_MAX,
      'BUSY',
      'Too many open escrows with this node: settle some first.'
    )
    await this.makeRoom()
    await this.save(id, {
      payer: author,
      jobId: body.jobId,
      index,
      max: channel.max,
      on: on ?? channel.on,
      tClose: body.tClose,
      receipt: null,
      certified,
      released: null,
      amount: 0n,
      settled: false,
      claimed: false
    })
  }

  /** @throws CreditError `BUSY` */
  private async makeRoom(): Promise<void> {
    if (this.rows.size < this.limit) {
      return
    }
    const oldest = [...this.rows].find(([, { receipt }]) => receipt === null)
    ensure(oldest !== undefined, 'BUSY', 'This node waits for too many settles: ask another one.')
    this.rows.delete(oldest[0])
    await this.store.table('contracts').delete(keyOf(oldest[0]))
  }

  /**
   * Keeps a receipt.
   *
   * @throws CreditError `BAD_RECEIPT`, WireError
   */
  async accept(receipt: Signed, from: PeerIdString): Promise<MicroCredits> {
    const { author, escrow, payee, amount, pairTotal } = await verifyStatement(
      receipt,
      'receipt',
      this.network
    )
    const earning = this.get(escrow)
    ensure(
      earning !== undefined && payee === this.self && author === earning.payer && from === author,
      'BAD_RECEIPT',
      'The receipt is for another channel.'
    )
    ensure(!earning.settled, 'BAD_RECEIPT', 'The receipt comes after the settle.')
    ensure(
      amount > earning.amount,
      'BAD_RECEIPT',
      `The receipt is not above the last one (${earning.amount}).`
    )
    ensure(
      amount <= earning.max,
      'BAD_RECEIPT',
      `The receipt is above the channel's maximum (${earning.max}).`
    )
    ensure(
      earning.released === null || amount <= earning.released,
      'BAD_RECEIPT',
      'This node has released the escrow: no more receipts.'
    )
    ensure(pairTotal >= amount, 'BAD_RECEIPT', 'The total of the pair is below the receipt.')
    await this.save(escrow, { ...earning, receipt, amount })
    return amount
  }

  /**
   * Notes, before it is signed, that this node wants no more than was receipted. Returns that amount.
   *
   * @throws CreditError `UNDERPAID` where less was receipted than delivered
   */
  async release(escrow: CID, delivered: MicroCredits): Promise<MicroCredits> {
    const earning = this.get(escrow)
    ensure(earning !== undefined, 'UNKNOWN_ESCROW', 'This node does not earn on that escrow.')
    ensure(
      earning.amount >= delivered,
      'UNDERPAID',
      `${delivered} µcr of work were delivered, and ${earning.amount} µcr receipted: no release before tClose.`
    )
    if (earning.released === null) {
      await this.save(escrow, { ...earning, released: earning.amount })
    }
    return this.get(escrow)?.released ?? earning.amount
  }

  /**
   * Says that the payer's settle has been seen: no receipt counts after it.
   *
   * @throws CreditError `UNKNOWN_ESCROW`, `UNDERPAID`
   */
  async close(settle: RecordOf<'settle'>['body']): Promise<void> {
    const earning = this.get(settle.escrow)
    ensure(earning !== undefined, 'UNKNOWN_ESCROW', 'This node does not earn on that escrow.')
    const payout = settle.payouts[earning.index] ?? 0n
    ensure(
      payout >= earning.amount,
      'UNDERPAID',
      `The settle pays ${payout} µcr, and ${earning.amount} µcr were receipted.`
    )
    if (!earning.settled) {
      await this.save(settle.escrow, { ...earning, settled: true })
    }
  }

  /** The row that says that a channel is done: for the transaction of the claim, then `done`. */
  rowOfClaim(escrow: CID): TableWrite[] {
    const earning = this.get(escrow)
    return earning ? [rowOf(escrow, { ...earning, settled: true, claimed: true })] : []
  }

  done(escrow: CID): void {
    const earning = this.get(escrow)
    if (earning) {
      this.rows.set(escrow.toString(), { ...earning, settled: true, claimed: true })
    }
  }

  async finish(escrow: CID): Promise<void> {
    for (const { table, key, value } of this.rowOfClaim(escrow)) {
      await this.store.table(table).put(key, value)
    }
    this.done(escrow)
  }

  /** In memory at once, so that what comes next sees it; nobody is answered before it is stored. */
  private async save(escrow: CID, earning: Earning): Promise<void> {
    const text = escrow.toString()
    const before = this.rows.get(text)
    this.rows.set(text, earning)
    try {
      const { table, key, value } = rowOf(escrow, earning)
      await this.store.table(table).put(key, value)
    } catch (error) {
      if (before) {
        this.rows.set(text, before)
      } else {
        this.rows.delete(text)
      }
      throw error
    }
  }
}

const rowOf = (escrow: CID, earning: Earning): TableWrite => ({
  table: 'contracts',
  key: keyOf(escrow),
  value: encode(earning)
})
