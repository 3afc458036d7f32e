import * as z from 'zod/mini'
import { type Store, StoreError } from '../store/index.ts'
import {
  decode,
  type EscrowBody,
  encode,
  type Milliseconds,
  natural,
  type PeerIdString,
  peerId,
  timestamp
} from '../wire/index.ts'
import { overAt } from './certificate.ts'
import { CHAINS_BYTES, SMALL_STATE } from './constants.ts'
import { openBytes } from './open-bytes.ts'
import { serial } from './serial.ts'
import type { ChainState } from './state.ts'
import { decodeState, encodeState } from './state-codec.ts'

/** Of an author's row: the place that it is of, its size, until when this node has to do with its open escrows. */
const schema = z.strictObject({
  seq: natural,
  bytes: natural,
  until: timestamp,
  /** Bytes set aside for it: a small one needs none. */
  room: natural
})
type Row = z.output<typeof schema>

export interface ChainRowsInit {
  readonly store: Store
  readonly self: PeerIdString
  readonly now: () => Milliseconds
  /** Whose work this node has seen: they find room for longer. @default nobody's */
  readonly believes?: (peer: PeerIdString) => boolean
  /** Bytes of all rows, but for those that are small and in use; less in tests only. @default CHAINS_BYTES */
  readonly limit?: number
}

const PREFIX = 'chain/'
const ROW_MAX = 256
const KNOWN_WEIGHT = 16
const NEW: Row = { seq: 0, bytes: 0, until: 0, room: 0 }

/**
 * Verified states of other authors, one row each. A cache: whose row is gone, or old, sends its chain again, or the rest
 * of it. So a large one is not written with each record, and where there are too many the largest goes first; but none
 * of an author with open escrows that this node votes on, for which there was room.
 */
export class ChainRows {
  private readonly rows = new Map<PeerIdString, Row>()
  /** As they stand in the store. */
  private readonly noted = new WeakSet<Row>()
  private readonly inTurn = serial()
  private readonly init: ChainRowsInit
  private limit: number
  private bytes = 0

  constructor(init: ChainRowsInit) {
    this.init = init
    this.limit = init.limit ?? CHAINS_BYTES
  }

  async load(): Promise<void> {
    for (const [key, value] of await this.meta.entries()) {
      if (key.startsWith(PREFIX)) {
        this.set(peerId.parse(key.slice(PREFIX.length)), decode(value, schema, ROW_MAX))
      }
    }
  }

  /** Bytes of all rows, those that are still to be written among them. */
  get size(): number {
    return this.bytes
  }

  async get(author: PeerIdString): Promise<ChainState | undefined> {
    const bytes = await this.table.get(author)
    return bytes && decodeState(bytes)
  }

  /**
   * Sets aside what the state takes while this node has to do with its open escrows: half of all is for whose work it has
   * seen.
   *
   * @returns false: there is no room for a row of that size, and it may go at any time
   */
  reserve(state: ChainState): boolean {
    const { author } = state
    const before = this.rows.get(author) ?? NEW
    const until = this.concernedUntil(state)
    const size = until === 0 ? 0 : sizeOf(state)
    const room = size > SMALL_STATE ? size : 0
    const { believes = () => false } = this.init
    const fits = room === 0 || this.othersRoom(author) + room <= this.limit / (believes(author) ? 1 : 2)
    const row = {
      ...before,
      until: fits ? until : Math.min(until, before.until),
      room: fits ? room : before.room
    }
    if (row.until !== before.until || row.room !== before.room) {
      this.set(author, row)
      this.later(() => this.note(author))
    }
    return fits
  }

  /** The state is voted on. Written soon, or with one of the next: nobody waits for that. */
  keep(state: ChainState): void {
    const { author, seq, healSeq } = state
    this.reserve(state)
    const before = this.rows.get(author) ?? NEW
    const isLate = healSeq > before.seq || seq - before.seq >= before.bytes / SMALL_STATE
    // a larger row than the state takes now, which nothing would hold
    const isLoose = this.isInUse(before) && !this.isHeld(before) && sizeOf(state) <= roomOf(before)
    if (!isLate && !isLoose) {
      return
    }
    const value = encodeState(state)
    const row = { ...before, seq, bytes: value.byteLength }
    this.set(author, row)
    this.later(async () => {
      if (this.rows.get(author)?.seq !== seq) {
        return // a newer one comes next
      }
      await this.note(author) // first: no row that is not counted
      await this.table.put(author, value, RELAXED)
      await this.evict()
    })
  }

  /** What is kept is of a branch that its author gives up. */
  async drop(author: PeerIdString): Promise<void> {
    await this.inTurn(() => this.remove(author))
  }

  /** Resolves when all that was kept so far is written. */
  async idle(): Promise<void> {
    await this.inTurn(async () => {})
  }

  private othersRoom(author: PeerIdString): number {
    let room = 0
    for (const [peer, row] of this.rows) {
      room += peer !== author && this.isInUse(row) ? row.room : 0
    }
    return room
  }

  /** The largest that is not held, for what its author is to this node. */
  private async evict(): Promise<void> {
    const { believes = () => false } = this.init
    while (this.bytes > this.limit) {
      let found: { author: PeerIdString; weight: number } | undefined
      for (const [author, row] of this.rows) {
        const weight = this.isHeld(row) ? 0 : row.bytes / (believes(author) ? KNOWN_WEIGHT : 1)
        if (weight > (found?.weight ?? 0)) {
          found = { author, weight }
        }
      }
      if (found === undefined) {
        return
      }
      await this.remove(found.author)
    }
  }

  private async remove(author: PeerIdString): Promise<void> {
    this.set(author, undefined)
    await this.table.delete(author)
    await this.note(author)
  }

  private async note(author: PeerIdString): Promise<void> {
    const row = this.rows.get(author)
    if (row === undefined) {
      await this.meta.delete(PREFIX + author)
    } else if (row.bytes > 0 && !this.noted.has(row)) {
      this.noted.add(row)
      await this.meta.put(PREFIX + author, encode(row), RELAXED)
    }
  }

  private set(author: PeerIdString, row: Row | undefined): void {
    this.bytes += (row?.bytes ?? 0) - (this.rows.get(author)?.bytes ?? 0)
    this.rows.delete(author)
    if (row && (row.bytes > 0 || row.until > 0)) {
      this.rows.set(author, row)
    }
  }

  private isInUse({ until }: Row): boolean {
    return this.init.now() <= until
  }

  private isHeld(row: Row): boolean {
    return this.isInUse(row) && row.bytes <= roomOf(row)
  }

  /** When the last of its open escrows is over on which this node votes, as their witness or payee; 0: there is none. */
  private concernedUntil({ openEscrows }: ChainState): Milliseconds {
    const { self } = this.init
    const votesOn = ({ witnesses, payees }: EscrowBody) =>
      witnesses.length > 0 ? witnesses.includes(self) : payees.some(({ peer }) => peer === self)
    return [...openEscrows.values()].reduce(
      (last, { body }) => (votesOn(body) ? Math.max(last, overAt(body.tClose)) : last),
      0
    )
  }

  private later(task: () => Promise<void>): void {
    this.inTurn(task).catch((error) => {
      if (error instanceof StoreError && error.code === 'FULL') {
        this.limit = Math.floor(Math.min(this.limit, this.bytes) / 2) // there is more important to keep
        this.inTurn(() => this.evict()).catch(() => {}) // the next one that does not fit tries again
      }
    })
  }

  private get table() {
    return this.init.store.table('chains')
  }

  private get meta() {
    return this.init.store.table('meta')
  }
}

const RELAXED = { relaxed: true }

const roomOf = ({ room }: Row) => Math.max(SMALL_STATE, room)

/** At least what the state takes as a row. */
export function sizeOf(state: ChainState): number {
  return 2_048 + openBytes(state) + 192 * state.openEscrows.size + 128 * state.claimed.size
}
