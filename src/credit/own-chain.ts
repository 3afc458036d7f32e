import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { CID } from 'multiformats/cid'
import type { Store, TableWrite } from '../store/index.ts'
import {
  cidOf,
  DOMAINS,
  isPeerIdString,
  type LedgerRecord,
  type Milliseconds,
  type Network,
  type PeerIdString,
  type Signed,
  sign
} from '../wire/index.ts'
import { checkPayloadSize } from './bodies.ts'
import { applyRecord, type Intent, nextRecord, replayChain } from './chain.ts'
import { CreditError } from './errors.ts'
import { serial } from './serial.ts'
import type { ChainState } from './state.ts'
import { type VerifiedCertificate, verifiedRecord } from './verify.ts'

export interface Appended {
  readonly id: CID
  readonly record: LedgerRecord
  readonly signed: Signed
  readonly state: ChainState
}

export interface AppendPlan {
  readonly intent: Intent
  readonly certificate?: VerifiedCertificate
  /** Written in the same transaction. */
  alongside?(appended: { id: CID; signed: Signed }): readonly TableWrite[]
}

/**
 * This node's own chain. All appends go through one queue: plan, sign, check against the chain's own rules,
 * compare and swap in the store. After a failed write the head is read again before anything else is signed.
 */
export class OwnChain {
  readonly peer: PeerIdString
  private readonly store: Store
  private readonly key: PrivateKey
  private readonly network: Network
  private readonly now: () => Milliseconds
  private readonly inTurn = serial()
  private current: ChainState | undefined

  constructor(init: { store: Store; key: PrivateKey; network: Network; now: () => Milliseconds }) {
    const peer = peerIdFromPrivateKey(init.key).toString()
    if (!isPeerIdString(peer)) {
      throw new CreditError('BAD_RECORD', 'A ledger needs an Ed25519 identity.')
    }
    this.peer = peer
    this.store = init.store
    this.key = init.key
    this.network = init.network
    this.now = init.now
  }

  /** Reads the chain, and makes its genesis if there is none. */
  async open(): Promise<ChainState> {
    await this.inTurn(() => this.load())
    if (this.current === undefined) {
      await this.append((_, ts) => ({
        intent: { kind: 'genesis', ts, body: { grant: this.network.parameters.genesisGrant } }
      }))
    }
    return this.latest()
  }

  /** The state after the last record that is known to be stored. */
  async latest(): Promise<ChainState> {
    const state = this.current ?? (await this.inTurn(() => this.load()))
    if (state === undefined) {
      throw new CreditError('NOT_RUNNING', 'The ledger is not open yet: start it first.')
    }
    return state
  }

  /**
   * Appends what `plan` makes of the newest state.
   *
   * @param plan may throw, or return undefined to append nothing; `ts` is never before the head's
   * @throws CreditError, StoreError
   */
  append(plan: (state: ChainState | undefined, ts: Milliseconds) => AppendPlan): Promise<Appended>
  append(
    plan: (state: ChainState | undefined, ts: Milliseconds) => AppendPlan | undefined
  ): Promise<Appended | undefined>
  append(
    plan: (state: ChainState | undefined, ts: Milliseconds) => AppendPlan | undefined
  ): Promise<Appended | undefined> {
    return this.inTurn(async () => {
      const before = this.current ?? (await this.load())
      const planned = plan(before, Math.max(this.now(), before?.ts ?? 0))
      return planned && this.write(before, planned)
    })
  }

  /** Resolves when the appends asked for so far are over. */
  async idle(): Promise<void> {
    await this.inTurn(async () => {})
  }

  /** Own records as stored, from ≤ seq < to. */
  async range(from: number, to: number): Promise<Signed[]> {
    return (await this.store.chain.range(from, to)).map(({ record }) => record)
  }

  private async load(): Promise<ChainState | undefined> {
    const records = (await this.store.chain.range()).map(({ record }) => record)
    const state = await replayChain(undefined, records, this.network, { signatures: false })
    if (state !== undefined && state.author !== this.peer) {
      throw new CreditError('BAD_RECORD', 'The stored chain belongs to another identity: restore its key.')
    }
    this.current = state
    return state
  }

  private async write(before: ChainState | undefined, plan: AppendPlan): Promise<Appended> {
    const { intent, certificate } = plan
    const record = nextRecord(before, intent, this.peer, this.network, certificate)
    const signed = await sign(this.key, DOMAINS.record, record)
    checkPayloadSize(record.kind, signed.payload.byteLength)
    const id = await cidOf(signed.payload)
    const state = applyRecord(before, verifiedRecord(id, record, certificate), this.network.parameters)
    try {
      await this.store.chain.append(
        { seq: record.seq, id: id.toString(), record: signed },
        plan.alongside?.({ id, signed })
      )
    } catch (error) {
      this.current = undefined // whether it was stored is unknown: the next append reads the head
      throw error
    }
    this.current = state
    return { id, record, signed, state }
  }
}
