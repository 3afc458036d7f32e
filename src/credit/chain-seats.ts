import type { LedgerRecord, Milliseconds, NetworkParameters, PeerIdString, RecordOf } from '../wire/index.ts'
import { orphanedAt } from './certificate.ts'
import { ensure } from './errors.ts'
import { quorumOf, type Seat } from './seat.ts'
import type { ChainState } from './state.ts'
import type { VerifiedRecord } from './verify.ts'

/** What a chain's records say of its witnesses. */

export function checkNamesSeat(
  { seat }: ChainState,
  { witnesses, quorum }: { witnesses: readonly PeerIdString[]; quorum: number }
): void {
  ensure(
    quorum === seat.quorum &&
      witnesses.length === seat.members.length &&
      witnesses.every((peer, index) => peer === seat.members[index]),
    'BAD_RECORD',
    "An escrow and a transfer name the chain's current seat."
  )
}

/** A sure seat embeds the votes of a quorum of the one before it, for exactly this change. */
export function checkSeatVotes(
  state: ChainState,
  { record, votes }: Extract<VerifiedRecord, { votes: unknown }>
): void {
  const { members, unsure } = record.body
  const { seat } = state
  ensure(
    unsure || seat.members.length > 0,
    'BAD_RECORD',
    'The first seat has nobody to certify it: it is unsure.'
  )
  ensure(!unsure || votes.length === 0, 'BAD_RECORD', 'A seat with votes of the one before it is not unsure.')
  for (const vote of votes) {
    ensure(
      vote.subject === state.author && vote.seq === record.seq && vote.prev.equals(state.id),
      'BAD_RECORD',
      'A vote is for a seat at another place.'
    )
    ensure(
      vote.members.length === members.length && vote.members.every((peer, index) => peer === members[index]),
      'BAD_RECORD',
      'A vote is for another seat.'
    )
    ensure(seat.members.includes(vote.author), 'BAD_RECORD', 'A vote is of a peer that is not on the seat.')
  }
  const voters = new Set(votes.map(({ author }) => author)).size
  ensure(voters === votes.length, 'BAD_RECORD', 'A member voted twice.')
  ensure(
    unsure || voters >= seat.quorum,
    'BAD_RECORD',
    () => `Only ${voters} of ${seat.quorum} votes for the seat.`
  )
}

/** Whether a peer votes on a gift behind the head that it follows: it sits now, and who sat then is given up. */
export function inherits(
  self: PeerIdString,
  record: LedgerRecord,
  head: ChainState | undefined,
  now: Milliseconds,
  network: NetworkParameters
): boolean {
  return (
    record.kind === 'transfer' &&
    head?.seat.members.includes(self) === true &&
    head.healSeq === 0 && // it may have voted there on the branch that was given up
    now >= orphanedAt(record.ts, network.orphanedAfterMs)
  )
}

export function seatsAfter(
  { sure }: ChainState,
  record: RecordOf<'heal' | 'seat'>
): Partial<Pick<ChainState, 'seat' | 'seatSeq' | 'unsure' | 'sure' | 'healSeq'>> {
  if (record.kind === 'heal') {
    return {
      seat: { members: sure.members, quorum: sure.quorum },
      seatSeq: sure.seq,
      unsure: false,
      healSeq: record.seq
    }
  }
  const { seq, body } = record
  const next = seatOf(body)
  const isSure = !body.unsure || sure.members.length === 0
  return { seat: next, seatSeq: seq, unsure: body.unsure, ...(isSure && { sure: { ...next, seq } }) }
}

const seatOf = ({ members }: RecordOf<'seat'>['body']): Seat => ({
  members,
  quorum: quorumOf(members.length)
})
