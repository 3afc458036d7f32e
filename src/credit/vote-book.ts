import * as z from 'zod/mini'
import type { Store } from '../store/index.ts'
import { cid, decode, encode, natural, type PeerIdString, signed } from '../wire/index.ts'
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

  constructor(init: { store: Store }) {
    this.store = init.store
  }

  async load(): Promise<void> {
    this.authors = (await this.store.table('votes').entries()).length
  }

  get size(): number {
    return this.authors
  }

  async page(author: PeerIdString): Promise<Page | undefined> {
    const bytes = await this.store.table('votes').get(author)
    return bytes && decode(bytes, page, Number.POSITIVE_INFINITY)
  }

  /** Puts places into an author's page, those of the same `seq` anew, and lets the oldest go. */
  async write(author: PeerIdString, before: Page | undefined, places: readonly Place[]): Promise<void> {
    const seqs = new Set(places.map(({ seq }) => seq))
    const kept = (before?.recent ?? []).filter(({ seq }) => !seqs.has(seq))
    const recent = newest([...kept, ...places].sort((a, b) => a.seq - b.seq))
    const seq = Math.max(before?.seq ?? 0, ...seqs)
    await this.store.table('votes').put(author, encode({ seq, recent }))
    this.authors += before ? 0 : 1
  }
}

function newest(places: readonly Place[]): Place[] {
  let bytes = 0
  const first = places.findLastIndex(({ record }, index) => {
    bytes += record?.payload.byteLength ?? 0
    return index < places.length - PLACES_KEPT || (bytes > PLACES_BYTES && index < places.length - 1)
  })
  return places.slice(first + 1)
}

/** Votes for seats that were to come on a branch that its author has given up: they stay given, and bind no more. */
export const withoutPromises = (page: Page | undefined): Page | undefined =>
  page && { ...page, recent: page.recent.filter(({ id }) => id !== null) }
