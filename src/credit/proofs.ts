import * as z from 'zod/mini'
import type { Store, TableWrite } from '../store/index.ts'
import {
  decode,
  encode,
  type Milliseconds,
  natural,
  PAYEES_MAX,
  type Signed,
  signed,
  timestamp
} from '../wire/index.ts'

const schema = z.strictObject({ seq: natural, tClose: timestamp, evidence: z.array(signed) })

/** Of so many settles, the newest; and so many statements in one message. */
const SETTLES_MAX = 256
const EVIDENCE_MAX = 4 * PAYEES_MAX

const PREFIX = 'proofs/'

/** Statements that witnesses ask for beside a settle of this node: releases, and votes of its escrow's witnesses. */
export class Proofs {
  private readonly bySeq = new Map<number, readonly Signed[]>()
  /** Rows in the store, with their escrow's tClose. */
  private readonly until = new Map<number, Milliseconds>()
  private readonly store: Store

  constructor(init: { store: Store }) {
    this.store = init.store
  }

  /** @param now what is older than its escrow's tClose needs no release any more */
  async load(now: Milliseconds): Promise<void> {
    const table = this.store.table('contracts')
    for (const [key, value] of await table.entries()) {
      if (!key.startsWith(PREFIX)) {
        continue
      }
      const { seq, tClose, evidence } = decode(value, schema, Number.POSITIVE_INFINITY)
      if (now > tClose) {
        await table.delete(key)
      } else {
        this.bySeq.set(seq, evidence)
        this.until.set(seq, tClose)
      }
    }
  }

  /** Drops the rows that nobody asks for any more. */
  async forget(now: Milliseconds): Promise<void> {
    const table = this.store.table('contracts')
    for (const [seq, tClose] of this.until) {
      if (now > tClose) {
        this.until.delete(seq)
        this.bySeq.delete(seq)
        await table.delete(`${PREFIX}${seq}`)
      }
    }
  }

  /** For the transaction of the settle. */
  row(seq: number, tClose: Milliseconds, evidence: readonly Signed[]): TableWrite[] {
    const row = {
      table: 'contracts' as const,
      key: `${PREFIX}${seq}`,
      value: encode({ seq, tClose, evidence })
    }
    if (evidence.length === 0) {
      return []
    }
    this.until.set(seq, tClose)
    return [row]
  }

  add(seq: number, evidence: readonly Signed[]): void {
    this.bySeq.set(seq, [...(this.bySeq.get(seq) ?? []), ...evidence])
    if (this.bySeq.size > SETTLES_MAX) {
      this.bySeq.delete(this.bySeq.keys().next().value ?? seq)
    }
  }

  /** Of the settles after place `after`, up to place `to`. */
  between(after: number, to: number): Signed[] {
    const fitting = [...this.bySeq].flatMap(([at, evidence]) => (at > after && at <= to ? evidence : []))
    return fitting.slice(-EVIDENCE_MAX)
  }
}
