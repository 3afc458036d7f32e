import * as z from 'zod/mini'
import type { Store } from '../store/index.ts'
import {
  cid,
  decode,
  encode,
  type Milliseconds,
  type Network,
  natural,
  type PeerIdString,
  peerId
} from '../wire/index.ts'
import type { Certifier, Proposal } from './certify.ts'
import type { AuthorClock } from './clock.ts'
import { CLOCK_MS, LOOK_AGAIN_MS, MUTE_MS, RESEAT_VOTE_MS } from './constants.ts'
import type { ForkBook } from './fork-book.ts'
import type { OwnChain } from './own-chain.ts'
import { type Presence, quorumOf, type Seat, type SeatChange, seatChange } from './seat.ts'
import type { ChainState } from './state.ts'
import type { LedgerTransport } from './transport.ts'

export interface SeatKeeperInit {
  readonly store: Store
  readonly chain: OwnChain
  readonly certifier: Certifier
  readonly transport: LedgerTransport
  readonly network: Network
  readonly now: () => Milliseconds
  readonly clock: Pick<AuthorClock, 'hear' | 'isDoubtful' | 'renew'>
  readonly forks: Pick<ForkBook, 'has'>
  readonly log: (message: string) => void
  readonly changed: () => void
  readonly within: (ms: Milliseconds, signal?: AbortSignal) => AbortSignal
}

const PROPOSAL = 'seat-proposal'
const proposalSchema = z.strictObject({ seq: natural, prev: cid, members: z.array(peerId) })

/** Sees to it that this node has witnesses when it spends, and that those who left are replaced. */
export class SeatKeeper {
  private readonly upSince = new Map<PeerIdString, Milliseconds>()
  private readonly lastSeen = new Map<PeerIdString, Milliseconds>()
  /** Those that were asked and gave no vote, until they come back, or for a while. */
  private readonly mute = new Map<PeerIdString, Milliseconds>()
  private readonly init: SeatKeeperInit
  private changing: Promise<void> | undefined
  private asking: Promise<void> | undefined

  constructor(init: SeatKeeperInit) {
    this.init = init
  }

  async load(state: ChainState): Promise<void> {
    for (const peer of state.seat.members) {
      this.lastSeen.set(peer, this.init.now()) // their silence counts from here
    }
    const proposal = await this.proposal()
    this.init.chain.promise(proposal?.seq === state.seq + 1 ? proposal.seq : undefined)
  }

  /** The peer is there, or there again. */
  seen(peer: PeerIdString): void {
    this.mute.delete(peer)
  }

  /** The chain is another one: who gave no vote on what it was before may give one now. */
  forgive(): void {
    this.mute.clear()
  }

  /** Members that were asked for a vote and gave none in time. */
  silent(members: readonly PeerIdString[], voters: Iterable<PeerIdString>): void {
    const heard = new Set(voters)
    for (const peer of members) {
      if (!heard.has(peer)) {
        this.mute.set(peer, this.init.now())
      }
    }
  }

  /**
   * Resolves when the seat can vote, or when there is nobody who could: then the payees' signatures are the
   * certificate. Waits for a quorum as long as the network is patient, and goes on with an unsure seat after that.
   */
  async ready(signal: AbortSignal): Promise<Seat> {
    while (true) {
      signal.throwIfAborted()
      const { seat } = await this.init.chain.latest()
      const presence = await this.look(seat)
      const change = await this.due(presence)
      if (change?.unsure) {
        await this.change(change)
        continue
      }
      if (change && (await this.isPromised())) {
        await this.change(change) // nothing but this seat may come next
        await pause(LOOK_AGAIN_MS, signal)
        continue
      }
      const here = new Set(presence.candidates.map(({ peer }) => peer))
      if (seat.members.filter((peer) => here.has(peer)).length >= seat.quorum) {
        return seat
      }
      await pause(LOOK_AGAIN_MS, signal)
    }
  }

  /** Replaces who was silent for too long, and fills a larger seat. Never rejects. */
  async tend(): Promise<void> {
    try {
      const { seat } = await this.init.chain.latest()
      const change = seat.members.length > 0 ? await this.due(await this.look(seat)) : undefined
      if (change && !change.unsure) {
        await this.change(change)
      }
    } catch (error) {
      this.init.log(`The seat stays as it is: ${String(error)}`)
    }
  }

  private async due(presence: Presence): Promise<SeatChange | undefined> {
    const state = await this.init.chain.latest()
    const proposal = await this.proposal()
    if (proposal?.seq === state.seq + 1) {
      // some have voted for it: it must stand, with their votes or without
      const change = seatChange(state.seat, presence)
      return { members: proposal.members, unsure: change?.unsure ?? false }
    }
    return seatChange(state.seat, presence)
  }

  private async look(seat: Seat): Promise<Presence> {
    const { transport, now, network } = this.init
    const at = now()
    for (const [peer, since] of this.mute) {
      if (at > since + MUTE_MS) {
        this.mute.delete(peer)
      }
    }
    const { forks } = this.init
    const here = new Set(
      (await transport.voters()).filter((peer) => !this.mute.has(peer) && !forks.has(peer))
    )
    for (const peer of this.upSince.keys()) {
      if (!here.has(peer)) {
        this.upSince.delete(peer)
      }
    }
    for (const peer of here) {
      this.upSince.set(peer, this.upSince.get(peer) ?? at)
      this.lastSeen.set(peer, at)
    }
    for (const peer of this.lastSeen.keys()) {
      // who has voted twice is replaced at once
      if (!here.has(peer) && (forks.has(peer) || !seat.members.includes(peer))) {
        this.lastSeen.delete(peer)
      }
    }
    const candidates = [...this.upSince].map(([peer, upSince]) => ({ peer, upSince }))
    return { candidates, lastSeen: this.lastSeen, now: at, patienceMs: network.parameters.seatPatienceMs }
  }

  private async change(change: SeatChange): Promise<void> {
    this.changing ??= this.append(change).finally(() => {
      this.changing = undefined
    })
    await this.changing
  }

  private async append({ members, unsure }: SeatChange): Promise<void> {
    const { chain, changed } = this.init
    const quorum = quorumOf(members.length)
    if (unsure) {
      await this.askTime(members, quorum)
    }
    await chain.append(async (state, ts) => {
      if (state === undefined) {
        return undefined
      }
      const body = { members: [...members], quorum, unsure }
      if (unsure) {
        return { intent: { kind: 'seat', ts, body: { ...body, votes: [] } } }
      }
      const proposal = { seq: state.seq + 1, prev: state.id, members }
      await this.init.store.table('meta').put(PROPOSAL, encode(proposal))
      chain.promise(proposal.seq)
      const votes = await this.init.certifier.collectReseats(
        proposal,
        state.seat.members,
        this.init.within(RESEAT_VOTE_MS),
        state.seat.quorum
      )
      for (const peer of votes.keys()) {
        this.seen(peer)
      }
      if (votes.size < state.seat.quorum) {
        this.silent(state.seat.members, votes.keys()) // connected, as it seems, and dead
      }
      return votes.size < state.seat.quorum
        ? undefined // some may have voted: the proposal stays
        : { intent: { kind: 'seat', ts, body: { ...body, votes: [...votes.values()] } } }
    })
    changed()
  }

  private async isPromised(): Promise<boolean> {
    const { seq } = await this.init.chain.latest()
    return (await this.proposal())?.seq === seq + 1
  }

  /** Before anything is signed: asks the seat for its time where this device's may be another. Never rejects. */
  async setClock(): Promise<void> {
    const { chain, clock } = this.init
    if (clock.isDoubtful && this.asking === undefined) {
      const { seat } = await chain.latest()
      clock.renew()
      this.asking = this.askTime(seat.members, seat.quorum).finally(() => {
        this.asking = undefined
      })
    }
    await this.asking
  }

  /** Before anything is signed for a seat that has not voted yet: a record of another hour would get no vote. */
  private async askTime(members: readonly PeerIdString[], quorum: number): Promise<void> {
    const { chain, clock, transport, within, log } = this.init
    const { author } = await chain.latest()
    const question = { t: 'head' as const, author, after: Number.MAX_SAFE_INTEGER }
    const signal = within(CLOCK_MS)
    await Promise.all(
      members.map(async (peer) => {
        try {
          const answer = await transport.call(peer, question, signal)
          if (answer.t === 'head') {
            clock.hear(peer, answer.now, members, quorum)
          }
        } catch (error) {
          log(`${peer} did not tell its time: ${String(error)}`)
        }
      })
    )
  }

  private async proposal(): Promise<Proposal | undefined> {
    const bytes = await this.init.store.table('meta').get(PROPOSAL)
    return bytes && decode(bytes, proposalSchema, Number.POSITIVE_INFINITY)
  }
}

/** Resolves after that time, rejects when the signal comes. */
function pause(ms: Milliseconds, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort)
      resolve()
    }, ms)
    const abort = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
  })
}
