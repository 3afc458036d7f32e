import type { PrivateKey } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import type { Store } from '../store/index.ts'
import {
  cidOf,
  DOMAINS,
  type LedgerRequest,
  type LedgerResponse,
  type Milliseconds,
  type Network,
  type PeerIdString,
  type Signed,
  sign,
  type VerifySignature
} from '../wire/index.ts'
import { Cashier, type Unsigned } from './cashier.ts'
import { ChainRows } from './chain-rows.ts'
import { inherits } from './chain-seats.ts'
import { believedState } from './chain-start.ts'
import { checkPromises, contradiction, healedIn, olderContradiction, orConflict } from './conflicts.ts'
import { AUTHORS_MAX, WAITING_PER_AUTHOR_MAX } from './constants.ts'
import { Deposits } from './deposits.ts'
import { decodeStatement } from './envelope.ts'
import { ensure } from './errors.ts'
import { readEvidence } from './evidence.ts'
import { type Followed, Follower, type Step } from './follower.ts'
import type { ForkBook } from './fork-book.ts'
import { SEAT_SIZES } from './seat.ts'
import { serialByKey } from './serial.ts'
import { type VerifiedRecord, verifyRecord } from './verify.ts'
import { type Page, type Place, VoteBook, withoutPromises } from './vote-book.ts'
import { checkClock, type Evidence, foundRight, isOver, isWitnessOf } from './voting.ts'

/**
 * Whether this node votes, other than as a witness, on a record that follows its author's chain: the payee's rule.
 * Stores what the vote commits it to. Throws to refuse.
 */
export type VotingRule = (verified: VerifiedRecord) => Promise<void>

type Certify = Extract<LedgerRequest, { t: 'certify' }>
type Reseating = Extract<LedgerRequest, { t: 'reseat' }>

/**
 * The voting side of the ledger: follows other authors' chains, votes once for a place, persists before it
 * answers, and shows the record that it has to whoever comes with another one.
 */
export class Witness {
  readonly forks: ForkBook
  readonly cashier: Cashier
  readonly book: VoteBook
  private readonly inTurn = serialByKey(WAITING_PER_AUTHOR_MAX)
  private readonly rows: ChainRows
  private readonly follower: Follower
  /** Chains that heal: the branch that this node does not know is followed from its first record. */
  private readonly rebuilt: Follower
  private readonly deposits: Deposits
  private readonly key: PrivateKey
  private readonly network: Network
  private readonly self: PeerIdString
  private readonly now: () => Milliseconds
  private readonly rule: VotingRule
  private readonly followed: (step: Step) => void
  private readonly believes: (peer: PeerIdString) => boolean

  constructor(init: {
    store: Store
    key: PrivateKey
    network: Network
    self: PeerIdString
    now: () => Milliseconds
    forks: ForkBook
    rule: VotingRule
    /** Each record that this node's vote rests on, in its chain's order. @default nobody listens */
    followed?: (step: Step) => void
    /** On whose word this node reads a chain from a checkpoint: a quorum of these. @default nobody's */
    believes?: (peer: PeerIdString) => boolean
    verify?: VerifySignature | undefined
  }) {
    this.forks = init.forks
    this.book = new VoteBook(init)
    this.rows = new ChainRows(init)
    this.follower = new Follower({ network: init.network, verify: init.verify, rows: this.rows })
    this.rebuilt = new Follower({ network: init.network, verify: init.verify })
    this.deposits = new Deposits(init)
    this.cashier = new Cashier({
      ...init,
      deposits: this.deposits,
      knows: (peer) => this.believes(peer),
      follows: async (author, escrow) =>
        (await this.follower.of(author)).state?.openEscrows.has(escrow.toString()) === true,
      sign: (statement) => this.sign(statement)
    })
    this.key = init.key
    this.network = init.network
    this.self = init.self
    this.now = init.now
    this.rule = init.rule
    this.followed = init.followed ?? (() => {})
    this.believes = init.believes ?? (() => false)
  }

  async load(): Promise<void> {
    await Promise.all([this.book.load(), this.deposits.load(this.now()), this.rows.load()])
  }

  /** Resolves when what is kept of other chains is written. */
  idle(): Promise<void> {
    return this.rows.idle()
  }

  /** Drops what nobody votes on any more. */
  forget(): Promise<void> {
    return this.deposits.forget(this.now())
  }

  /** @throws CreditError or WireError: the reason of the refusal */
  certify(from: PeerIdString, request: Certify): Promise<LedgerResponse> {
    return this.inTurn(from, async () => {
      const verified = await verifyRecord(request.record, this.network)
      const { record } = verified
      ensure(record.author === from, 'NOT_CONCERNED', 'Only its author asks for votes on a record.')
      const page = await this.pageFor(from)
      const isHeal = 'branch' in verified
      const other = isHeal ? undefined : await this.conflictIn(page, [...request.tail, request.record])
      if (other) {
        return { t: 'conflict', record: other }
      }
      const known = page?.recent.find(({ seq }) => seq === record.seq)
      if (known?.id) {
        return this.again(from, page, known, verified)
      }
      if (isHeal) {
        return orConflict(page, () => this.certifyHeal(verified, request, page))
      }
      this.forks.refuse(from)
      ensure(record.seq > (page?.seq ?? -1), 'BAD_RECORD', 'This node has voted on a later record.')
      checkClock(verified, this.now(), this.network.parameters)
      return orConflict(page, async () => {
        const followed = await this.catchUp(from, request, record.seq, page)
        if ('t' in followed) {
          return followed
        }
        const last = { envelope: request.record, verified, before: followed.state }
        return this.vote(last, followed, page, request)
      })
    })
  }

  /** Whichever of the two branches this node has followed: from here on it follows what the heal makes of them. */
  private async certifyHeal(
    verified: Extract<VerifiedRecord, { branch: unknown }>,
    request: Certify,
    page: Page | undefined
  ): Promise<LedgerResponse> {
    const { record } = verified
    const { author, seq } = record
    ensure(seq > (page?.seq ?? -1), 'BAD_RECORD', 'This node has voted on a later record.')
    checkClock(verified, this.now(), this.network.parameters)
    const top = page?.recent.findLast(({ id }) => id !== null)?.id
    const lost = [...healedIn(request.tail), ...record.body.branch]
    const isJoined = (await Promise.all(lost.map(({ payload }) => cidOf(payload)))).some((id) =>
      top?.equals(id)
    )
    const isOff = isJoined || (await this.rebuilt.of(author)).steps.length > 0
    const follower = isOff ? this.rebuilt : this.follower
    const { state, steps } = await this.read(follower, author, request)
    if (seq > (state?.seq ?? -1) + 1) {
      return { t: 'need', after: state?.seq ?? -1 }
    }
    // a heal owns up to a fork: the proof stays
    await this.conflictIn(page, isOff ? steps.map(({ envelope }) => envelope) : lost)
    const last = { envelope: request.record, verified, before: state }
    await this.rows.drop(author)
    const answer = await this.vote(last, { state, steps }, isOff ? withoutPromises(page) : page, request)
    this.rebuilt.forget(author)
    await this.forks.healed(author, seq)
    return answer
  }

  /** A vote for a seat that its author has not signed yet: nothing else will be voted for at that place. */
  reseat(from: PeerIdString, request: Reseating): Promise<LedgerResponse> {
    return this.inTurn(from, async () => {
      const { seq, prev, members } = request
      ensure(
        SEAT_SIZES.includes(members.length) && new Set(members).size === members.length && members.length > 0,
        'BAD_RECORD',
        'A seat has 1, 2, 3, 4 or 7 different members.'
      )
      const page = await this.pageFor(from)
      const other = await this.conflictIn(page, request.tail)
      if (other) {
        return { t: 'conflict', record: other }
      }
      const known = page?.recent.find((place) => place.seq === seq)
      if (known?.vote && known.id === null) {
        const given = decodeStatement(known.vote, 'reseat')
        const isSame = given.prev.equals(prev) && given.members.join() === members.join()
        ensure(isSame, 'FORK', 'This node has voted for another seat at that place.')
        return { t: 'vote', vote: known.vote }
      }
      this.forks.refuse(from)
      ensure(seq > (page?.seq ?? -1), 'BAD_RECORD', 'This node has voted on a later record.')
      return orConflict(page, () => this.reseatAfter(from, request, page))
    })
  }

  private async reseatAfter(
    from: PeerIdString,
    request: Reseating,
    page: Page | undefined
  ): Promise<LedgerResponse> {
    const { seq, prev, members } = request
    const followed = await this.catchUp(from, request, seq, page)
    if ('t' in followed) {
      return followed
    }
    const { state } = followed
    ensure(state?.id.equals(prev) === true, 'FORK', 'The seat follows another record than this node knows.')
    ensure(state.seat.members.includes(this.self), 'NOT_CONCERNED', 'This node is not on your seat.')
    const vote = await this.sign({ kind: 'reseat', subject: from, seq, prev, members })
    const places = await this.accept(followed.steps, { releases: [], votes: [] }, page)
    await this.book.write(from, page, [...places, { seq, id: null, record: null, vote, may: true }])
    this.follower.keep(state)
    for (const step of followed.steps) {
      this.followed(step)
    }
    return { t: 'vote', vote }
  }

  /** What this node has of an author's chain, for whoever asks: the author itself after a loss, or a verifier. */
  async head({ author, after }: Extract<LedgerRequest, { t: 'head' }>): Promise<LedgerResponse> {
    const page = await this.book.page(author)
    const places = (page?.recent ?? []).filter(({ seq, record }) => seq > after && record !== null)
    const last = places.at(-1)?.seq ?? -1
    const seq = Math.max(last, page?.recent.findLast(({ record }) => record !== null)?.seq ?? -1)
    return { t: 'head', seq, now: this.now(), tail: places.flatMap(({ record }) => record ?? []) }
  }

  /** Sets records of an author that came from elsewhere against those that this node follows. */
  async compare(author: PeerIdString, envelopes: readonly Signed[]): Promise<void> {
    await this.conflictIn(await this.book.page(author), envelopes)
  }

  /**
   * The record of this node's that one of those given contradicts: a fork, whose proof is kept and told.
   *
   * @param envelopes oldest first
   */
  private async conflictIn(
    page: Page | undefined,
    envelopes: readonly Signed[]
  ): Promise<Signed | undefined> {
    const kept: VoteBook['records'] = (author, after) => this.book.records(author, after)
    const found =
      (await contradiction(page, envelopes)) ?? (await olderContradiction(page, envelopes.at(-1), kept))
    if (found) {
      await this.forks.found({ kind: 'records', ...found })
    }
    return found?.one
  }

  private async pageFor(author: PeerIdString): Promise<Page | undefined> {
    const page = await this.book.page(author)
    const room = this.believes(author) ? 2 * AUTHORS_MAX : AUTHORS_MAX
    ensure(page !== undefined || this.book.size < room, 'BUSY', 'This node follows too many chains.')
    return page
  }

  /** A record that this node voted on, or followed and would have voted on. */
  private async again(
    author: PeerIdString,
    page: Page | undefined,
    known: Place,
    { id, record }: VerifiedRecord
  ): Promise<LedgerResponse> {
    if (known.id?.equals(id) !== true) {
      ensure(known.record !== null, 'FORK', 'This node has voted for another record of that place.')
      return { t: 'conflict', record: known.record }
    }
    if (known.vote) {
      return { t: 'vote', vote: known.vote }
    }
    if (record.kind !== 'heal') {
      this.forks.refuse(author) // a vote that was given is repeated; none is added
    }
    const { state } = await this.follower.of(author)
    const mayNow = known.may || inherits(this.self, record, state, this.now(), this.network.parameters)
    ensure(mayNow, 'NOT_CONCERNED', `This node has no vote on that ${record.kind}.`)
    const vote = await this.sign({ kind: 'vote', subject: author, seq: record.seq, record: id })
    await this.book.write(author, page, [{ ...known, vote }])
    return { t: 'vote', vote }
  }

  /** The author's chain up to the place `seq`; or the answer that says what is missing or in its way. */
  private async catchUp(
    author: PeerIdString,
    request: Certify | Reseating,
    seq: number,
    page: Page | undefined
  ): Promise<Followed | LedgerResponse> {
    const followed = await this.read(this.follower, author, request)
    const last = followed.state?.seq ?? -1
    if (seq > last + 1) {
      return { t: 'need', after: last }
    }
    ensure(seq > last, 'FORK', 'This node knows another record, or a later one, of that place.')
    checkPromises(followed.steps, page)
    return followed
  }

  private async read(
    follower: Follower,
    author: PeerIdString,
    request: Certify | Reseating
  ): Promise<Followed> {
    const counts = (peer: PeerIdString) => this.believes(peer) && !this.forks.has(peer)
    const start =
      request.start &&
      (await believedState(request, author, (await follower.of(author)).state, this.network, counts))
    return follower.follow(author, request.tail, start)
  }

  private async vote(
    last: Step,
    { steps }: Followed,
    page: Page | undefined,
    { evidence }: Certify
  ): Promise<LedgerResponse> {
    const { verified, before } = last
    const { author, seq } = verified.record
    const state = await this.follower.after(last)
    checkPromises([last], page)
    const given = await readEvidence(evidence, this.network)
    const isSeated = isWitnessOf(this.self, verified, before)
    if (!isSeated) {
      await this.rule(verified)
    }
    const isKept = this.rows.reserve(state)
    ensure(
      isKept || verified.record.kind !== 'escrow',
      'BUSY',
      'This node keeps as many open escrows as it has room for: settle some, or ask other witnesses.'
    )
    const places = await this.accept([...steps, last], given, page)
    const own = places.at(-1)
    ensure(
      own !== undefined && (own.may || !isSeated),
      'NOT_CONCERNED',
      'This node votes no more on that escrow.'
    )
    const vote = await this.sign({ kind: 'vote', subject: author, seq, record: verified.id })
    await this.book.write(author, page, [...places.slice(0, -1), { ...own, vote }])
    this.follower.keep(state)
    for (const step of [...steps, last]) {
      this.followed(step)
    }
    return { t: 'vote', vote }
  }

  /**
   * Judges what a witness must of the steps, and stores what its vote commits it to. On those that its row of the chain
   * lacks and its page has its votes rest already, with evidence that nobody may have any more.
   *
   * @throws CreditError for a step that this node would not have voted for
   */
  private async accept(steps: readonly Step[], evidence: Evidence, page: Page | undefined): Promise<Place[]> {
    const top = page?.recent.findLast(({ id }) => id !== null)?.id
    const fresh = steps.slice(steps.findIndex(({ verified }) => top?.equals(verified.id)) + 1)
    const now = this.now()
    const given = {
      self: this.self,
      evidence,
      lodged: (escrow: CID) => this.deposits.amounts(escrow),
      voted: (escrow: CID) => this.deposits.voted(escrow),
      now,
      network: this.network.parameters
    }
    const found = fresh.flatMap((step) => foundRight(step, given))
    // all at once: no receipt comes between the look at those lodged and what is voted for
    await Promise.all(found.map(({ body, escrow }) => this.deposits.close(body, escrow.body.tClose)))
    return fresh.map(({ envelope, verified, before }) => {
      const { id, record } = verified
      const { seq } = record
      const known = page?.recent.find((place) => place.seq === seq)
      if (known?.id?.equals(id) === true) {
        return known
      }
      const may = isWitnessOf(this.self, verified, before) && !isOver(verified, before, now)
      // no vote where there may be one for another record: a heal's author goes on from there without it
      return { seq, id, record: envelope, vote: null, may: may && seq > (page?.seq ?? -1) }
    })
  }

  private sign(statement: Unsigned): Promise<Signed> {
    const head = { v: 1 as const, net: this.network.hash, author: this.self, ts: this.now() }
    return sign(this.key, DOMAINS.statement, { ...head, ...statement })
  }
}
