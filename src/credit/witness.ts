import type { PrivateKey } from '@libp2p/interface'
import type { Store } from '../store/index.ts'
import {
  DOMAINS,
  type LedgerRequest,
  type LedgerResponse,
  type Milliseconds,
  type Network,
  type PeerIdString,
  type Signed,
  type Statement,
  sign
} from '../wire/index.ts'
import { checkReceipt, verifyEscrow } from './certificate.ts'
import { AUTHORS_MAX, CHAIN_LENGTH_MAX, WAITING_PER_AUTHOR_MAX } from './constants.ts'
import { Deposits } from './deposits.ts'
import { decodeStatement, verifyStatement } from './envelope.ts'
import { CreditError, ensure } from './errors.ts'
import { readEvidence } from './evidence.ts'
import { type Followed, Follower, type Step } from './follower.ts'
import { SEAT_SIZES } from './seat.ts'
import { serialByKey } from './serial.ts'
import type { ChainState } from './state.ts'
import { type VerifiedRecord, verifyRecord } from './verify.ts'
import { type Page, type Place, VoteBook } from './vote-book.ts'
import { checkClock, checkSettleCase, ESCROW_KEPT_MS, type Evidence, isWitnessOf } from './voting.ts'

/**
 * Whether this node votes, other than as a witness, on a record that follows its author's chain: the payee's rule.
 * Stores what the vote commits it to. Throws to refuse.
 */
export type VotingRule = (verified: VerifiedRecord) => Promise<void>

type Certify = Extract<LedgerRequest, { t: 'certify' }>
type Reseating = Extract<LedgerRequest, { t: 'reseat' }>
type Lodging = Extract<LedgerRequest, { t: 'lodge' }>

/**
 * The voting side of the ledger: follows other authors' chains, votes once for a place, persists before it
 * answers, and shows the record that it has to whoever comes with another one.
 */
export class Witness {
  private readonly inTurn = serialByKey(WAITING_PER_AUTHOR_MAX)
  private readonly book: VoteBook
  private readonly follower: Follower
  private readonly deposits: Deposits
  private readonly key: PrivateKey
  private readonly network: Network
  private readonly self: PeerIdString
  private readonly now: () => Milliseconds
  private readonly rule: VotingRule
  private readonly followed: (step: Step) => void

  constructor(init: {
    store: Store
    key: PrivateKey
    network: Network
    self: PeerIdString
    now: () => Milliseconds
    rule: VotingRule
    /** Each record that this node's vote rests on, in its chain's order. @default nobody listens */
    followed?: (step: Step) => void
  }) {
    this.book = new VoteBook(init)
    this.follower = new Follower(init)
    this.deposits = new Deposits(init)
    this.key = init.key
    this.network = init.network
    this.self = init.self
    this.now = init.now
    this.rule = init.rule
    this.followed = init.followed ?? (() => {})
  }

  async load(): Promise<void> {
    await Promise.all([this.book.load(), this.deposits.load(this.now())])
  }

  /** @throws CreditError or WireError: the reason of the refusal */
  certify(from: PeerIdString, request: Certify): Promise<LedgerResponse> {
    return this.inTurn(from, async () => {
      const verified = await verifyRecord(request.record, this.network)
      const { record } = verified
      ensure(record.author === from, 'NOT_CONCERNED', 'Only its author asks for votes on a record.')
      const page = await this.pageFor(from, record.seq)
      const known = page?.recent.find(({ seq }) => seq === record.seq)
      if (known?.id) {
        return this.again(from, page, known, verified)
      }
      ensure(record.seq > (page?.seq ?? -1), 'BAD_RECORD', 'This node has voted on a later record.')
      checkClock(verified, this.now(), this.network.parameters)
      return orConflict(page, async () => {
        const followed = await this.catchUp(from, request.tail, record.seq, page)
        if ('t' in followed) {
          return followed
        }
        const last = { envelope: request.record, verified, before: followed.state }
        return this.vote(last, followed, page, request)
      })
    })
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
      const page = await this.pageFor(from, seq)
      const known = page?.recent.find((place) => place.seq === seq)
      if (known?.vote && known.id === null) {
        const given = decodeStatement(known.vote, 'reseat')
        const isSame = given.prev.equals(prev) && given.members.join() === members.join()
        ensure(isSame, 'FORK', 'This node has voted for another seat at that place.')
        return { t: 'vote', vote: known.vote }
      }
      ensure(seq > (page?.seq ?? -1), 'BAD_RECORD', 'This node has voted on a later record.')
      return orConflict(page, () => this.reseatAfter(from, request, page))
    })
  }

  private async reseatAfter(
    from: PeerIdString,
    { seq, prev, members, tail }: Reseating,
    page: Page | undefined
  ): Promise<LedgerResponse> {
    const followed = await this.catchUp(from, tail, seq, page)
    if ('t' in followed) {
      return followed
    }
    const { state } = followed
    ensure(state?.id.equals(prev) === true, 'FORK', 'The seat follows another record than this node knows.')
    ensure(state.seat.members.includes(this.self), 'NOT_CONCERNED', 'This node is not on your seat.')
    const vote = await this.sign({ kind: 'reseat', subject: from, seq, prev, members })
    const places = await this.accept(followed.steps, { releases: [], votes: [] })
    await this.book.write(from, page, [...places, { seq, id: null, record: null, vote, may: true }])
    this.follower.keep(state)
    for (const step of followed.steps) {
      this.followed(step)
    }
    return { t: 'vote', vote }
  }

  /** Keeps a payee's receipt: no settle may pay less. */
  async lodge(from: PeerIdString, { escrow, votes, receipt }: Lodging): Promise<LedgerResponse> {
    const { escrow: record, escrowId } = await verifyEscrow({ escrow, votes }, this.network)
    const { body } = record
    ensure(body.witnesses.includes(this.self), 'NOT_CONCERNED', 'This node is no witness of that escrow.')
    ensure(this.now() <= body.tClose + ESCROW_KEPT_MS, 'UNKNOWN_ESCROW', 'That escrow is long over.')
    const given = await verifyStatement(receipt, 'receipt', this.network)
    const index = checkReceipt(given, record, escrowId)
    ensure(given.payee === from, 'NOT_CONCERNED', 'Only its payee lodges a receipt.')
    // in the author's turn: a vote on the settle that is under way comes first, or sees the receipt
    return this.inTurn(record.author, async () => {
      const { payee, amount } = given
      await this.deposits.lodge(escrowId, index, { payee, amount, receipt, tClose: body.tClose })
      return { t: 'ok' }
    })
  }

  /** After tClose: the vote that pays a lodged receipt, whatever the requester does. */
  async payout(
    from: PeerIdString,
    { escrow }: Extract<LedgerRequest, { t: 'payout' }>
  ): Promise<LedgerResponse> {
    const index = this.deposits.indexOf(escrow, from)
    const lodged = this.deposits.get(escrow, index)
    ensure(lodged !== undefined, 'UNKNOWN_ESCROW', 'No receipt of yours is lodged here for that escrow.')
    if (lodged.vote) {
      return { t: 'vote', vote: lodged.vote }
    }
    ensure(this.now() >= lodged.tClose, 'CLOCK', 'The requester may settle until tClose: ask after it.')
    this.deposits.checkSettled(escrow, index, lodged.amount)
    const vote = await this.sign({ kind: 'payout', escrow, payee: from, amount: lodged.amount })
    await this.deposits.pay(escrow, index, vote)
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

  private async pageFor(author: PeerIdString, seq: number): Promise<Page | undefined> {
    ensure(seq < CHAIN_LENGTH_MAX, 'BUSY', 'The chain is too long for this node.')
    const page = await this.book.page(author)
    ensure(page !== undefined || this.book.size < AUTHORS_MAX, 'BUSY', 'This node follows too many chains.')
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
    ensure(known.may, 'NOT_CONCERNED', `This node has no vote on that ${record.kind}.`)
    const vote = await this.sign({ kind: 'vote', subject: author, seq: record.seq, record: id })
    await this.book.write(author, page, [{ ...known, vote }])
    return { t: 'vote', vote }
  }

  /** The author's chain up to the place `seq`; or the answer that says what is missing or in its way. */
  private async catchUp(
    author: PeerIdString,
    tail: readonly Signed[],
    seq: number,
    page: Page | undefined
  ): Promise<Followed | LedgerResponse> {
    const followed = await this.follower.follow(author, tail)
    const last = followed.state?.seq ?? -1
    if (seq > last + 1) {
      return { t: 'need', after: last }
    }
    ensure(seq > last, 'FORK', 'This node knows another record, or a later one, of that place.')
    checkPromises(followed.steps, page)
    return followed
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
    const places = await this.accept([...steps, last], given)
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
   * Judges what a witness must of the steps, and stores what its vote commits it to.
   *
   * @throws CreditError for a step that this node would not have voted for
   */
  private async accept(steps: readonly Step[], evidence: Evidence): Promise<Place[]> {
    const closing = steps.filter((step) => this.judge(step, evidence))
    for (const { verified, before } of closing) {
      if (verified.record.kind === 'settle') {
        const { body } = verified.record
        const tClose = before?.openEscrows.get(body.escrow.toString())?.body.tClose ?? 0
        await this.deposits.close(body, tClose)
      }
    }
    return steps.map(({ envelope, verified, before }) => ({
      seq: verified.record.seq,
      id: verified.id,
      record: envelope,
      vote: null,
      may: isWitnessOf(this.self, verified, before) && !this.isLongOver(verified, before)
    }))
  }

  /** True for a settle over which this node sits, and which it finds right. */
  private judge({ verified, before }: Step, evidence: Evidence): boolean {
    const { record } = verified
    if (
      record.kind !== 'settle' ||
      !isWitnessOf(this.self, verified, before) ||
      this.isLongOver(verified, before)
    ) {
      return false
    }
    const escrow = before?.openEscrows.get(record.body.escrow.toString())
    ensure(escrow !== undefined, 'BAD_RECORD', 'The settle is not of an open escrow of this chain.')
    checkSettleCase({
      settle: verified,
      escrow,
      self: this.self,
      evidence,
      lodged: this.deposits.amounts(record.body.escrow),
      now: this.now(),
      network: this.network.parameters
    })
    return escrow.body.witnesses.includes(this.self)
  }

  private isLongOver({ record }: VerifiedRecord, before: ChainState | undefined): boolean {
    const escrow =
      record.kind === 'settle' ? before?.openEscrows.get(record.body.escrow.toString()) : undefined
    return escrow !== undefined && this.now() > escrow.body.tClose + ESCROW_KEPT_MS
  }

  private sign(
    statement: Statement extends infer S
      ? S extends Statement
        ? Omit<S, 'v' | 'net' | 'author' | 'ts'>
        : never
      : never
  ): Promise<Signed> {
    const head = { v: 1 as const, net: this.network.hash, author: this.self, ts: this.now() }
    return sign(this.key, DOMAINS.statement, { ...head, ...statement })
  }
}

/** Where this node voted for a seat that was to come, that seat must stand. @throws CreditError `FORK` */
function checkPromises(steps: readonly Step[], page: Page | undefined): void {
  for (const { verified } of steps) {
    const { record } = verified
    const promise = page?.recent.find(({ seq, id }) => seq === record.seq && id === null)
    if (promise?.vote) {
      const { members } = decodeStatement(promise.vote, 'reseat')
      ensure(
        record.kind === 'seat' && record.body.members.join() === members.join(),
        'FORK',
        'This node voted for a seat at that place.'
      )
    }
  }
}

/** Who comes with another branch is shown the record that this node has. */
async function orConflict(
  page: Page | undefined,
  answer: () => Promise<LedgerResponse>
): Promise<LedgerResponse> {
  try {
    return await answer()
  } catch (error) {
    const known = page?.recent.findLast(({ record }) => record !== null)?.record
    if (error instanceof CreditError && error.code === 'FORK' && known) {
      return { t: 'conflict', record: known }
    }
    throw error
  }
}
