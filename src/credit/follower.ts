import {
  decodeStrict,
  type Network,
  type PeerIdString,
  record as recordSchema,
  SIGNED_PAYLOAD_MAX,
  type Signed,
  type VerifySignature
} from '../wire/index.ts'
import { applyRecord } from './chain.ts'
import type { ChainRows } from './chain-rows.ts'
import { checkCheckpoint } from './checkpoint.ts'
import {
  CHAIN_READ_BYTES,
  CHAIN_READ_MAX,
  OPEN_BYTES_MAX,
  STATES_IN_MEMORY,
  UNVOTED_BYTES
} from './constants.ts'
import { ensure } from './errors.ts'
import { checkOpenBytes } from './open-bytes.ts'
import type { ChainState } from './state.ts'
import { type VerifiedRecord, verifyRecords } from './verify.ts'
import { settledBy } from './voting.ts'

/** A record that this node has followed and not voted beyond yet. */
export interface Step {
  readonly envelope: Signed
  readonly verified: VerifiedRecord
  /** The chain before it: of its escrows only the one that a settle ends, and no claims. */
  readonly before: ChainState | undefined
}

export interface Followed {
  readonly state: ChainState | undefined
  readonly steps: readonly Step[]
}

/** Records and bytes of one chain that are read before the first vote, and bytes of all such chains in memory. */
export interface FollowLimits {
  readonly records: number
  readonly bytes: number
  readonly all: number
}

/** Follows other authors' chains: their verified states, the newest in memory, all that was voted on in the store. */
export class Follower {
  private readonly known = new Map<PeerIdString, Followed>()
  /** Of the records in memory that are not voted on yet, by author, and in all. */
  private readonly sizes = new Map<PeerIdString, number>()
  private bytes = 0
  private readonly limits: FollowLimits
  private readonly rows: ChainRows | undefined
  private readonly network: Network
  private readonly verify: VerifySignature | undefined

  /** @param init without `rows` nothing is kept beyond the memory; `limits` are smaller in tests only */
  constructor(init: {
    rows?: ChainRows
    network: Network
    limits?: FollowLimits
    verify?: VerifySignature | undefined
  }) {
    this.limits = init.limits ?? { records: CHAIN_READ_MAX, bytes: CHAIN_READ_BYTES, all: UNVOTED_BYTES }
    this.rows = init.rows
    this.network = init.network
    this.verify = init.verify
  }

  /**
   * The author's chain after the tail; what is known of the tail already is skipped. A stranger that gets no vote
   * leaves nothing in the store.
   *
   * @param start a state that this node believes, after what it knows: the tail goes on from there
   * @throws CreditError or WireError for a record that does not fit; `BUSY` for more than is read before the first vote
   */
  async follow(author: PeerIdString, tail: readonly Signed[], start?: ChainState): Promise<Followed> {
    const known = await this.of(author)
    const isAhead = start !== undefined && start.seq > (known.state?.seq ?? -1)
    let state = isAhead ? start : known.state
    const steps = isAhead ? [] : [...known.steps]
    let size = isAhead ? 0 : (this.sizes.get(author) ?? 0)
    const unknown = unknownOf(tail, state)
    for (const { envelope, verifying } of verifyRecords(unknown, this.network, { verify: this.verify })) {
      const verified = await verifying
      const { seq } = verified.record
      if (state !== undefined && seq < state.seq) {
        continue
      }
      if (state !== undefined && seq === state.seq) {
        ensure(verified.id.equals(state.id), 'FORK', 'The tail holds another record than this node knows.')
        continue
      }
      if (seq !== (state?.seq ?? -1) + 1) {
        break // a gap: `need` says from where
      }
      ensure(verified.record.author === author, 'BAD_RECORD', 'The tail is of another chain.')
      const before = state
      state = await this.after({ before, verified })
      steps.push({ envelope, verified, before: before && seenBy(verified, before) })
      size += envelope.payload.byteLength
      ensure(
        steps.length <= this.limits.records && size <= this.limits.bytes,
        'BUSY',
        'The chain is too long for this node, which knows nobody who could vouch for a part of it.'
      )
    }
    const followed = { state, steps }
    if (isAhead || steps.length > known.steps.length) {
      this.remember(author, followed, size)
    }
    return followed
  }

  /** The chain after one more record. @throws CreditError; `BUSY` where an escrow makes it hold more than one author may */
  async after({ before, verified }: Pick<Step, 'before' | 'verified'>): Promise<ChainState> {
    const state = applyRecord(before, verified, this.network.parameters)
    await checkCheckpoint(before, verified)
    const { kind } = verified.record
    if (kind === 'escrow' || kind === 'heal') {
      checkOpenBytes(state, undefined, kind === 'heal' ? 2 * OPEN_BYTES_MAX : OPEN_BYTES_MAX) // a second branch's
    }
    return state
  }

  /** The steps are voted on or beyond: the state is kept, they need not be. */
  keep(state: ChainState): void {
    this.remember(state.author, { state, steps: [] }, 0)
    this.rows?.keep(state)
  }

  forget(author: PeerIdString): void {
    this.known.delete(author)
    this.bytes -= this.sizes.get(author) ?? 0
    this.sizes.delete(author)
  }

  async of(author: PeerIdString): Promise<Followed> {
    const known = this.known.get(author)
    if (known) {
      return known
    }
    return { state: await this.rows?.get(author), steps: [] }
  }

  /** Whoever was forgotten sends its chain again, from where the store knows it. */
  private remember(author: PeerIdString, followed: Followed, size: number): void {
    this.forget(author)
    this.known.set(author, followed)
    this.sizes.set(author, size)
    this.bytes += size
    for (const oldest of this.known.keys()) {
      if (this.known.size <= STATES_IN_MEMORY && this.bytes <= this.limits.all) {
        break
      }
      this.forget(oldest)
    }
  }
}

/** What a record is judged by: a state holds hundreds of escrows and claims, and a long chain as many states. */
function seenBy(verified: VerifiedRecord, before: ChainState): ChainState {
  const ended = settledBy({ verified, before }).flatMap(({ body }) => {
    const key = body.escrow.toString()
    const open = before.openEscrows.get(key)
    return open ? [[key, open] as const] : []
  })
  return { ...before, openEscrows: ended.length > 0 ? new Map(ended) : NONE, claimed: NONE }
}

const NONE: ReadonlyMap<string, never> = new Map<string, never>()

/** A tail from its first record on that is not before the state: the others' signatures say nothing new. */
function unknownOf(tail: readonly Signed[], state: ChainState | undefined): readonly Signed[] {
  if (state === undefined) {
    return tail
  }
  const from = tail.findIndex(
    ({ payload }) => decodeStrict(payload, recordSchema, SIGNED_PAYLOAD_MAX).seq >= state.seq
  )
  return from < 0 ? [] : tail.slice(from)
}
