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
import type { VerifiedCertificate } from './certificate.ts'
import { applyRecord, type Intent, nextRecord, replayChain } from './chain.ts'
import { readSnapshot, snapshotRow, stateHash } from './checkpoint.ts'
import { CHECKPOINT_RECORDS } from './constants.ts'
import { CreditError } from './errors.ts'
import { serial } from './serial.ts'
import type { ChainState } from './state.ts'
import { verifiedRecord, verifyRecord } from './verify.ts'

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

/** May wait for others: the appends after it wait, too. `ts` is never before the head's. */
type Plan<T> = (state: ChainState | undefined, ts: Milliseconds) => T | Promise<T>

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
  private gate: Promise<void> = Promise.resolve()
  /** The place for which witnesses voted for a seat that is not signed yet: it must come next. */
  private promised: number | undefined
  /** Place of the newest checkpoint, 0 for none. */
  private checkpointSeq = 0

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
  append(plan: Plan<AppendPlan>): Promise<Appended>
  append(plan: Plan<AppendPlan | undefined>): Promise<Appended | undefined>
  async append(plan: Plan<AppendPlan | undefined>): Promise<Appended | undefined> {
    await this.gate
    return this.inTurn(async () => {
      const before = this.current ?? (await this.load())
      const planned = await plan(before, Math.max(this.now(), before?.ts ?? 0))
      if (planned === undefined) {
        return undefined
      }
      const isPromised = this.promised !== undefined && this.promised === (before?.seq ?? -1) + 1
      if (isPromised && planned.intent.kind !== 'seat') {
        throw new CreditError('BUSY', 'The witnesses of this node are changing: try again.', {
          retryable: true
        })
      }
      const appended = await this.write(before, planned)
      await this.checkpointIfDue(appended.state)
      return appended
    })
  }

  /** Nothing but a seat is appended at this place from now on; undefined takes it back. */
  promise(seq: number | undefined): void {
    this.promised = seq
  }

  /** Nothing is signed until the promise resolves; never again if it rejects. */
  hold(until: Promise<void>): void {
    this.gate = until
    until.catch(() => {}) // whoever appends gets the error
  }

  /**
   * Takes up records that this node signed once and has lost, as others kept them.
   *
   * @throws CreditError or WireError for a record that does not follow
   */
  async adopt(records: readonly Signed[]): Promise<ChainState> {
    await this.inTurn(async () => {
      for (const envelope of records) {
        const before = this.current ?? (await this.load())
        const verified = await verifyRecord(envelope, this.network)
        if (before !== undefined && verified.record.seq <= before.seq) {
          continue
        }
        const state = applyRecord(before, verified, this.network.parameters)
        const { seq } = verified.record
        await this.store.chain.append({ seq, id: verified.id.toString(), record: envelope })
        this.current = state
      }
    })
    return this.latest()
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
    const snapshot = await readSnapshot(this.store)
    this.checkpointSeq = snapshot?.seq ?? 0
    const records = (await this.store.chain.range(this.checkpointSeq)).map(({ record }) => record)
    // the first record after a snapshot is its checkpoint, which says whether this is the state
    const state = await replayChain(snapshot?.state, records, this.network, { signatures: false })
    if (state !== undefined && state.author !== this.peer) {
      throw new CreditError('BAD_RECORD', 'The stored chain belongs to another identity: restore its key.')
    }
    this.current = state
    return state
  }

  /** Then opening reads no record before it. */
  private async checkpointIfDue(state: ChainState): Promise<void> {
    if (state.seq - this.checkpointSeq < CHECKPOINT_RECORDS || state.closed) {
      return
    }
    const ts = Math.max(this.now(), state.ts)
    const body = { state: await stateHash(state) }
    const alongside = () => [snapshotRow(state)]
    try {
      const { record } = await this.write(state, { intent: { kind: 'checkpoint', ts, body }, alongside })
      this.checkpointSeq = record.seq
    } catch {
      // the append before it stands: the next one reads the head again, and is followed by a checkpoint
    }
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
