import type { CID } from 'multiformats/cid'
import type { ChainStart, LedgerRecord, LedgerRequest, Network, PeerIdString, Signed } from '../wire/index.ts'
import type { KeptStart } from './checkpoints.ts'
import type { AuthorClock } from './clock.ts'
import {
  SILENT_MS,
  START_BEYOND,
  START_BEYOND_KNOWN,
  TAIL_BYTES,
  TAIL_RECORDS,
  TAIL_ROUNDS_MAX
} from './constants.ts'
import { isVoteOn, verifyStatement } from './envelope.ts'
import type { OwnChain } from './own-chain.ts'
import type { Proofs } from './proofs.ts'
import { serialByKey } from './serial.ts'
import type { LedgerTransport } from './transport.ts'

export interface OwnRecord {
  readonly id: CID
  readonly record: LedgerRecord
  readonly signed: Signed
}

/** A seat to vote for, before it is signed. */
export interface Proposal {
  readonly seq: number
  readonly prev: CID
  readonly members: readonly PeerIdString[]
}

export type Votes = Map<PeerIdString, Signed>

interface Question {
  readonly seq: number
  request(tail: Signed[], evidence: Signed[], start: { start?: ChainStart }): LedgerRequest
  /** Throws for a vote that is not the one asked for. */
  check(vote: Signed, peer: PeerIdString): Promise<void>
}

const KNOWN_MAX = 1024
/** A stranger gets the whole of a chain up to this length at once, which saves a round trip. */
const SHORT_CHAIN = 64

/** Asks peers for their votes on this node's records: one peer gets them in the chain's order. */
export class Certifier {
  private readonly chain: OwnChain
  private readonly transport: LedgerTransport
  private readonly network: Network
  private readonly proofs: Proofs
  private readonly log: (message: string) => void
  private readonly conflicted: () => void
  private readonly clock: Pick<AuthorClock, 'doubt'> | undefined
  private readonly starts: () => Promise<readonly KeptStart[]>
  private readonly inTurn = serialByKey()
  /** The place up to which a peer has followed this node's chain. */
  private readonly known = new Map<PeerIdString, number>()

  constructor(init: {
    chain: OwnChain
    transport: LedgerTransport
    network: Network
    proofs: Proofs
    log: (message: string) => void
    /** A peer keeps another branch of this node's own chain. @default nobody listens */
    conflicted?: () => void
    /** Doubted where a peer finds a record to be of another time. @default nobody's */
    clock?: Pick<AuthorClock, 'doubt'>
    /** Where this node's own chain may be read from, newest first. @default from its genesis alone */
    starts?: () => Promise<readonly KeptStart[]>
  }) {
    this.chain = init.chain
    this.transport = init.transport
    this.network = init.network
    this.proofs = init.proofs
    this.log = init.log
    this.conflicted = init.conflicted ?? (() => {})
    this.clock = init.clock
    this.starts = init.starts ?? (async () => [])
  }

  /**
   * The valid votes that came before the signal, by voter. Never rejects.
   *
   * @param enough resolves with so many; the other peers are asked on, so that they follow the chain. @default all
   */
  collect(
    own: OwnRecord,
    peers: readonly PeerIdString[],
    signal: AbortSignal,
    enough = peers.length
  ): Promise<Votes> {
    return this.ask(peers, signal, enough, {
      seq: own.record.seq,
      request: (tail, evidence, start) => ({ t: 'certify', record: own.signed, ...start, tail, evidence }),
      check: async (signed, peer) => {
        const vote = await verifyStatement(signed, 'vote', this.network)
        if (vote.author !== peer || !isVoteOn(vote, own.record, own.id)) {
          throw new Error('it voted for something else')
        }
      }
    })
  }

  /** Votes of a seat's members for the seat after it. Never rejects. */
  collectReseats(
    { seq, prev, members }: Proposal,
    peers: readonly PeerIdString[],
    signal: AbortSignal,
    enough: number
  ): Promise<Votes> {
    return this.ask(peers, signal, enough, {
      seq,
      request: (tail, _, start) => ({ t: 'reseat', seq, prev, members: [...members], ...start, tail }),
      check: async (signed, peer) => {
        const vote = await verifyStatement(signed, 'reseat', this.network)
        const isRight =
          vote.author === peer &&
          vote.subject === this.chain.peer &&
          vote.seq === seq &&
          vote.prev.equals(prev) &&
          vote.members.join() === members.join()
        if (!isRight) {
          throw new Error('it voted for another seat')
        }
      }
    })
  }

  private ask(
    peers: readonly PeerIdString[],
    signal: AbortSignal,
    enough: number,
    question: Question
  ): Promise<Votes> {
    const votes: Votes = new Map()
    const done = Promise.withResolvers<Votes>()
    // a copy: votes that come later are not the caller's
    const finish = () => done.resolve(new Map(votes))
    const asked = peers.map(async (peer) => {
      try {
        votes.set(peer, await this.inTurn(peer, () => this.askOne(peer, question, signal)))
        if (votes.size >= enough) {
          finish()
        }
      } catch (error) {
        this.log(`No vote of ${peer} on record ${question.seq}: ${String(error)}`)
      }
    })
    void Promise.all(asked).then(finish)
    // a transport that is slow to notice the signal keeps nobody waiting
    signal.addEventListener('abort', finish, { once: true })
    if (signal.aborted) {
      finish()
    }
    return done.promise.finally(() => signal.removeEventListener('abort', finish))
  }

  private async askOne(peer: PeerIdString, question: Question, signal: AbortSignal): Promise<Signed> {
    const { seq } = question
    let after = this.known.get(peer) ?? (seq <= SHORT_CHAIN ? -1 : seq - 1)
    let untried: readonly KeptStart[] | undefined
    let from: KeptStart | undefined
    for (let round = 0; round < TAIL_ROUNDS_MAX; round++) {
      signal.throwIfAborted()
      const tail = from ? await this.chain.range(from.seq, from.seq + 1) : await this.tail(after, seq)
      const evidence = this.proofs.between(from?.seq ?? after, seq)
      const request = question.request(tail, evidence, from ? { start: from.start } : {})
      const answer = await this.call(peer, request, signal)
      switch (answer.t) {
        case 'vote':
          await question.check(answer.vote, peer)
          this.remember(peer, seq)
          return answer.vote
        case 'need':
          // a start that it does not believe is no reason to send what comes before it twice
          if (answer.after >= seq || (round > 0 && from === undefined && answer.after <= after)) {
            throw new Error('it asks for what it was sent')
          }
          after = answer.after
          untried ??= await this.starts()
          from = untried.find((start) => start.seq < seq && sparesMuch(start, after))
          untried = untried.filter((start) => start !== from)
          break
        case 'refused':
          if (from) {
            from = undefined // whatever it has against this start, the whole chain may do
            untried = []
            break
          }
          if (answer.code === 'CLOCK') {
            this.clock?.doubt()
          }
          throw new Error(`${answer.code}: ${answer.message}`)
        case 'conflict':
          this.conflicted()
          throw new Error('it has another record for that place')
        default:
          throw new Error(`it answered ${answer.t}`)
      }
    }
    throw new Error('the chain is too long for it')
  }

  /** An exchange with whoever lives: one that crashed may look connected for many seconds. */
  private async call(peer: PeerIdString, request: LedgerRequest, signal: AbortSignal) {
    const dead = new AbortController()
    const small = { t: 'forks', author: this.chain.peer } as const
    const timer = setTimeout(() => {
      const asking = AbortSignal.any([signal, AbortSignal.timeout(SILENT_MS)])
      this.transport.call(peer, small, asking).catch((error) => dead.abort(error))
    }, SILENT_MS)
    try {
      return await this.transport.call(peer, request, AbortSignal.any([signal, dead.signal]))
    } finally {
      clearTimeout(timer)
    }
  }

  /** The chain has changed behind its head: peers say anew what they know of it. */
  forget(): void {
    this.known.clear()
  }

  private async tail(after: number, seq: number): Promise<Signed[]> {
    const records = await this.chain.range(after + 1, Math.min(seq, after + 1 + TAIL_RECORDS))
    let size = 0
    return records.filter(({ payload }, index) => {
      size += payload.byteLength + 96
      return index === 0 || size <= TAIL_BYTES
    })
  }

  private remember(peer: PeerIdString, seq: number): void {
    if (this.known.size >= KNOWN_MAX) {
      this.known.clear()
    }
    this.known.set(peer, Math.max(seq, this.known.get(peer) ?? -1))
  }
}

/** Whether reading from there is worth a question that may come to nothing. */
const sparesMuch = ({ seq }: KeptStart, after: number) =>
  seq - after > (after < 0 ? START_BEYOND : START_BEYOND_KNOWN)
