import type { PrivateKey } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import * as z from 'zod/mini'
import type { Store } from '../store/index.ts'
import {
  cid,
  DOMAINS,
  decode,
  decodeStrict,
  encode,
  type LedgerRequest,
  type LedgerResponse,
  type Milliseconds,
  type Network,
  natural,
  type PeerIdString,
  record as recordSchema,
  SIGNED_PAYLOAD_MAX,
  type Signed,
  sign,
  signed,
  type Vote
} from '../wire/index.ts'
import { applyRecord } from './chain.ts'
import {
  AUTHORS_MAX,
  CHAIN_LENGTH_MAX,
  RECENT_VOTES,
  STATES_IN_MEMORY,
  WAITING_PER_AUTHOR_MAX
} from './constants.ts'
import { CreditError, ensure } from './errors.ts'
import { serialByKey } from './serial.ts'
import type { ChainState } from './state.ts'
import { decodeState, encodeState } from './state-codec.ts'
import { type VerifiedRecord, verifyRecord } from './verify.ts'

const votesSchema = z.strictObject({
  /** The highest place voted on, for ever: nothing at or below it is voted on again. */
  seq: natural,
  recent: z.array(z.strictObject({ id: cid, seq: natural, vote: signed, record: signed }))
})

type Votes = z.output<typeof votesSchema>

/**
 * Whether this node votes on a record that follows its author's chain. Stores what the vote commits it to.
 * Throws to refuse. The payee's rules are one; those of a seat's member come beside it.
 */
export type VotingRule = (verified: VerifiedRecord) => Promise<void>

/**
 * The voting side of the ledger: follows other authors' chains, votes once for a place, persists before it
 * answers, and shows the record that it has to whoever comes with another one.
 */
export class Witness {
  private readonly states = new Map<PeerIdString, ChainState>()
  private readonly inTurn = serialByKey(WAITING_PER_AUTHOR_MAX)
  private readonly store: Store
  private readonly key: PrivateKey
  private readonly network: Network
  private readonly self: PeerIdString
  private readonly now: () => Milliseconds
  private readonly rule: VotingRule
  private authors = 0

  constructor(init: {
    store: Store
    key: PrivateKey
    network: Network
    self: PeerIdString
    now: () => Milliseconds
    rule: VotingRule
  }) {
    this.store = init.store
    this.key = init.key
    this.network = init.network
    this.self = init.self
    this.now = init.now
    this.rule = init.rule
  }

  async load(): Promise<void> {
    this.authors = (await this.store.table('votes').entries()).length
  }

  /** @throws CreditError or WireError: the reason of the refusal */
  certify(from: PeerIdString, request: LedgerRequest & { t: 'certify' }): Promise<LedgerResponse> {
    return this.inTurn(from, async () => {
      const verified = await verifyRecord(request.record, this.network)
      const { record } = verified
      ensure(record.author === from, 'NOT_CONCERNED', 'Only its author asks for votes on a record.')
      ensure(record.seq < CHAIN_LENGTH_MAX, 'BUSY', 'The chain is too long for this node.')
      const votes = await this.votesOf(from)
      const earlier = votes?.recent.find(({ seq }) => seq === record.seq)
      if (earlier) {
        return earlier.id.equals(verified.id)
          ? { t: 'vote', vote: earlier.vote }
          : { t: 'conflict', record: earlier.record }
      }
      ensure(record.seq > (votes?.seq ?? -1), 'BAD_RECORD', 'This node has voted on a later record.')
      ensure(votes !== undefined || this.authors < AUTHORS_MAX, 'BUSY', 'This node follows too many chains.')
      this.checkClock(record.ts)
      return this.vote(verified, request, votes)
    })
  }

  private async vote(
    verified: VerifiedRecord,
    { record: envelope, tail }: LedgerRequest & { t: 'certify' },
    votes: Votes | undefined
  ): Promise<LedgerResponse> {
    const { author, seq } = verified.record
    let next: ChainState
    try {
      const state = await this.follow(author, tail)
      if (seq > (state?.seq ?? -1) + 1) {
        return { t: 'need', after: state?.seq ?? -1 }
      }
      ensure(
        seq > (state?.seq ?? -1),
        'FORK',
        'This node knows another record, or a later one, of that place.'
      )
      next = applyRecord(state, verified, this.network.parameters)
    } catch (error) {
      const known = votes?.recent.at(-1)
      if (error instanceof CreditError && error.code === 'FORK' && known) {
        return { t: 'conflict', record: known.record }
      }
      throw error
    }
    await this.rule(verified)
    return { t: 'vote', vote: await this.persist(verified, envelope, next, votes) }
  }

  private async persist(
    { id, record: { author, seq } }: VerifiedRecord,
    envelope: Signed,
    state: ChainState,
    votes: Votes | undefined
  ): Promise<Signed> {
    const vote = await this.sign(author, seq, id)
    const recent = [...(votes?.recent ?? []), { id, seq, vote, record: envelope }].slice(-RECENT_VOTES)
    await this.store.table('votes').put(author, encode({ seq, recent }))
    this.authors += votes ? 0 : 1
    this.remember(state)
    // a cache: after a loss the author sends its chain again
    await this.store.table('chains').put(author, encodeState(state), { relaxed: true })
    return vote
  }

  private sign(subject: PeerIdString, seq: number, record: CID): Promise<Signed> {
    const vote: Vote = {
      v: 1,
      net: this.network.hash,
      author: this.self,
      ts: this.now(),
      kind: 'vote',
      subject,
      seq,
      record
    }
    return sign(this.key, DOMAINS.statement, vote)
  }

  /** The author's state after the tail; what is known of the tail already is skipped. */
  private async follow(author: PeerIdString, tail: readonly Signed[]): Promise<ChainState | undefined> {
    let state = await this.stateOf(author)
    const before = state
    for (const envelope of tail) {
      const { seq } = decodeStrict(envelope.payload, recordSchema, SIGNED_PAYLOAD_MAX)
      if (state !== undefined && seq < state.seq) {
        continue
      }
      const verified = await verifyRecord(envelope, this.network)
      if (state !== undefined && seq === state.seq) {
        ensure(verified.id.equals(state.id), 'FORK', 'The tail holds another record than this node knows.')
        continue
      }
      if (seq !== (state?.seq ?? -1) + 1) {
        break // a gap: `need` says from where
      }
      ensure(verified.record.author === author, 'BAD_RECORD', 'The tail is of another chain.')
      state = applyRecord(state, verified, this.network.parameters)
    }
    if (state !== undefined && state !== before) {
      this.remember(state)
    }
    return state
  }

  private async stateOf(author: PeerIdString): Promise<ChainState | undefined> {
    const known = this.states.get(author)
    if (known) {
      return known
    }
    const bytes = await this.store.table('chains').get(author)
    return bytes && decodeState(bytes)
  }

  /** In memory only: a stranger that gets no vote leaves nothing in the store. */
  private remember(state: ChainState): void {
    this.states.delete(state.author)
    this.states.set(state.author, state)
    for (const oldest of this.states.keys()) {
      if (this.states.size <= STATES_IN_MEMORY) {
        break
      }
      this.states.delete(oldest)
    }
  }

  private async votesOf(author: PeerIdString): Promise<Votes | undefined> {
    const bytes = await this.store.table('votes').get(author)
    return bytes && decode(bytes, votesSchema, Number.POSITIVE_INFINITY)
  }

  private checkClock(ts: Milliseconds): void {
    const { clockSkewMs } = this.network.parameters
    const apart = Math.abs(ts - this.now())
    ensure(
      apart <= clockSkewMs,
      'CLOCK',
      `Our clocks are ${Math.round(apart / 1000)} s apart: set yours right.`
    )
  }
}
