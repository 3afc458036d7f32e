import * as z from 'zod/mini'
import type { Table } from '../store/index.ts'
import {
  decode,
  encode,
  type MicroCredits,
  type Milliseconds,
  microCredits,
  type PeerIdString,
  peerId,
  timestamp
} from '../wire/index.ts'
import { min } from './edges.ts'
import { recognised } from './recognition.ts'
import { type RecognitionShare, unused } from './standing.ts'

const schema = z.strictObject({
  payer: peerId,
  on: z.array(z.strictObject({ payer: peerId, amount: microCredits })),
  /** Absent in rows of earlier versions: all of it counts as used. */
  used: z.optional(microCredits),
  tClose: z.optional(timestamp)
})

export const PROMISE = 'promise/'
const ROW_MAX = 4_096
/** A row says so much of a promise more than was used, so that it is written a few times only. */
const AHEAD = 8n

export interface PromiseTerms {
  readonly payer: PeerIdString
  /** On whose account, and how much of it. */
  readonly on: readonly RecognitionShare[]
  /** When the escrow closes, by this node's clock. */
  readonly tClose: Milliseconds
}

/** A unit's price, held from what is promised. */
export interface Reservation {
  /** It is computed from now on: that much is given, however it ends. */
  begin(): void
  /** It is over: what has not begun is free for another unit. */
  end(): void
}

interface Promised extends PromiseTerms {
  used: MicroCredits
  reserved: MicroCredits
  /** As used, by the row. */
  noted: MicroCredits
  noting: Promise<void>
}

export interface PromisesInit {
  readonly table: Table
  readonly now: () => Milliseconds
  /** Books shares in the edges; −1: takes back what was not used. */
  readonly give: (payer: PeerIdString, on: readonly RecognitionShare[], direction: 1 | -1) => Promise<void>
}

/** What is promised on escrows that are worked on now, and of each what is used: each unit's price, once it begins. */
export class Promises {
  private readonly init: PromisesInit
  /** By escrow. */
  private readonly open = new Map<string, Promised>()
  /** Used on escrows whose streams have ended, until they close: no further stream gets it again. */
  private readonly ended = new Map<string, { readonly used: MicroCredits; readonly tClose: Milliseconds }>()

  constructor(init: PromisesInit) {
    this.init = init
  }

  /** Ends all that an earlier life of this node has left: nobody works on it. The edges must be there. */
  async load(rows: Iterable<readonly [string, Uint8Array]>): Promise<void> {
    for (const [key, value] of rows) {
      const { payer, on, used = recognised(on), tClose = 0 } = decode(value, schema, ROW_MAX)
      const escrow = key.slice(PROMISE.length)
      this.open.set(escrow, promised({ payer, on, tClose }, used))
      await this.end(escrow)
    }
  }

  of(escrow: string): readonly RecognitionShare[] | undefined {
    return this.open.get(escrow)?.on
  }

  /** Used by earlier streams of an escrow (µcr). */
  usedBefore(escrow: string): MicroCredits {
    return this.ended.get(escrow)?.used ?? 0n
  }

  async make(escrow: string, terms: PromiseTerms): Promise<void> {
    const made = promised(terms, 0n)
    this.open.set(escrow, made)
    await this.init.give(terms.payer, terms.on, 1) // first: whatever a crash leaves of it, too much is given to nobody
    await this.init.table.put(PROMISE + escrow, row(made))
  }

  /** Holds a unit's price. Undefined: what is left of the promise is less. */
  reserve(escrow: string, price: MicroCredits): Reservation | undefined {
    const promise = this.open.get(escrow)
    if (promise === undefined || recognised(promise.on) - promise.used - promise.reserved < price) {
      return undefined
    }
    promise.reserved += price
    let held = price
    const release = () => {
      promise.reserved -= held
      held = 0n
    }
    return {
      begin: () => {
        promise.used += held
        release()
        this.note(escrow, promise)
      },
      end: release
    }
  }

  /** Of what is promised, what is not used. */
  left(escrow: string): MicroCredits {
    const promise = this.open.get(escrow)
    return promise === undefined ? 0n : recognised(promise.on) - promise.used
  }

  /** Likewise, of all escrows of a requester. */
  leftTo(payer: PeerIdString): MicroCredits {
    let sum = 0n
    for (const [escrow, promise] of this.open) {
      sum += promise.payer === payer ? this.left(escrow) : 0n
    }
    return sum
  }

  /** What of it was not used is owed again. */
  async end(escrow: string): Promise<void> {
    const promise = this.open.get(escrow)
    if (promise === undefined) {
      return
    }
    const { payer, on, used, tClose } = promise
    this.open.delete(escrow)
    if (used > 0n && tClose > this.init.now()) {
      this.ended.set(escrow, { used: this.usedBefore(escrow) + used, tClose })
    }
    await promise.noting
    await this.init.table.delete(PROMISE + escrow)
    await this.init.give(payer, unused(on, used), -1)
  }

  /** Ends what its escrow has outlived. */
  async sweep(): Promise<void> {
    const now = this.init.now()
    for (const [escrow, { tClose }] of this.ended) {
      if (tClose <= now) {
        this.ended.delete(escrow)
      }
    }
    for (const [escrow, { tClose }] of this.open) {
      if (tClose <= now) {
        await this.end(escrow)
      }
    }
  }

  private note(escrow: string, promise: Promised): void {
    if (promise.used > promise.noted) {
      const all = recognised(promise.on)
      promise.noted = min(all, promise.used + all / AHEAD)
      const put = () => this.init.table.put(PROMISE + escrow, row(promise), { relaxed: true })
      promise.noting = promise.noting.then(put).catch(() => {}) // what is not stored is owed again after a crash
    }
  }
}

const promised = (terms: PromiseTerms, used: MicroCredits): Promised => ({
  ...terms,
  used,
  reserved: 0n,
  noted: used,
  noting: Promise.resolve()
})

const row = ({ payer, on, tClose, noted }: Promised) => encode({ payer, on: [...on], tClose, used: noted })
