import type { CID } from 'multiformats/cid'
import * as z from 'zod/mini'
import type { Store } from '../store/index.ts'
import {
  decode,
  encode,
  type MicroCredits,
  type Milliseconds,
  microCredits,
  peerId,
  type SettleBody,
  type Signed,
  signed,
  timestamp
} from '../wire/index.ts'
import { ESCROW_KEPT_MS, TURNED_AWAY_MAX } from './constants.ts'
import { ensure } from './errors.ts'

const lodgedSchema = z.strictObject({
  payee: peerId,
  amount: microCredits,
  receipt: signed,
  tClose: timestamp,
  /** The vote that pays it without the requester, once it was given. */
  vote: z.nullable(signed)
})
const closedSchema = z.strictObject({ payouts: z.array(microCredits), tClose: timestamp })

export type Lodged = z.output<typeof lodgedSchema>
type Closed = z.output<typeof closedSchema>

const LODGED = 'lodged/'
const CLOSED = 'closed/'

/** What a witness keeps of other people's escrows: receipts that payees lodged, and the settle that it voted for. */
export class Deposits {
  private readonly lodged = new Map<string, Map<number, Lodged>>()
  private readonly closed = new Map<string, Closed>()
  /** What there was no room for, the oldest first: no settle is voted for that pays less (µcr, by payee index). */
  private readonly turnedAway = new Map<string, Map<number, MicroCredits>>()
  private readonly store: Store
  /** Receipts in all. */
  private kept = 0

  constructor(init: { store: Store }) {
    this.store = init.store
  }

  /** Reads what is kept, and forgets what nobody votes on any more. */
  async load(now: Milliseconds): Promise<void> {
    const table = this.store.table('contracts')
    for (const [key, value] of await table.entries()) {
      const [kind, escrow = '', index] = key.split('/')
      if (kind !== 'lodged' && kind !== 'closed') {
        continue
      }
      const row =
        kind === 'lodged'
          ? decode(value, lodgedSchema, Number.POSITIVE_INFINITY)
          : decode(value, closedSchema, Number.POSITIVE_INFINITY)
      if (now > row.tClose + ESCROW_KEPT_MS) {
        await table.delete(key)
      } else if ('payouts' in row) {
        this.closed.set(escrow, row)
      } else {
        this.of(escrow).set(Number(index), row)
        this.kept += 1
      }
    }
  }

  /** Drops what nobody votes on any more. */
  async forget(now: Milliseconds): Promise<void> {
    const table = this.store.table('contracts')
    for (const [escrow, { tClose }] of this.closed) {
      if (now > tClose + ESCROW_KEPT_MS) {
        this.closed.delete(escrow)
        await table.delete(`${CLOSED}${escrow}`)
      }
    }
    for (const [escrow, rows] of this.lodged) {
      for (const [index, { tClose }] of rows) {
        if (now > tClose + ESCROW_KEPT_MS) {
          rows.delete(index)
          this.kept -= 1
          await table.delete(`${LODGED}${escrow}/${index}`)
        }
      }
      if (rows.size === 0) {
        this.lodged.delete(escrow)
      }
    }
  }

  /** Receipts of an escrow in µcr that were lodged, or found no room, by payee index. */
  amounts(escrow: CID): ReadonlyMap<number, MicroCredits> {
    const amounts = new Map(this.turnedAway.get(escrow.toString()))
    for (const [index, { amount }] of this.lodged.get(escrow.toString()) ?? []) {
      const other = amounts.get(index) ?? 0n
      amounts.set(index, other > amount ? other : amount)
    }
    return amounts
  }

  /** Payouts of the settle of an escrow that this node has voted for. */
  voted(escrow: CID): readonly MicroCredits[] | undefined {
    return this.closed.get(escrow.toString())?.payouts
  }

  get(escrow: CID, index: number): Lodged | undefined {
    return this.lodged.get(escrow.toString())?.get(index)
  }

  indexOf(escrow: CID, payee: string): number {
    const rows = [...(this.lodged.get(escrow.toString()) ?? [])]
    return rows.find(([, lodged]) => lodged.payee === payee)?.[0] ?? -1
  }

  /**
   * Keeps a receipt, if it is above the one kept and not above the settle voted for.
   *
   * @param room as long as fewer are kept in all
   * @throws CreditError `UNDERPAID` where the settle that this node voted for pays less; `BUSY`: then no settle that
   * pays less is voted for either, until this node starts anew
   */
  async lodge(escrow: CID, index: number, given: Omit<Lodged, 'vote'>, room: number): Promise<void> {
    const before = this.get(escrow, index)
    if (before && before.amount >= given.amount) {
      return
    }
    this.checkSettled(escrow, index, given.amount)
    const hasRoom = before !== undefined || this.kept < room
    if (!hasRoom) {
      this.turnAway(escrow.toString(), index, given.amount)
    }
    ensure(hasRoom, 'BUSY', 'This node keeps too many receipts: ask the others.')
    // in memory at once, so that a settle that comes meanwhile sees it
    await this.put(escrow, index, { ...given, vote: null }, before)
  }

  private turnAway(escrow: string, index: number, amount: MicroCredits): void {
    const amounts = this.turnedAway.get(escrow) ?? new Map<number, MicroCredits>()
    if (amount > (amounts.get(index) ?? 0n)) {
      amounts.set(index, amount)
    }
    this.turnedAway.delete(escrow)
    this.turnedAway.set(escrow, amounts)
    const [oldest] = this.turnedAway.keys()
    if (oldest !== undefined && this.turnedAway.size > TURNED_AWAY_MAX) {
      this.turnedAway.delete(oldest)
    }
  }

  /** Keeps the vote that pays a lodged receipt. */
  async pay(escrow: CID, index: number, vote: Signed): Promise<void> {
    const before = this.get(escrow, index)
    if (before) {
      await this.put(escrow, index, { ...before, vote }, before)
    }
  }

  /** @throws CreditError `UNDERPAID` */
  checkSettled(escrow: CID, index: number, amount: MicroCredits): void {
    const payout = this.closed.get(escrow.toString())?.payouts[index]
    ensure(
      payout === undefined || payout >= amount,
      'UNDERPAID',
      `This node voted for a settle that pays ${payout} µcr.`
    )
  }

  /** This node votes for a settle: no receipt above it is taken from now on. */
  async close({ escrow, payouts }: SettleBody, tClose: Milliseconds): Promise<void> {
    const key = escrow.toString()
    this.closed.set(key, { payouts, tClose })
    await this.store.table('contracts').put(`${CLOSED}${key}`, encode({ payouts, tClose }))
  }

  private async put(escrow: CID, index: number, row: Lodged, before: Lodged | undefined): Promise<void> {
    const rows = this.of(escrow.toString())
    rows.set(index, row)
    this.kept += before ? 0 : 1
    try {
      await this.store.table('contracts').put(`${LODGED}${escrow}/${index}`, encode(row))
    } catch (error) {
      if (before) {
        rows.set(index, before)
      } else {
        rows.delete(index)
        this.kept -= 1
      }
      throw error
    }
  }

  private of(escrow: string): Map<number, Lodged> {
    const rows = this.lodged.get(escrow) ?? new Map<number, Lodged>()
    this.lodged.set(escrow, rows)
    return rows
  }
}
