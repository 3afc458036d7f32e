import type { CID } from 'multiformats/cid'
import type {
  MicroCredits,
  Milliseconds,
  NetworkParameters,
  PeerIdString,
  Release,
  Vote
} from '../wire/index.ts'
import { orphanedAt, overAt } from './certificate.ts'
import { isVoteOn } from './envelope.ts'
import { CreditError, ensure } from './errors.ts'
import type { Step } from './follower.ts'
import type { ChainState, OpenEscrow } from './state.ts'
import type { VerifiedRecord } from './verify.ts'

/** What a witness votes for. Pure: what it has been told, what it keeps and its clock are arguments. */

/** Whether a peer sits as witness over a record, given its author's chain before it. */
export function isWitnessOf(
  self: PeerIdString,
  { record }: VerifiedRecord,
  before: ChainState | undefined
): boolean {
  switch (record.kind) {
    case 'escrow':
    case 'transfer':
    case 'heal':
      return record.body.witnesses.includes(self)
    case 'settle': {
      const escrow = before?.openEscrows.get(record.body.escrow.toString())
      return (
        escrow !== undefined &&
        escrow.body.witnesses.length > 0 &&
        (escrow.body.witnesses.includes(self) || before?.seat.members.includes(self) === true)
      )
    }
    case 'seat':
      return record.body.members.includes(self)
    case 'checkpoint':
    case 'closed':
    case 'opened':
      return before?.seat.members.includes(self) === true
    default:
      return false
  }
}

/** A settle of an escrow on which nobody votes any more, given its author's chain before it. */
export function isOver(
  { record }: VerifiedRecord,
  before: ChainState | undefined,
  now: Milliseconds
): boolean {
  const escrow = record.kind === 'settle' ? before?.openEscrows.get(record.body.escrow.toString()) : undefined
  return escrow !== undefined && now > overAt(escrow.body.tClose)
}

/** What was sent along with records, its signatures checked. */
export interface Evidence {
  readonly releases: readonly Release[]
  readonly votes: readonly Vote[]
}

export interface SettleCase {
  readonly settle: VerifiedRecord
  readonly escrow: OpenEscrow
  readonly self: PeerIdString
  readonly evidence: Evidence
  /** Receipts lodged here, by payee index. */
  readonly lodged: ReadonlyMap<number, MicroCredits>
  readonly now: Milliseconds
  readonly network: NetworkParameters
}

/**
 * Whether a settle may stand: no payout below a lodged receipt, and before tClose only with every payee's release.
 * Who was not among the escrow's witnesses goes by their votes, or waits until they are given up.
 *
 * @throws CreditError `UNDERPAID`, `NOT_RELEASED`, `NOT_CONCERNED`
 */
export function checkSettleCase(given: SettleCase): void {
  const { settle, escrow, self, now, network } = given
  const { record } = settle
  if (record.kind !== 'settle') {
    throw new CreditError('BAD_RECORD', 'This is no settle.') // the callers look first
  }
  const { tClose, witnesses } = escrow.body
  if (!witnesses.includes(self)) {
    ensure(
      now >= orphanedAt(tClose, network.orphanedAfterMs) || hasQuorum(given),
      'NOT_CONCERNED',
      "The escrow's own witnesses vote first: show their votes, or wait until they are given up."
    )
    return
  }
  for (const [index, amount] of given.lodged) {
    const payout = record.body.payouts[index] ?? 0n
    ensure(payout >= amount, 'UNDERPAID', `The settle pays ${payout} µcr, and ${amount} µcr were receipted.`)
  }
  if (now < tClose && network.orphanedAfterMs > 0) {
    checkReleases(given, record.body.escrow, record.body.payouts)
  }
}

/**
 * True for a settle over which this node sits as one of its escrow's witnesses, and which may stand.
 *
 * @param given `lodged`: receipts lodged here for an escrow, by payee index
 * @throws CreditError as `checkSettleCase`, for one that this node would not have voted for
 */
export function isFoundRight(
  { verified, before }: Pick<Step, 'verified' | 'before'>,
  given: Pick<SettleCase, 'self' | 'evidence' | 'now' | 'network'> & {
    readonly lodged: (escrow: CID) => SettleCase['lodged']
  }
): boolean {
  const { record } = verified
  const { self, now } = given
  if (record.kind !== 'settle' || !isWitnessOf(self, verified, before) || isOver(verified, before, now)) {
    return false
  }
  const escrow = before?.openEscrows.get(record.body.escrow.toString())
  ensure(escrow !== undefined, 'BAD_RECORD', 'The settle is not of an open escrow of this chain.')
  checkSettleCase({ ...given, settle: verified, escrow, lodged: given.lodged(record.body.escrow) })
  return escrow.body.witnesses.includes(self)
}

function checkReleases({ escrow, evidence }: SettleCase, id: CID, payouts: readonly MicroCredits[]): void {
  for (const [index, { peer, max }] of escrow.body.payees.entries()) {
    const payout = payouts[index] ?? 0n
    const release = evidence.releases.find(({ author, escrow: of }) => author === peer && of.equals(id))
    ensure(
      payout === max || (release !== undefined && payout >= release.amount),
      'NOT_RELEASED',
      `Until ${new Date(escrow.body.tClose).toISOString()} the settle needs the release of ${peer}.`
    )
  }
}

function hasQuorum({ settle, escrow, evidence }: SettleCase): boolean {
  const { witnesses, quorum } = escrow.body
  const voters = evidence.votes
    .filter((vote) => isVoteOn(vote, settle.record, settle.id) && witnesses.includes(vote.author))
    .map(({ author }) => author)
  return new Set(voters).size >= quorum
}

/** That an escrow closes in time: one of another age would be kept until then. @throws CreditError `CLOCK` */
export function checkCloses(tClose: Milliseconds, now: Milliseconds, network: NetworkParameters): void {
  ensure(
    tClose <= now + network.escrowMaxMs + network.clockSkewMs,
    'CLOCK',
    'The escrow closes later than any that was made by now: set your clock right.'
  )
}

/**
 * That a record is of now: never from the future, and not from the past but for what may have waited for its voters: a
 * settle for its witnesses, a gift without witnesses for its receiver.
 *
 * @throws CreditError `CLOCK`
 */
export function checkClock({ record }: VerifiedRecord, now: Milliseconds, network: NetworkParameters): void {
  const apart = record.ts - now
  const mayWait =
    record.kind === 'settle' || (record.kind === 'transfer' && record.body.witnesses.length === 0)
  ensure(
    apart <= network.clockSkewMs && (mayWait || -apart <= network.clockSkewMs),
    'CLOCK',
    `Our clocks are ${Math.round(Math.abs(apart) / 1000)} s apart: set yours right.`
  )
}
