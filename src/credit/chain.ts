import { equals } from 'uint8arrays/equals'
import type {
  LedgerRecord,
  Milliseconds,
  Network,
  NetworkParameters,
  PeerIdString,
  RecordKind,
  RecordOf,
  Signed
} from '../wire/index.ts'
import { checkEscrow, checkSeat, checkSettle, checkTransfer } from './bodies.ts'
import type { VerifiedCertificate } from './certificate.ts'
import { checkNamesSeat, checkSeatVotes, seatsAfter } from './chain-seats.ts'
import { checkCheckpoint } from './checkpoint.ts'
import { drain, idleHours } from './drain.ts'
import type { VerifyOptions } from './envelope.ts'
import { CreditError, ensure } from './errors.ts'
import { joinBranch } from './heal.ts'
import { NO_SEAT } from './seat.ts'
import { type ChainState, claimKey, OPEN_ESCROWS_MAX, type OpenEscrow } from './state.ts'
import { type Embedded, type VerifiedRecord, verifiedRecord, verifyRecords } from './verify.ts'

/** The rules of a personal chain: what a record may be after the ones before it. */

/** What the wire takes (µcr). */
const MOST = BigInt(Number.MAX_SAFE_INTEGER)

/** What no token hashes to. */
const NEVER = new Uint8Array()

/** A state that is being advanced: nobody else holds it, or its maps. */
type Draft = { -readonly [K in keyof ChainState]: ChainState[K] } & {
  openEscrows: Map<string, OpenEscrow>
  claimed: Map<string, Milliseconds>
}

/**
 * The state after a record whose form and signatures were verified.
 *
 * @param state before it; undefined for the first record
 * @throws CreditError `BAD_RECORD`, `FORK` (it does not follow the head), `BAD_CERTIFICATE`
 */
export function applyRecord(
  state: ChainState | undefined,
  verified: VerifiedRecord,
  network: NetworkParameters
): ChainState {
  return advance(state && draftOf(state), verified, network)
}

export interface ReplayOptions extends VerifyOptions {
  /** Called with 1, 2, … as one record after the other holds: whatever is thrown then is about the next. */
  readonly held?: (records: number) => void
}

/**
 * The state after many records as stored or received, oldest first: the same as `verifyRecord` and
 * `applyRecord` one by one, without copies.
 */
export async function replayChain(
  state: ChainState | undefined,
  records: Iterable<Signed>,
  network: Network,
  { held, ...options }: ReplayOptions = {}
): Promise<ChainState | undefined> {
  let draft = state && draftOf(state)
  let count = 0
  for (const { verifying } of verifyRecords(records, network, options)) {
    const verified = await verifying
    if (verified.record.kind === 'checkpoint') {
      await checkCheckpoint(draft, verified)
    }
    draft = advance(draft, verified, network.parameters)
    count += 1
    held?.(count)
  }
  return draft
}

function draftOf(state: ChainState): Draft {
  return { ...state, openEscrows: new Map(state.openEscrows), claimed: new Map(state.claimed) }
}

function advance(draft: Draft | undefined, verified: VerifiedRecord, network: NetworkParameters): Draft {
  const { id, record } = verified
  if (draft === undefined) {
    return firstState(verified, network)
  }
  checkPlace(draft, record)
  const hours = hoursSince(draft, record.ts, network)
  const available = drain(draft.bal, hours, network)
  const effect = effectOf(draft, verified, draft.idleHours + hours, network)
  const { bal, debt } = balanceAfter(draft, record.kind, available, effect.balance)
  ensure(record.bal === bal, 'BAD_RECORD', () => `The balance must be ${bal}, not ${record.bal}.`)
  ensure(record.idleSince === effect.idleSince, 'BAD_RECORD', () => `idleSince must be ${effect.idleSince}.`)
  effect.change?.()
  if (effect.joined) {
    draft.openEscrows = effect.joined.openEscrows
    draft.claimed = effect.joined.claimed
  }
  if (record.seq % 64 === 0) {
    forgetExpired(draft.claimed, record.ts)
  }
  if (record.kind === 'heal' || record.kind === 'seat') {
    Object.assign(draft, seatsAfter(draft, record))
  }
  draft.debt = debt
  draft.seq = record.seq
  draft.id = id
  draft.ts = record.ts
  draft.bal = record.bal
  draft.idleSince = record.idleSince
  draft.idleHours += hours
  draft.closed = record.kind === 'closed' ? (record.body.next ?? NEVER) : null
  return draft
}

/** What is spent beyond the balance, by a heal alone, is a debt that later credits pay off. */
function balanceAfter(
  { debt }: ChainState,
  kind: RecordKind,
  available: bigint,
  change: bigint
): { bal: bigint; debt: bigint } {
  const left = available + change - debt
  ensure(
    left >= 0n || kind === 'heal' || change >= 0n,
    'BAD_RECORD',
    () => `The record spends ${-change} of ${available} µcr.`
  )
  ensure(
    left <= MOST && -left <= MOST,
    'BAD_RECORD',
    `A balance, or a debt, is at most ${MOST} µcr: more cannot be written.`
  )
  return left >= 0n ? { bal: left, debt: 0n } : { bal: 0n, debt: -left }
}

function firstState({ id, record }: VerifiedRecord, network: NetworkParameters): Draft {
  ensure(
    record.kind === 'genesis' && record.seq === 0 && record.prev === null,
    'BAD_RECORD',
    'A chain starts with its genesis at place 0.'
  )
  ensure(
    record.body.grant === network.genesisGrant &&
      record.bal === network.genesisGrant &&
      record.idleSince === record.ts,
    'BAD_RECORD',
    `A chain of the network ${network.name} starts with ${network.genesisGrant} µcr.`
  )
  const { author, seq, ts, bal, idleSince } = record
  return {
    author,
    seq,
    id,
    ts,
    bal,
    idleSince,
    idleHours: 0,
    seat: NO_SEAT,
    sure: { ...NO_SEAT, seq: 0 },
    healSeq: 0,
    debt: 0n,
    seatSeq: 0,
    unsure: true,
    openEscrows: new Map(),
    claimed: new Map(),
    closed: null
  }
}

function checkPlace(state: ChainState, record: LedgerRecord): void {
  ensure(record.author === state.author, 'BAD_RECORD', 'The record is of another chain.')
  ensure(
    record.seq === state.seq + 1,
    'BAD_RECORD',
    () => `After place ${state.seq} comes ${state.seq + 1}, not ${record.seq}.`
  )
  ensure(record.prev?.equals(state.id) === true, 'FORK', 'The record follows another one than the head.')
  ensure(
    state.closed === null || record.kind === 'opened',
    'BAD_RECORD',
    'The chain is closed: nothing follows.'
  )
  ensure(record.ts >= state.ts, 'BAD_RECORD', 'The record is older than the one before it.')
}

/** What an author decides about its next record; the rest follows from the chain. */
export type Intent = {
  [K in RecordKind]: Pick<RecordOf<K>, 'kind' | 'body' | 'ts'>
}[RecordKind]

/**
 * The record that an intent makes after a state: place, link, balance and `idleSince` filled in.
 *
 * @param embedded certificate of a claim, branch of a heal
 * @throws CreditError as `applyRecord`; `INSUFFICIENT_CREDIT` for an escrow above the balance
 */
export function nextRecord(
  state: ChainState | undefined,
  intent: Intent,
  author: PeerIdString,
  network: Network,
  embedded?: Embedded
): LedgerRecord {
  const { ts } = intent
  const first = { bal: network.parameters.genesisGrant, idleSince: ts, seq: 0, prev: null }
  const head = { v: 1 as const, net: network.hash, author, ts, ...first }
  if (state === undefined) {
    return { ...head, ...intent }
  }
  const record: LedgerRecord = { ...head, ...intent, seq: state.seq + 1, prev: state.id }
  const hours = hoursSince(state, ts, network.parameters)
  const available = drain(state.bal, hours, network.parameters)
  if ((record.kind === 'escrow' || record.kind === 'transfer') && record.body.amount > available) {
    throw new CreditError(
      'INSUFFICIENT_CREDIT',
      record.kind === 'transfer'
        ? `${available} µcr are free: give no more.`
        : `The job needs ${record.body.amount} µcr in escrow, and ${available} µcr are free: lower the budget, or earn first.`,
      { details: { needed: record.body.amount.toString(), available: available.toString() } }
    )
  }
  const hoursNow = state.idleHours + hours
  // the id only keys an escrow in `change`, which is not called here
  const verified = verifiedRecord(state.id, record, embedded)
  const effect = effectOf(draftOf(state), verified, hoursNow, network.parameters)
  const { bal } = balanceAfter(state, record.kind, available, effect.balance)
  return { ...record, bal, idleSince: effect.idleSince }
}

/** Idle hours that a record at `ts` applies beyond those that the state has applied. */
export function hoursSince(state: ChainState, ts: Milliseconds, network: NetworkParameters): number {
  return idleHours(state.idleSince, ts, network) - idleHours(state.idleSince, state.ts, network)
}

/** Spendable at `ts` (µcr). */
export function availableAt(state: ChainState, ts: Milliseconds, network: NetworkParameters): bigint {
  return drain(state.bal, hoursSince(state, ts, network), network)
}

interface Effect {
  /** What the record adds to the drained balance (µcr). */
  readonly balance: bigint
  readonly idleSince: Milliseconds
  readonly change?: () => void
  /** Of a heal: the maps after it. */
  readonly joined?: Pick<Draft, 'openEscrows' | 'claimed'>
}

/** What a record would do: `bal` and `idleSince` of the record itself are not looked at. */
function effectOf(
  draft: Draft,
  verified: VerifiedRecord,
  hoursNow: number,
  network: NetworkParameters
): Effect {
  const { idleSince } = draft
  const { record, id } = verified
  switch (record.kind) {
    case 'genesis':
      throw new CreditError('BAD_RECORD', 'A chain has one genesis.')
    case 'seat':
      checkSeat(record)
      if ('votes' in verified) {
        checkSeatVotes(draft, verified)
      }
      return { balance: 0n, idleSince }
    case 'opened':
      ensure(
        draft.closed !== null && 'shown' in verified && equals(verified.shown, draft.closed),
        'BAD_RECORD',
        'A closed chain is opened with its token, once.'
      )
      return { balance: 0n, idleSince }
    case 'checkpoint':
    case 'closed':
      ensure(
        record.kind === 'checkpoint' || draft.openEscrows.size === 0,
        'BAD_RECORD',
        'A chain with open escrows cannot be closed: settle them first.'
      )
      return { balance: 0n, idleSince }
    case 'heal': {
      ensure('branch' in verified, 'BAD_RECORD', 'A heal comes with its verified branch.')
      const {
        balance,
        idleSince: since,
        openEscrows,
        claimed
      } = joinBranch(draft, verified, hoursNow, network)
      return { balance, idleSince: since, joined: { openEscrows, claimed } }
    }
    case 'transfer':
      checkTransfer(record)
      checkNamesSeat(draft, record.body)
      return { balance: -record.body.amount, idleSince }
    case 'escrow':
      checkNewEscrow(draft, record, network)
      return {
        balance: -record.body.amount,
        idleSince,
        change: () =>
          draft.openEscrows.set(id.toString(), {
            body: record.body,
            seq: record.seq,
            ts: record.ts,
            idleHours: hoursNow
          })
      }
    case 'settle': {
      const key = record.body.escrow.toString()
      const escrow = draft.openEscrows.get(key)
      ensure(escrow !== undefined, 'BAD_RECORD', 'The settle is not of an open escrow of this chain.')
      checkSettle(record.body, escrow.body)
      return {
        balance: drain(record.body.refund, hoursNow - escrow.idleHours, network),
        idleSince,
        change: () => draft.openEscrows.delete(key)
      }
    }
    case 'claim':
      ensure('certificate' in verified, 'BAD_CERTIFICATE', 'A claim comes with its verified certificate.')
      return effectOfClaim(draft, record, verified.certificate)
  }
}

function checkNewEscrow(draft: Draft, record: RecordOf<'escrow'>, network: NetworkParameters): void {
  checkEscrow(record, network)
  checkNamesSeat(draft, record.body)
  ensure(
    draft.openEscrows.size < OPEN_ESCROWS_MAX,
    'BAD_RECORD',
    `At most ${OPEN_ESCROWS_MAX} escrows are open at once: settle some first.`
  )
}

function effectOfClaim(
  draft: Draft,
  { author, ts, body }: RecordOf<'claim'>,
  { base, payouts, ts: due, until }: VerifiedCertificate
): Effect {
  const { index } = body
  const { peer, amount: payout } = payouts[index] ?? { peer: undefined, amount: 0n }
  ensure(peer === author, 'BAD_CERTIFICATE', 'The certificate pays this index to somebody else.')
  ensure(payout > 0n, 'BAD_CERTIFICATE', 'There is nothing to claim at this index.')
  const key = claimKey(base, index)
  ensure(!draft.claimed.has(key), 'BAD_RECORD', 'The payout was claimed before.')
  ensure(
    ts >= due && ts <= until,
    'BAD_RECORD',
    () => `The payout could be claimed from ${due} to ${until} (ms since 1970), and it is ${ts}.`
  )
  return {
    balance: payout,
    idleSince: Math.max(draft.idleSince, due),
    change: () => draft.claimed.set(key, until)
  }
}

function forgetExpired(claimed: Map<string, Milliseconds>, ts: Milliseconds): void {
  for (const [key, until] of claimed) {
    if (until < ts) {
      claimed.delete(key) // the window refuses it from now on
    }
  }
}
