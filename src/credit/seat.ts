import type { Milliseconds, PeerIdString } from '../wire/index.ts'

/** An author's witnesses (credit.md section 2). Pure rules: who sits, and when somebody else must. */

/** None: its payees' signatures certify, and a double spend is only detected. */
export interface Seat {
  readonly members: readonly PeerIdString[]
  readonly quorum: number
}

export const NO_SEAT: Seat = { members: [], quorum: 0 }

export const SEAT_SIZES: readonly number[] = [0, 1, 2, 3, 4, 7]

/** From four members on a seat bears a bad one: below it, who sits long is not worth waiting for. */
const BEARS_A_FAULT = 4
const HOUR: Milliseconds = 3_600_000

/** Of K members f = ⌊(K−1)/3⌋ may be bad, and q = ⌊(K+f)/2⌋+1 votes are a quorum: any two share a good one. */
export function quorumOf(members: number): number {
  return members === 0 ? 0 : Math.floor((members + Math.floor((members - 1) / 3)) / 2) + 1
}

/** A peer that may sit. */
export interface Candidate {
  readonly peer: PeerIdString
  /** Since when the author has seen it up without a break. */
  readonly upSince: Milliseconds
}

/**
 * The largest seat that can be filled: by peers seen up for an hour if there are four of them, else by any.
 * Those of `keep` sit on, then the longest up come first.
 */
export function chooseMembers(
  candidates: readonly Candidate[],
  keep: readonly PeerIdString[],
  now: Milliseconds
): PeerIdString[] {
  const steady = candidates.filter(({ upSince }) => now - upSince >= HOUR)
  const pool = steady.length >= BEARS_A_FAULT ? steady : candidates
  const rank = ({ peer }: Candidate) => (keep.includes(peer) ? 0 : 1)
  const inOrder = [...pool].sort(
    (a, b) => rank(a) - rank(b) || a.upSince - b.upSince || (a.peer < b.peer ? -1 : 1)
  )
  const size = SEAT_SIZES.findLast((possible) => possible <= inOrder.length) ?? 0
  return inOrder.slice(0, size).map(({ peer }) => peer)
}

/** What an author sees of its seat and of who else is there. */
export interface Presence {
  /** Peers that would vote and are reachable now, members among them. */
  readonly candidates: readonly Candidate[]
  /** When each member was last seen, for those that are not there now. */
  readonly lastSeen: ReadonlyMap<PeerIdString, Milliseconds>
  readonly now: Milliseconds
  readonly patienceMs: Milliseconds
}

/** `unsure`: without a quorum of the old seat. */
export interface SeatChange {
  readonly members: readonly PeerIdString[]
  readonly unsure: boolean
}

/**
 * The change that a seat needs now: none while all is well; a sure one when a member was silent for too long, or
 * when a larger seat can be filled; an unsure one for the first seat, and when no quorum was there for too long.
 * A seat never shrinks while it can vote.
 */
export function seatChange(seat: Seat, presence: Presence): SeatChange | undefined {
  const { candidates, now } = presence
  const here = new Set(candidates.map(({ peer }) => peer))
  const present = seat.members.filter((peer) => here.has(peer))
  const gone = seat.members.filter(
    (peer) => !here.has(peer) && silentFor(peer, presence) >= presence.patienceMs
  )
  if (seat.members.length === 0 || hasLostQuorum(seat, presence)) {
    const members = chooseMembers(candidates, present, now)
    return sameMembers(members, seat.members) ? undefined : { members, unsure: true }
  }
  if (present.length < seat.quorum) {
    return undefined // they may come back yet
  }
  const absent = seat.members.filter((peer) => !here.has(peer) && !gone.includes(peer))
  // who is away for a moment keeps its place
  const pool = [...candidates, ...absent.map((peer) => ({ peer, upSince: Number.NEGATIVE_INFINITY }))]
  const members = chooseMembers(pool, [...present, ...absent], now)
  const isBetter = members.length > seat.members.length || gone.length > 0
  return members.length >= seat.members.length && isBetter && !sameMembers(members, seat.members)
    ? { members, unsure: false }
    : undefined
}

/** So many members were silent for so long that no quorum was there meanwhile. */
function hasLostQuorum(seat: Seat, presence: Presence): boolean {
  const patient = seat.members.filter((peer) => silentFor(peer, presence) < presence.patienceMs)
  return patient.length < seat.quorum
}

function silentFor(peer: PeerIdString, { candidates, lastSeen, now }: Presence): Milliseconds {
  return candidates.some((candidate) => candidate.peer === peer)
    ? 0
    : now - (lastSeen.get(peer) ?? Number.NEGATIVE_INFINITY)
}

const sameMembers = (a: readonly PeerIdString[], b: readonly PeerIdString[]) =>
  a.length === b.length && a.every((peer) => b.includes(peer))
