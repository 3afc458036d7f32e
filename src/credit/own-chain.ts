import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { CID } from 'multiformats/cid'
import type { Store, StoredRecord, TableWrite } from '../store/index.ts'
import {
  cidOf,
  DOMAINS,
  decodeStrict,
  encode,
  isPeerIdString,
  type LedgerRecord,
  type Milliseconds,
  type Network,
  type PeerIdString,
  record as recordSchema,
  SIGNED_PAYLOAD_MAX,
  type Signed,
  signPayload,
  type VerifySignature
} from '../wire/index.ts'
import { checkPayloadSize } from './bodies.ts'
import { applyRecord, type Intent, nextRecord, replayChain } from './chain.ts'
import { checkCheckpoint, NO_SNAPSHOT, readSnapshot, snapshotRow, stateHash } from './checkpoint.ts'
import { NO_STARTS } from './checkpoints.ts'
import { CHECKPOINT_MS, CHECKPOINT_RECORDS } from './constants.ts'
import { openRecord } from './envelope.ts'
import { CreditError } from './errors.ts'
import { healSteps } from './heal.ts'
import { serial } from './serial.ts'
import type { ChainState, OpenEscrow } from './state.ts'
import { type Embedded, type VerifiedRecord, verifiedRecord, verifyRecord, verifyRecords } from './verify.ts'

export interface Appended {
  readonly id: CID
  readonly record: LedgerRecord
  readonly signed: Signed
  readonly state: ChainState
}

export interface AppendPlan {
  readonly intent: Intent
  /** Of a claim the certificate, of a heal the branch. */
  readonly embedded?: Embedded
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
  private readonly verify: VerifySignature | undefined
  private readonly ready: () => Promise<void>
  private readonly inTurn = serial()
  private current: ChainState | undefined
  private gate: Promise<void> = Promise.resolve()
  /** The place for which witnesses voted for a seat that is not signed yet: it must come next. */
  private promised: number | undefined
  /** Place of the newest checkpoint, 0 for none. */
  private checkpointSeq = 0
  /** When it was made; without one, when the chain began. */
  private checkpointTs: Milliseconds = 0

  constructor(init: {
    store: Store
    key: PrivateKey
    network: Network
    now: () => Milliseconds
    verify?: VerifySignature | undefined
    /** Waited for before anything is signed. @default nothing is */
    ready?: () => Promise<void>
  }) {
    const peer = peerIdFromPrivateKey(init.key).toString()
    if (!isPeerIdString(peer)) {
      throw new CreditError('BAD_RECORD', 'A ledger needs an Ed25519 identity.')
    }
    this.peer = peer
    this.store = init.store
    this.key = init.key
    this.network = init.network
    this.now = init.now
    this.verify = init.verify
    this.ready = init.ready ?? (async () => {})
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
    await this.ready()
    return this.appendNow(plan)
  }

  /** As `append`, by whoever this node waits for before it signs anything else. */
  appendNow(plan: Plan<AppendPlan>): Promise<Appended>
  appendNow(plan: Plan<AppendPlan | undefined>): Promise<Appended | undefined>
  async appendNow(plan: Plan<AppendPlan | undefined>): Promise<Appended | undefined> {
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
   * Takes up records that this node signed once and has lost, as others kept them: those that hold, up to the first that
   * does not.
   *
   * @throws CreditError or WireError for a record that does not follow
   */
  async adopt(records: readonly Signed[]): Promise<ChainState> {
    await this.inTurn(async () => {
      const head = this.current ?? (await this.load())
      const rows: StoredRecord[] = []
      let state = head
      try {
        const options = { verify: this.verify }
        for (const { envelope, verifying } of verifyRecords(records, this.network, options)) {
          const verified = await verifying
          const { id, record } = verified
          if (state !== undefined && (record.seq < state.seq || id.equals(state.id))) {
            continue
          }
          await checkCheckpoint(state, verified)
          state = applyRecord(state, verified, this.network.parameters)
          rows.push({ seq: record.seq, id: id.toString(), record: envelope })
        }
      } finally {
        if (head !== undefined && rows.length > 0) {
          this.current = undefined // read anew, should they not be stored
          await this.store.chain.replace(rows, head.id.toString())
          this.current = state
        }
      }
    })
    return this.latest()
  }

  /**
   * Joins another branch of this chain, which this key has signed elsewhere, by a `heal`, or several if it is long: the
   * longer one of the two is the chain from now on.
   *
   * @param branch its records from the first that is not in this chain on, oldest first
   * @returns the last heal
   * @throws CreditError or WireError where the branch is none, or cannot be healed
   */
  async heal(branch: readonly Signed[]): Promise<Appended> {
    return this.inTurn(async () => {
      const head = await this.load()
      const other = await Promise.all(branch.map((envelope) => verifyRecord(envelope, this.network)))
      const from = other[0]?.record.seq ?? 0
      const own = (await this.store.chain.range(from)).map(({ record }) => record)
      if (head === undefined || from === 0 || own.length === 0) {
        throw new CreditError('BAD_RECORD', 'That is no branch of this chain.')
      }
      const lost = await Promise.all(own.map((envelope) => verifyRecord(envelope, this.network, TRUSTED)))
      const isLonger = other.length > own.length
      const before = isLonger ? await this.after(from, other) : head
      const [rows, dropped, verified] = isLonger ? [rowsOf(branch, other), own, lost] : [[], branch, other]
      const heals = await this.healsOf(before, dropped, verified)
      const healed = heals.map(({ id, record: { seq }, signed }) => ({
        seq,
        id: id.toString(),
        record: signed
      }))
      try {
        await this.store.chain.replace([...rows, ...healed], head.id.toString(), [NO_SNAPSHOT, NO_STARTS])
      } finally {
        this.current = undefined // read anew, whatever was stored
        this.promised = undefined
      }
      await this.load()
      return last(heals)
    })
  }

  /** @param lost the branch, as signed and as verified */
  private async healsOf(
    before: ChainState,
    lost: readonly Signed[],
    verified: readonly VerifiedRecord[]
  ): Promise<Appended[]> {
    const ts = Math.max(this.now(), before.ts)
    const heals: Appended[] = []
    let [state, from] = [before, 0]
    for (const length of healSteps(lost)) {
      const branch = verified.slice(from, from + length)
      const intent = healIntent(ts, state, lost.slice(from, from + length), last(branch).id)
      const made = await this.sealed(state, { intent, embedded: branch })
      heals.push(made)
      state = made.state
      from += length
    }
    return heals
  }

  /** The state after those of the own records before `from`, and then the given ones. */
  private async after(from: number, records: readonly VerifiedRecord[]): Promise<ChainState> {
    const trunk = (await this.store.chain.range(0, from)).map(({ record }) => record)
    const start = await replayChain(undefined, trunk, this.network, TRUSTED)
    let state = start
    for (const verified of records) {
      await checkCheckpoint(state, verified)
      state = applyRecord(state, verified, this.network.parameters)
    }
    if (state === undefined) {
      throw new CreditError('BAD_RECORD', 'That is no branch of this chain.')
    }
    return state
  }

  /** An open escrow of this node as signed: in the chain, or in a branch that was healed. */
  async escrowAt({ seq }: OpenEscrow, id: CID): Promise<Signed | undefined> {
    const [found] = await this.range(seq, seq + 1)
    const { record } = found ? await openRecord(found, this.network, TRUSTED) : {}
    for (const envelope of record?.kind === 'heal' ? record.body.branch : found ? [found] : []) {
      if ((await cidOf(envelope.payload)).equals(id)) {
        return envelope
      }
    }
    return undefined
  }

  /** Place of the newest checkpoint, 0 for none. */
  get checkpoint(): number {
    return this.checkpointSeq
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
    this.checkpointTs = snapshot?.state.ts ?? 0
    const records = (await this.store.chain.range(this.checkpointSeq)).map(({ record }) => record)
    // the first record after a snapshot is its checkpoint, which says whether this is the state
    const state = await replayChain(snapshot?.state, records, this.network, { signatures: false })
    if (state !== undefined && state.author !== this.peer) {
      throw new CreditError('BAD_RECORD', 'The stored chain belongs to another identity: restore its key.')
    }
    const [first] = records
    if (snapshot === undefined && first !== undefined) {
      this.checkpointTs = (await openRecord(first, this.network, TRUSTED)).record.ts
    }
    this.current = state
    return state
  }

  /** Then opening reads no record before it. */
  private async checkpointIfDue(state: ChainState): Promise<void> {
    this.checkpointTs ||= state.ts // a new chain: counted from here
    const isDue =
      state.seq - this.checkpointSeq >= CHECKPOINT_RECORDS ||
      (state.ts - this.checkpointTs >= CHECKPOINT_MS && state.seq > this.checkpointSeq + 1)
    if (!isDue || state.closed !== null) {
      return
    }
    const ts = Math.max(this.now(), state.ts)
    const body = { state: await stateHash(state) }
    const alongside = () => [snapshotRow(state)]
    try {
      const { record } = await this.write(state, { intent: { kind: 'checkpoint', ts, body }, alongside })
      this.checkpointSeq = record.seq
      this.checkpointTs = record.ts
    } catch {
      // the append before it stands: the next one reads the head again, and is followed by a checkpoint
    }
  }

  private async sealed(before: ChainState | undefined, { intent, embedded }: AppendPlan): Promise<Appended> {
    const record = nextRecord(before, intent, this.peer, this.network, embedded)
    const payload = encode(record)
    checkPayloadSize(record.kind, payload.byteLength)
    const signing = signPayload(this.key, DOMAINS.record, payload) // where WebCrypto has threads, beside this one
    signing.catch(() => {}) // awaited below, unless the record is refused before
    const id = await cidOf(payload)
    const state = applyRecord(before, verifiedRecord(id, record, embedded), this.network.parameters)
    decodeStrict(payload, recordSchema, SIGNED_PAYLOAD_MAX) // what nobody could read would end this chain
    return { id, record, signed: await signing, state }
  }

  private async write(before: ChainState | undefined, plan: AppendPlan): Promise<Appended> {
    const made = await this.sealed(before, plan)
    const { id, record, signed, state } = made
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
    return made
  }
}

/** What this node has verified before it stored it. */
const TRUSTED = { signatures: false }

const rowsOf = (envelopes: readonly Signed[], records: readonly VerifiedRecord[]): StoredRecord[] =>
  records.flatMap(({ id, record: { seq } }, i) => {
    const record = envelopes[i]
    return record ? [{ seq, id: id.toString(), record }] : []
  })

function healIntent(ts: Milliseconds, { sure }: ChainState, branch: readonly Signed[], head: CID): Intent {
  const { members, quorum } = sure
  return { kind: 'heal', ts, body: { head, branch: [...branch], witnesses: [...members], quorum } }
}

/** Of a list that is never empty. */
function last<T>(list: readonly T[]): T {
  const found = list.at(-1)
  if (found === undefined) {
    throw new CreditError('BAD_RECORD', 'There is nothing to heal.')
  }
  return found
}
