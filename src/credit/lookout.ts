import { equals } from 'uint8arrays/equals'
import {
  decodeStrict,
  type LedgerRequest,
  type Milliseconds,
  type PeerIdString,
  record as recordSchema,
  SIGNED_PAYLOAD_MAX,
  type Signed
} from '../wire/index.ts'
import { ASK_MS, PLACES_KEPT, WATCHED_MAX } from './constants.ts'
import type { ForkBook } from './fork-book.ts'
import type { ChainState } from './state.ts'
import type { LedgerTransport } from './transport.ts'
import type { VerifiedRecord } from './verify.ts'

export interface LookoutInit {
  readonly self: PeerIdString
  readonly transport: Pick<LedgerTransport, 'call' | 'connectedPeers'>
  readonly log: (message: string) => void
  readonly within: (ms: Milliseconds, signal?: AbortSignal) => AbortSignal
  readonly forks: Pick<ForkBook, 'found' | 'has'>
  /** The records of an author that this node follows, from the one right after a place on. */
  readonly kept: (author: PeerIdString, after: number) => Promise<readonly Signed[]>
}

/** Whom an author names is its own choice: a node dials no more than so many at a time for that. */
const LOOKING_MAX = 14

interface Watched {
  /** Place of the unsure seat. */
  readonly seat: number
  /** Witnesses before it that have not answered yet. */
  readonly unheard: Set<PeerIdString>
}

/**
 * An author that names new witnesses without a quorum of its old ones says that these are gone. If it has gone another
 * way with them before, they keep other records of those places: two of them are the proof of a fork. So whoever follows
 * such a chain asks them all, at once and whenever it meets one, until each has answered. They are asked for the places
 * from the seat on, and for their newest ones: who goes back may put as many free records before the seat as it likes.
 */
export class Lookout {
  private readonly init: LookoutInit
  private readonly watched = new Map<PeerIdString, Watched>()
  /** Questions under way to peers that may have to be looked for. */
  private looking = 0

  constructor(init: LookoutInit) {
    this.init = init
  }

  /** A record that this node's vote rests on. */
  see({ record }: VerifiedRecord, before: ChainState | undefined): void {
    const { author } = record
    const isTaken = record.kind === 'seat' && record.body.unsure
    if (before === undefined || !(isTaken || before.unsure) || before.sure.members.length === 0) {
      return
    }
    const seat = isTaken ? record.seq : before.seatSeq
    if (seat === before.sure.seq || this.watched.get(author)?.seat === seat) {
      return
    }
    const unheard = new Set(before.sure.members.filter((peer) => peer !== this.init.self && peer !== author))
    this.watched.delete(author)
    this.watched.set(author, { seat, unheard })
    for (const oldest of this.watched.keys()) {
      if (this.watched.size <= WATCHED_MAX) {
        break
      }
      this.watched.delete(oldest)
    }
    const here = new Set(this.init.transport.connectedPeers())
    for (const peer of unheard) {
      if (here.has(peer)) {
        void this.ask(peer, author)
      } else if (this.looking < LOOKING_MAX) {
        this.looking += 1
        void this.ask(peer, author).finally(() => {
          this.looking -= 1
        })
      }
    }
  }

  /** A peer is there: it may have been a witness of somebody. */
  met(peer: PeerIdString): void {
    for (const [author, { unheard }] of this.watched) {
      if (unheard.has(peer)) {
        void this.ask(peer, author)
      }
    }
  }

  /** Asks those that are there and gave no answer when they came. */
  tend(): void {
    for (const peer of this.init.transport.connectedPeers()) {
      this.met(peer)
    }
  }

  /** Never rejects. */
  private async ask(peer: PeerIdString, author: PeerIdString): Promise<void> {
    const { transport, within, forks, log } = this.init
    const watched = this.watched.get(author)
    if (watched === undefined || forks.has(author)) {
      return
    }
    const answer = (question: LedgerRequest) => transport.call(peer, question, within(ASK_MS))
    try {
      const [after, newest] = await Promise.all([
        answer({ t: 'records', author, after: watched.seat - 1 }),
        answer({ t: 'head', author, after: -1 })
      ])
      if (after.t === 'records' && newest.t === 'head') {
        watched.unheard.delete(peer)
        await this.compareNewest(author, newest.tail.slice(-PLACES_KEPT))
        await this.compare(author, watched.seat, after.tail)
      }
    } catch (error) {
      log(`${peer} did not say what it keeps of ${author}: ${String(error)}`)
    }
  }

  /** Sets the newest records of another against those of this node: where one is the same, all before it are. */
  private async compareNewest(author: PeerIdString, theirs: readonly Signed[]): Promise<void> {
    const { forks, kept } = this.init
    for (const two of theirs.toReversed()) {
      const { seq } = decodeStrict(two.payload, recordSchema, SIGNED_PAYLOAD_MAX)
      const [one] = await kept(author, seq - 1)
      if (one !== undefined) {
        await (equals(one.payload, two.payload) ? undefined : forks.found({ kind: 'records', one, two }))
        return
      }
    }
  }

  /** Sets the records of another, from the seat's place on, against those of this node. */
  private async compare(author: PeerIdString, seat: number, theirs: readonly Signed[]): Promise<void> {
    const { forks, kept } = this.init
    const ours = theirs.length > 0 ? await kept(author, seat - 1) : []
    for (const [i, two] of theirs.entries()) {
      const one = ours[i]
      if (one !== undefined && !equals(one.payload, two.payload)) {
        await forks.found({ kind: 'records', one, two }) // one that is no proof says nothing
        return
      }
    }
  }
}
