import type { CID } from 'multiformats/cid'
import type {
  MicroCredits,
  Milliseconds,
  NetworkParameters,
  PeerIdString,
  Release,
  SettleBody,
  Vote
} from '../wire/index.ts'
import { orphanedAt, overAt } from './certificate.ts'
import { isVoteOn } from './envelope.ts'
import { ensure } from './errors.ts'
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

/** What a step settles: one escrow that is open before it, or each that the branch of a heal has settled alone. */
export function settledBy({ verified, before }: Pick<Step, 'verified' | 'before'>): Settled[] {
  const open = new Map<string, Settled['escrow']>(before?.openEscrows)
  const settled: Settled[] = []
  for (const settle of 'branch' in verified ? verified.branch : [verified]) {
    const { record, id } = settle
    if (record.kind === 'escrow') {
      open.set(id.toString(), { body: record.body })
    } else if (record.kind === 'settle') {
      const escrow = open.get(record.body.escrow.toString())
      if (escrow !== undefined && open.delete(record.body.escrow.toString())) {
        settled.push({ settle, body: record.body, escrow })
      }
    }
  }
  return settled
}

export interface Settled {
  readonly settle: VerifiedRecord
  readonly body: SettleBody
  readonly escrow: Pick<OpenEscrow, 'body'>
}

/** What was sent along with records, its signatures checked. */
export interface Evidence {
  readonly releases: readonly Release[]
  readonly votes: readonly Vote[]
}

export interface SettleCase extends Settled {
  readonly self: PeerIdString
  readonly evidence: Evidence
  /** Receipts lodged here, by payee index. */
  readonly lodged: ReadonlyMap<number, MicroCredits>
  /** Payouts of the settle of that escrow that this node has voted for, on whichever branch. @default none */
  readonly voted?: readonly MicroCredits[] | undefined
  readonly now: Milliseconds
  readonly network: NetworkParameters
}

/**
 * Whether a settle may stand: no payout below a lodged receipt, nor below what this node has voted for; and before
 * tClose only with every payee's release. Who was not among the escrow's witnesses goes by their votes, or waits until
 * they are given up.
 *
 * @throws CreditError `UNDERPAID`, `NOT_RELEASED`, `NOT_CONCERNED`
 */
export function checkSettleCase(given: SettleCase): void {
  const { body, escrow, self, voted, now, network } = given
  const { tClose, witnesses } = escrow.body
  if (!witnesses.includes(self)) {
    ensure(
      now >= orphanedAt(tClose, network.orphanedAfterMs) || hasQuorum(given),
      'NOT_CONCERNED',
      "The escrow's own witnesses vote first: show their votes, or wait until they are given up."
    )
    return
  }
  for (const [index, amount] of [...given.lodged, ...(voted?.entries() ?? [])]) {
    const payout = body.payouts[index] ?? 0n
    ensure(payout >= amount, 'UNDERPAID', `The settle pays ${payout} µcr, and ${amount} µcr are owed.`)
  }
  if (voted === undefined && now < tClose && network.orphanedAfterMs > 0) {
    checkReleases(given, body.escrow, body.payouts)
  }
}

/**
 * The settles of a step over which this node sits as one of their escrows' witnesses, and which may stand.
 *
 * @param given what this node keeps of an escrow
 * @throws CreditError as `checkSettleCase`, for one that this node would not have voted for
 */
export function foundRight(
  step: Pick<Step, 'verified' | 'before'>,
  given: Pick<SettleCase, 'self' | 'evidence' | 'now' | 'network'> & {
    readonly lodged: (escrow: CID) => SettleCase['lodged']
    readonly voted: (escrow: CID) => SettleCase['voted']
  }
): Settled[] {
  const { self, now } = given
  const sits = sitting(step)
  return settledBy(step).filter((settled) => {
    const { witnesses, tClose } = settled.escrow.body
    const concerns = witnesses.length > 0 && (witnesses.includes(self) || sits.includes(self))
    if (!concerns || now > overAt(tClose)) {
      return false
    }
    const { escrow } = settled.body
    checkSettleCase({ ...given, ...settled, lodged: given.lodged(escrow), voted: given.voted(escrow) })
    return witnesses.includes(self)
  })
}

/** Who votes on a chain's records, and answers for what they settle. */
const sitting = ({ verified: { record }, before }: Pick<Step, 'verified' | 'before'>) =>
  record.kind === 'heal' ? record.body.witnesses : (before?.seat.members ?? [])

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
