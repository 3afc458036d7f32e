import type { CID } from 'multiformats/cid'
import * as z from 'zod/mini'
import type { Store } from '../store/index.ts'
import { cid, decode, encode, natural, type PeerIdString, type Signed, signed } from '../wire/index.ts'
import { Archive } from './archive.ts'
import { PLACES_BYTES, PLACES_KEPT } from './constants.ts'

const place = z.strictObject({
  seq: natural,
  /** Null where the vote was for a seat that is not signed yet. */
  id: z.nullable(cid),
  record: z.nullable(signed),
  /** Null for a record that this node followed, and was not asked to vote on. */
  vote: z.nullable(signed),
  /** Whether this node votes for it when it is asked. */
  may: z.boolean()
})

const page = z.strictObject({
  /** The highest place voted on, for ever: no other record at or below it is voted for. */
  seq: natural,
  /** The newest places of the branch that this node follows, oldest first. */
  recent: z.array(place)
})

/** A place in another author's chain, as this node knows it. */
export type Place = z.output<typeof place>
export type Page = z.output<typeof page>

/** This node's votes, one page an author. They are stored before anybody hears of them. */
export class VoteBook {
  private authors = 0
  private readonly store: Store
  private readonly archive: Archive

  /** @param init `believes`: whose older records are kept longer, where there is no room for all */
  constructor({ store, believes }: { store: Store; believes?: (peer: PeerIdString) => boolean }) {
    this.store = store
    this.archive = new Archive({ store, ...(believes && { knows: believes }) })
  }

  async load(): Promise<void> {
    this.authors = (await this.store.table('votes').entries()).length
    await this.archive.load()
  }

  get size(): number {
    return this.authors
  }

  async page(author: PeerIdString): Promise<Page | undefined> {
    const bytes = await this.store.table('votes').get(author)
    return bytes && decode(bytes, page, Number.POSITIVE_INFINITY)
  }

  /** Whether that is one of the newest records on which this node has voted, or that its votes rest on. */
  async holds(author: PeerIdString, record: CID): Promise<boolean> {
    return (await this.page(author))?.recent.some(({ id }) => id?.equals(record) === true) === true
  }

  /** Puts places into an author's page, those of the same `seq` anew, and lets the oldest go. */
  async write(author: PeerIdString, before: Page | undefined, places: readonly Place[]): Promise<void> {
    const seqs = new Set(places.map(({ seq }) => seq))
    const kept = (before?.recent ?? []).filter(({ seq }) => !seqs.has(seq))
    const all = [...kept, ...places].sort((a, b) => a.seq - b.seq)
    const first = firstKept(all)
    const [past, recent] = [all.slice(0, first), all.slice(first)]
    const seq = Math.max(before?.seq ?? 0, ...seqs)
    await this.store.table('votes').put(author, encode({ seq, recent }))
    this.authors += before ? 0 : 1
    this.archive.add(
      author,
      past.flatMap(({ seq, record }) => (record ? [{ seq, record }] : []))
    )
  }

  /** The author's records from `after` + 1 on, oldest first: as many as one message takes; none where that one is gone. */
  async records(author: PeerIdString, after: number): Promise<Signed[]> {
    const older = await this.archive.page(author, after)
    const next = after + 1 + older.length
    const { recent = [] } = (await this.page(author)) ?? {}
    const newer = recent.filter(({ seq, record }) => seq >= next && record !== null)
    return newer[0]?.seq === next ? [...older, ...newer.flatMap(({ record }) => record ?? [])] : older
  }
}

/** The index of the oldest of the newest places. */
function firstKept(places: readonly Place[]): number {
  let bytes = 0
  const last = places.findLastIndex(({ record }, index) => {
    bytes += record?.payload.byteLength ?? 0
    return index < places.length - PLACES_KEPT || (bytes > PLACES_BYTES && index < places.length - 1)
  })
  return last + 1
}

/** Votes for seats that were to come on a branch that its author has given up: they stay given, and bind no more. */
export const withoutPromises = (page: Page | undefined): Page | undefined =>
  page && { ...page, recent: page.recent.filter(({ id }) => id !== null) }
