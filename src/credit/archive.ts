import * as z from 'zod/mini'
import { type Store, StoreError } from '../store/index.ts'
import { decode, encode, natural, type PeerIdString, peerId, type Signed, signed } from '../wire/index.ts'
import { ARCHIVE_BYTES, PAGE_BYTES, PAGE_RECORDS } from './constants.ts'
import { serial } from './serial.ts'

/** Older records of one author: all places with from ≤ seq < next. `bytes`: what they take, or more. */
const run = z.strictObject({ from: natural, next: natural, bytes: natural })
type Run = z.output<typeof run>

export interface ArchivedRecord {
  readonly seq: number
  readonly record: Signed
}

const PREFIX = 'archive/'
const ROW_MAX = 256
/** Whose work this node has seen loses its records to others' only when it has so many times as much. */
const KNOWN_WEIGHT = 16
/** Rows of one author that go at a time. */
const EVICTED_TOGETHER = 64

/**
 * Records of others on which this node has voted and that its vote book has let go: for their author, whose profile was
 * set back by more than that. A courtesy, and a bounded one: nobody's vote rests on them, and where there are too many
 * the oldest of whoever has most go first; where the storage is full, half of all.
 */
export class Archive {
  private readonly runs = new Map<PeerIdString, Run>()
  private readonly inTurn = serial()
  private readonly store: Store
  private readonly knows: (peer: PeerIdString) => boolean
  private limit: number
  private bytes = 0

  /** @param init `knows`: whose work this node has seen. `limit` of all rows in bytes, smaller in tests only */
  constructor(init: { store: Store; knows?: (peer: PeerIdString) => boolean; limit?: number }) {
    this.store = init.store
    this.knows = init.knows ?? (() => false)
    this.limit = init.limit ?? ARCHIVE_BYTES
  }

  async load(): Promise<void> {
    for (const [key, value] of await this.store.table('meta').entries()) {
      if (key.startsWith(PREFIX)) {
        this.set(peerId.parse(key.slice(PREFIX.length)), decode(value, run, ROW_MAX))
      }
    }
  }

  /** Bytes that are kept of an author. */
  sizeOf(author: PeerIdString): number {
    return this.runs.get(author)?.bytes ?? 0
  }

  /**
   * Keeps records that follow each other, oldest first: of another branch, or after a gap, they take the place of what
   * was kept. Writes them later, in order; nobody waits for that.
   */
  add(author: PeerIdString, records: readonly ArchivedRecord[]): void {
    const rows = newestRows(records, this.limit)
    const [first, last] = [rows[0], rows.at(-1)]
    if (first === undefined || last === undefined) {
      return
    }
    const before = this.runs.get(author)
    const goesOn = before?.next === first.seq
    const size = rows.reduce((sum, { value }) => sum + value.byteLength, 0)
    const next = last.seq + 1
    this.set(author, {
      from: goesOn ? before.from : first.seq,
      next,
      bytes: (goesOn ? before.bytes : 0) + size
    })
    this.later(async () => {
      if (before !== undefined && !goesOn) {
        await this.drop(author, before.from, Math.min(before.next, first.seq))
        await this.drop(author, Math.max(before.from, next), before.next)
      }
      const { from = 0 } = this.runs.get(author) ?? {} // room may have been made meanwhile
      const wanted = rows.filter(({ seq }) => seq >= from)
      await Promise.all([
        ...wanted.map(({ seq, value }) => this.table.put(keyOf(author, seq), value, RELAXED)),
        this.note(author) // together: a folder syncs them as one
      ])
      await this.evict()
    })
  }

  /** The author's records from `after` + 1 on, oldest first: as many as one message takes, none where that one is gone. */
  async page(author: PeerIdString, after: number): Promise<Signed[]> {
    await this.inTurn(async () => {})
    const { from = 0, next = 0 } = this.runs.get(author) ?? {}
    const records: Signed[] = []
    let size = 0
    for (let seq = after + 1; seq >= from && seq < next && records.length < PAGE_RECORDS; seq++) {
      const row = await this.table.get(keyOf(author, seq))
      size += row?.byteLength ?? 0
      if (row === undefined || (size > PAGE_BYTES && records.length > 0)) {
        break
      }
      records.push(decode(row, signed, Number.POSITIVE_INFINITY))
    }
    return records
  }

  private async evict(): Promise<void> {
    while (this.bytes > this.limit) {
      const author = this.largest()
      const before = author && this.runs.get(author)
      if (author === undefined || before === undefined) {
        return
      }
      const to = Math.min(before.next, before.from + EVICTED_TOGETHER)
      const freed = await this.drop(author, before.from, to)
      const now = this.runs.get(author)
      if (now?.from !== before.from) {
        continue // kept anew meanwhile
      }
      // a row that was lost has no size: what is left of the run counts for it until it is gone
      const bytes = Math.max(0, now.bytes - freed)
      this.set(author, to < now.next ? { ...now, from: to, bytes } : undefined)
      await this.note(author)
    }
  }

  private async note(author: PeerIdString): Promise<void> {
    const [now, meta] = [this.runs.get(author), this.store.table('meta')]
    await (now ? meta.put(PREFIX + author, encode(now), RELAXED) : meta.delete(PREFIX + author))
  }

  /** Whoever has most, for what it is to this node. */
  private largest(): PeerIdString | undefined {
    const weight = (author: PeerIdString, { bytes }: Run) =>
      this.knows(author) ? bytes / KNOWN_WEIGHT : bytes
    let found: { author: PeerIdString; weight: number } | undefined
    for (const [author, run] of this.runs) {
      const its = weight(author, run)
      if (found === undefined || its > found.weight) {
        found = { author, weight: its }
      }
    }
    return found?.author
  }

  /** @returns the bytes of the rows that were there */
  private async drop(author: PeerIdString, from: number, to: number): Promise<number> {
    let size = 0
    for (let seq = from; seq < to; seq++) {
      const row = await this.table.get(keyOf(author, seq))
      if (row !== undefined) {
        size += row.byteLength
        await this.table.delete(keyOf(author, seq))
      }
    }
    return size
  }

  private set(author: PeerIdString, run: Run | undefined): void {
    this.bytes += (run?.bytes ?? 0) - this.sizeOf(author)
    this.runs.delete(author)
    if (run) {
      this.runs.set(author, run)
    }
  }

  /** A cache: what was not stored is missing when somebody asks, and others have it. */
  private later(task: () => Promise<void>): void {
    this.inTurn(task).catch((error) => this.makeRoom(error))
  }

  /** A storage that is full has more important things to keep: this node's own records and votes. */
  private makeRoom(error: unknown): void {
    if (error instanceof StoreError && error.code === 'FULL') {
      this.limit = Math.floor(Math.min(this.limit, this.bytes) / 2)
      this.inTurn(() => this.evict()).catch(() => {}) // the next one that does not fit tries again
    }
  }

  private get table() {
    return this.store.table('chains')
  }
}

const RELAXED = { relaxed: true }

const keyOf = (author: PeerIdString, seq: number) => `${author}/${seq}`

/** The newest of the records that follow each other, as stored, up to so many bytes. */
function newestRows(
  records: readonly ArchivedRecord[],
  limit: number
): Array<{ seq: number; value: Uint8Array }> {
  const rows: Array<{ seq: number; value: Uint8Array }> = []
  let size = 0
  for (const { seq, record } of records.toReversed()) {
    const value = encode(record)
    size += value.byteLength
    const above = rows.at(-1)
    if ((above !== undefined && above.seq !== seq + 1) || (size > limit && rows.length > 0)) {
      break
    }
    rows.push({ seq, value })
  }
  return rows.reverse()
}
