import * as z from 'zod/mini'
import type { Store } from '../store/index.ts'
import {
  decode,
  type EscrowBody,
  encode,
  type MicroCredits,
  type Milliseconds,
  microCredits,
  type Network,
  natural,
  type PeerIdString,
  peerId,
  timestamp
} from '../wire/index.ts'
import { addWork, type CheckedUnit, type Edge, min, NO_EDGE, workOf } from './edges.ts'
import { idleMs, priorityWeight } from './priority.ts'
import { PROMISE, Promises, type Reservation } from './promises.ts'
import { drawOn, giveOn, type Recogniser, recognise, recognition } from './recognition.ts'
import { followStanding, NO_MERIT, type RecognitionShare, type Standing, unused } from './standing.ts'
import type { VerifiedRecord } from './verify.ts'

const edgeSchema = z.strictObject({ work: microCredits, served: microCredits, redeemed: microCredits })

/** Of an author: the place of the last unsure seat that was seen, and until when it makes its author a stranger. */
const unsureSchema = z.strictObject({ seat: natural, until: timestamp })

const EDGE = 'edge/'
const UNSURE = 'unsure/'
const ROW_MAX = 4_096
/** Authors whose standing is kept in memory: what was followed longest ago goes first. */
const STANDINGS_MAX = 4_096
/** Authors whose unsure seats are remembered: those seen longest ago go first, and are seen anew. */
const UNSURE_MAX = 10_000
/** For so long after an unsure seat was first seen its author is a stranger: another branch would show by then. */
const UNSURE_MS = 24 * 3_600_000
/** How long an author that has forked and healed is owed nothing, from when this node saw it heal. */
export const PROBATION_MS = 30 * 24 * 3_600_000
const NOTHING_SHOWN: Standing = new Map()

/** A channel of an escrow that pays this node. */
export interface ChannelTerms {
  readonly payer: PeerIdString
  readonly max: MicroCredits
  /** When the escrow closes, by this node's clock. */
  readonly tClose: Milliseconds
  /** Named by the escrow: nothing is promised beyond. @default what this node would have offered */
  readonly on?: readonly RecognitionShare[]
}

interface Followed {
  readonly seq: number
  readonly standing: Standing
  readonly idleSince: Milliseconds
  readonly firstSeat: Milliseconds | undefined
  /** By its open escrows: what they name for this node. In the standing that is spent already. */
  readonly named: ReadonlyMap<string, readonly RecognitionShare[]>
  /** This node is on the author's seat, and so sees whatever it earns. */
  readonly isWitness: boolean
}

/**
 * What this node owes, and to whom: its edges (stored), the standing of the authors whose chains it follows, and
 * from both the weight of a requester in its queue. A thin shell around `edges`, `standing`, `recognition` and
 * `priority`.
 */
export class Priorities implements Recogniser {
  readonly edges = new Map<PeerIdString, Edge>()
  private readonly promises: Promises
  private readonly followed = new Map<PeerIdString, Followed>()
  /** By this node's clock: from when on the unsure seat of an author is as good as a sure one. In the order of `until`. */
  private readonly unsure = new Map<PeerIdString, z.output<typeof unsureSchema>>()
  /** Until when a peer is owed nothing, whatever it works. */
  private readonly barred = new Map<PeerIdString, Milliseconds>()
  private readonly store: Store
  private readonly network: Network
  readonly self: PeerIdString
  private readonly now: () => Milliseconds

  constructor(init: { store: Store; network: Network; self: PeerIdString; now: () => Milliseconds }) {
    this.store = init.store
    this.network = init.network
    this.self = init.self
    this.now = init.now
    this.promises = new Promises({
      table: init.store.table('meta'),
      now: init.now,
      give: (payer, on, direction) => this.give(payer, direction === 1 ? on : this.held(payer, on), direction)
    })
  }

  async load(): Promise<void> {
    const promises: Array<[string, Uint8Array]> = []
    const unsure: Array<[PeerIdString, z.output<typeof unsureSchema>]> = []
    for (const [key, value] of await this.store.table('meta').entries()) {
      if (key.startsWith(EDGE)) {
        const peer = peerId.parse(key.slice(EDGE.length))
        this.edges.set(peer, decode(value, edgeSchema, ROW_MAX))
      } else if (key.startsWith(PROMISE)) {
        promises.push([key, value])
      } else if (key.startsWith(UNSURE)) {
        unsure.push([peerId.parse(key.slice(UNSURE.length)), decode(value, unsureSchema, ROW_MAX)])
      }
    }
    for (const [author, seen] of unsure.sort(([, a], [, b]) => a.until - b.until)) {
      this.unsure.set(author, seen)
    }
    await this.promises.load(promises)
  }

  /** A unit of `peer` was checked. In memory at once; a crash before it is stored costs the peer a unit of credit. */
  async learnEdge(peer: PeerIdString, unit: CheckedUnit): Promise<void> {
    const work = workOf(unit)
    if (work > 0n && !this.isBarred(peer)) {
      await this.saveEdges(new Map([[peer, addWork(this.edges.get(peer) ?? NO_EDGE, work)]]), true)
    }
  }

  /**
   * The peer has forked: nothing is owed to it any more, nor on its word; 30 days after it has healed a fresh start is
   * possible.
   *
   * @param healedAt by this node's clock. @default never
   */
  bar(peer: PeerIdString, healedAt = Number.POSITIVE_INFINITY): Promise<void> {
    this.barred.set(peer, healedAt + PROBATION_MS)
    return this.forget(peer)
  }

  /** The peer was caught lying: what was owed to it is forfeit. */
  async forget(peer: PeerIdString): Promise<void> {
    this.edges.delete(peer)
    this.followed.delete(peer)
    await this.store.table('meta').delete(EDGE + peer)
  }

  /**
   * A record that the rules of its author's chain accepted, in the chain's order. One that was followed already is
   * skipped; after a gap the standing starts anew, with the records seen from there on.
   *
   * @param escrow that a settle ends
   * @param unsureSeat place of the seat before the record, where that is unsure: since when, this node may not have seen
   */
  follow(verified: VerifiedRecord, escrow?: EscrowBody, unsureSeat?: number): void {
    const { record } = verified
    const { author, seq, ts, idleSince, kind } = record
    const known = this.followed.get(author)
    if (known !== undefined && seq <= known.seq) {
      return
    }
    const before = known?.seq === seq - 1 ? known : undefined
    this.followed.delete(author)
    this.followed.set(author, {
      seq,
      idleSince,
      standing: followStanding(before?.standing ?? new Map(), verified, escrow),
      named: namedFor(this.self, before?.named ?? new Map(), verified),
      firstSeat: before?.firstSeat ?? (kind === 'seat' ? ts : undefined),
      isWitness: kind === 'seat' ? record.body.members.includes(this.self) : (before?.isWitness ?? false)
    })
    const unsure = record.kind === 'seat' && record.body.unsure ? seq : unsureSeat
    if (unsure !== undefined) {
      this.seeUnsure(author, unsure)
    }
    for (const oldest of this.followed.keys()) {
      if (this.followed.size <= STANDINGS_MAX) {
        break
      }
      this.followed.delete(oldest)
    }
  }

  /**
   * On whose account this node serves a requester now, and for how much. Empty: a stranger.
   *
   * @param escrow whose own claim on it is still to be served. @default none: a further one
   */
  sharesOf(payer: PeerIdString, escrow?: string): RecognitionShare[] {
    const own = escrow === undefined ? undefined : this.followed.get(payer)?.named.get(escrow)
    const now = this.standingOf(payer)
    const standing = own === undefined ? now : unspent(now, own)
    return this.isUnsure(payer) ? [] : recognise(this, payer, standing, this.network.parameters)
  }

  /** On whose account this node would serve a requester up to `max`: what its escrow may name. */
  offer(payer: PeerIdString, max: MicroCredits): RecognitionShare[] {
    return drawOn(this.sharesOf(payer), max)
  }

  /**
   * A requester's weight in this node's queue (µcr, faded by its idling); 0: a stranger.
   *
   * @param escrow whose work it is: that of a stranger, once what was promised for it is used; until then what is promised
   * weighs with what is owed. @default any that is still to come
   */
  weightOf(payer: PeerIdString, escrow?: string): number {
    if (this.isUnsure(payer) || (escrow !== undefined && this.promises.left(escrow) === 0n)) {
      return 0
    }
    const idle = this.idle(this.followed.get(payer))
    const { parameters } = this.network
    const promised = escrow === undefined ? 0n : this.promises.leftTo(payer)
    const owed = recognition(this, payer, this.standingOf(payer), parameters) + promised
    return priorityWeight(owed, idle, parameters)
  }

  /** How long ago a peer last earned; 0 where this node does not know it, being none of its witnesses. */
  idleOf(author: PeerIdString): Milliseconds {
    const chain = this.followed.get(author)
    return chain?.isWitness === true ? this.idle(chain) : 0
  }

  private idle(chain: Followed | undefined): Milliseconds {
    return chain === undefined ? 0 : idleMs(chain.idleSince, chain.firstSeat, this.now())
  }

  /**
   * Promises a channel of an escrow: of `max`, so much as is recognised. The rest is strangers' work. The same
   * escrow again gives the same promise, and once that is over what was not used of it.
   */
  async promise(
    escrow: string,
    { payer, max, tClose, on: named }: ChannelTerms
  ): Promise<RecognitionShare[]> {
    await this.promises.sweep()
    const before = this.promises.of(escrow)
    if (before !== undefined) {
      return [...before]
    }
    const used = this.promises.usedBefore(escrow)
    const on =
      named === undefined
        ? this.offer(payer, max - used)
        : within(unused(named, used), this.sharesOf(payer, escrow), max - used)
    if (on.length > 0) {
      await this.promises.make(escrow, { payer, on, tClose })
    }
    return on
  }

  /** Holds a unit's price (µcr) from what is promised. Undefined: it does not cover that; the unit is a stranger's. */
  reserve(escrow: string, price: MicroCredits): Reservation | undefined {
    return this.promises.reserve(escrow, price)
  }

  /** The work on the escrow is over: what of the promise no unit has used is owed again. */
  settled(escrow: string): Promise<void> {
    return this.promises.end(escrow)
  }

  private isBarred(peer: PeerIdString): boolean {
    return this.now() < (this.barred.get(peer) ?? 0)
  }

  private isUnsure(payer: PeerIdString): boolean {
    return this.isBarred(payer) || this.now() < (this.unsure.get(payer)?.until ?? 0)
  }

  /** The day begins when the seat is first seen, and goes on over a restart of this node. */
  private seeUnsure(author: PeerIdString, seat: number): void {
    if (this.unsure.get(author)?.seat === seat) {
      return
    }
    const seen = { seat, until: this.now() + UNSURE_MS }
    this.unsure.delete(author)
    this.unsure.set(author, seen)
    const table = this.store.table('meta')
    const lost = () => {} // what is not stored is seen anew: the day begins again
    table.put(UNSURE + author, encode(seen), { relaxed: true }).catch(lost)
    for (const oldest of this.unsure.keys()) {
      if (this.unsure.size <= UNSURE_MAX) {
        break
      }
      this.unsure.delete(oldest)
      table.delete(UNSURE + oldest).catch(lost)
    }
  }

  private standingOf(payer: PeerIdString): Standing {
    return this.followed.get(payer)?.standing ?? NOTHING_SHOWN
  }

  /** Of what was given, what the edges still show: who was forgotten meanwhile has none, or a new one. */
  private held(payer: PeerIdString, on: readonly RecognitionShare[]): RecognitionShare[] {
    return on.map((share) => {
      const isOwn = share.payer === this.self
      const edge = this.edges.get(isOwn ? payer : share.payer) ?? NO_EDGE
      return { payer: share.payer, amount: min(share.amount, isOwn ? edge.redeemed : edge.served) }
    })
  }

  private give(payer: PeerIdString, on: readonly RecognitionShare[], direction: 1 | -1): Promise<void> {
    return this.saveEdges(giveOn(this, payer, on, this.network.parameters, direction), false)
  }

  private async saveEdges(changed: ReadonlyMap<PeerIdString, Edge>, relaxed: boolean): Promise<void> {
    for (const [peer, edge] of changed) {
      this.edges.set(peer, edge)
    }
    const table = this.store.table('meta')
    await Promise.all([...changed].map(([peer, edge]) => table.put(EDGE + peer, encode(edge), { relaxed })))
  }
}

/** What an author's open escrows name for a node, after one more record. */
function namedFor(
  self: PeerIdString,
  before: Followed['named'],
  { id, record }: VerifiedRecord
): Followed['named'] {
  if (record.kind === 'escrow') {
    const { on = [] } = record.body.payees.find(({ peer }) => peer === self) ?? {}
    return on.length === 0 ? before : new Map([...before, [id.toString(), on]])
  }
  const ended = record.kind === 'settle' ? record.body.escrow.toString() : ''
  return before.has(ended) ? new Map([...before].filter(([escrow]) => escrow !== ended)) : before
}

/** A standing as if these were not spent. */
function unspent(standing: Standing, on: readonly RecognitionShare[]): Standing {
  const after = new Map(standing)
  for (const { payer, amount } of on) {
    const { paid, spent } = standing.get(payer) ?? NO_MERIT
    after.set(payer, { paid, spent: spent > amount ? spent - amount : 0n })
  }
  return after
}

/** Of the shares named, what this node owes; at most `max` in all. */
function within(
  named: readonly RecognitionShare[],
  owed: readonly RecognitionShare[],
  max: MicroCredits
): RecognitionShare[] {
  const byPayer = new Map(owed.map(({ payer, amount }) => [payer, amount]))
  const held = named.flatMap(({ payer, amount }) => {
    const part = min(amount, byPayer.get(payer) ?? 0n)
    byPayer.delete(payer)
    return part > 0n ? [{ payer, amount: part }] : []
  })
  return drawOn(held, max)
}
