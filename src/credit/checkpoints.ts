import * as z from 'zod/mini'
import type { Store, TableWrite } from '../store/index.ts'
import {
  type ChainStart,
  chainStart,
  decode,
  encode,
  type Milliseconds,
  type Network,
  natural,
  START_STATE_MAX
} from '../wire/index.ts'
import type { Certifier } from './certify.ts'
import { readSnapshot } from './checkpoint.ts'
import { ESCROW_VOTE_MS, PLACES_KEPT, STARTS_KEPT } from './constants.ts'
import { openRecord } from './envelope.ts'
import type { OwnChain } from './own-chain.ts'
import { encodeState } from './state-codec.ts'

/** A certified checkpoint of this node's own chain. */
export interface KeptStart {
  /** The checkpoint's place. */
  readonly seq: number
  readonly start: ChainStart
}

export interface CheckpointsInit {
  readonly store: Store
  readonly chain: OwnChain
  readonly certifier: Certifier
  readonly network: Network
  readonly log: (message: string) => void
  readonly within: (ms: Milliseconds, signal?: AbortSignal) => AbortSignal
}

const ROW = 'starts'
const rowSchema = z.array(z.strictObject({ seq: natural, start: chainStart }))

/** For the transaction that rewrites the chain: what was certified of the old one is nothing any more. */
export const NO_STARTS: TableWrite = { table: 'meta', key: ROW, value: encode([]) }

/** The certified checkpoints of a chain, newest first. */
export async function readStarts(store: Store): Promise<KeptStart[]> {
  const bytes = await store.table('meta').get(ROW)
  return bytes ? decode(bytes, rowSchema, Number.POSITIVE_INFINITY) : []
}

/** Has this node's checkpoints certified by its seat, and keeps the newest two: who sits later may read from there. */
export class Checkpoints {
  private readonly init: CheckpointsInit
  private running: Promise<void> | undefined
  /** The newest that needs no more votes, or gets none any more. */
  private done = 0

  constructor(init: CheckpointsInit) {
    this.init = init
  }

  /** Newest first. */
  kept(): Promise<KeptStart[]> {
    return readStarts(this.init.store)
  }

  /** Never rejects. */
  tend(): Promise<void> {
    this.running ??= this.certify()
      .catch((error) => this.init.log(`The checkpoint is not certified yet: ${String(error)}`))
      .finally(() => {
        this.running = undefined
      })
    return this.running
  }

  private async certify(): Promise<void> {
    const { store, chain, certifier, network, within } = this.init
    const seq = chain.checkpoint
    if (seq === 0 || seq === this.done) {
      return
    }
    const [snapshot, kept, head] = [await readSnapshot(store), await readStarts(store), await chain.latest()]
    const [signed] = await chain.range(seq, seq + 1)
    const isLate = head.seq - seq >= PLACES_KEPT // nobody votes that far behind
    if (snapshot?.seq !== seq || signed === undefined || kept[0]?.seq === seq || isLate) {
      this.done = snapshot?.seq === seq ? seq : this.done
      return
    }
    const { members, quorum } = snapshot.state.seat
    const state = encodeState(snapshot.state)
    if (members.length === 0 || state.byteLength > START_STATE_MAX) {
      this.done = seq
      return
    }
    const own = { ...(await openRecord(signed, network, { signatures: false })), signed }
    const votes = await certifier.collect(own, members, within(ESCROW_VOTE_MS), quorum)
    if (votes.size >= quorum && chain.checkpoint === seq) {
      const start = { state, votes: [...votes.values()].slice(0, members.length) }
      const starts = [{ seq, start }, ...kept.filter((each) => each.seq < seq)].slice(0, STARTS_KEPT)
      await store.table('meta').put(ROW, encode(starts))
      this.done = seq
    }
  }
}
