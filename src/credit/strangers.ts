import type { Milliseconds, NetworkParameters, PeerIdString } from '../wire/index.ts'

/**
 * The strangers' share: compute time that a node gives to requesters whom it owes nothing. Within any hour they
 * get at most `strangersPercent` of it together, and each at most `strangersMsPerHour`; so any number of names get
 * no more than the share. Behind all recognised work and pre-emptible: that is the queue's part.
 */

const HOUR = 3_600_000
const MINUTE = 60_000
const SLOTS = HOUR / MINUTE + 1

/** Compute time used by one stranger within one minute. */
export interface StrangerUse {
  /** Minutes since 1970, of the use's end. */
  readonly minute: number
  /** Absent: of names that are not told apart any more. */
  readonly peer?: PeerIdString
  readonly ms: Milliseconds
}

/** Oldest first; nothing older than an hour, and one entry a peer and minute. */
export type StrangersUse = readonly StrangerUse[]

/** Entries kept: when so many are in use, strangers wait. Each stands for work, and an hour has little for them. */
export const STRANGER_USES_MAX = 4_096

/**
 * How long a stranger may compute from now on, at most; 0: not now. The caller cuts a unit that takes longer, or
 * does not start one that would.
 *
 * @param limits `share` of the node's time for strangers in percent: the person's setting, by default the network's. `lanes`:
 *   units that compute side by side, by default 1: an hour has that many hours of compute time
 */
export function strangerAllowance(
  uses: StrangersUse,
  peer: PeerIdString,
  now: Milliseconds,
  network: NetworkParameters,
  { share = network.strangersPercent, lanes = 1 }: { share?: number; lanes?: number } = {}
): Milliseconds {
  const recent = withinHour(uses, now)
  if (recent.length >= STRANGER_USES_MAX) {
    return 0
  }
  let all = 0
  let own = 0
  for (const use of recent) {
    all += use.ms
    own += use.peer === peer ? use.ms : 0
  }
  const left = Math.min((share / 100) * lanes * HOUR - all, network.strangersMsPerHour * lanes - own)
  return Math.max(0, left)
}

/** The uses after a stranger computed `ms`, ended at `now`. */
export function chargeStranger(
  uses: StrangersUse,
  peer: PeerIdString,
  ms: Milliseconds,
  now: Milliseconds
): StrangersUse {
  const minute = Math.floor(now / MINUTE)
  const recent = withinHour(uses, now)
  const at = recent.findIndex((use) => use.peer === peer && use.minute === minute)
  const before = recent[at]
  return before === undefined
    ? [...recent, { minute, peer, ms }]
    : recent.with(at, { ...before, ms: before.ms + ms })
}

/**
 * The same time in few entries, for the store: the longest uses by name, all others as one a minute. So a restart gives
 * names beyond that a fresh hour each, and all together nothing.
 *
 * @param most entries with a name
 */
export function shortenUses(uses: StrangersUse, now: Milliseconds, most: number): StrangersUse {
  const [...longest] = withinHour(uses, now).sort((a, b) => b.ms - a.ms)
  const rest = new Map<number, Milliseconds>()
  for (const { minute, ms } of longest.splice(most)) {
    rest.set(minute, (rest.get(minute) ?? 0) + ms)
  }
  const all = [...longest, ...[...rest].map(([minute, ms]) => ({ minute, ms }))]
  return all.sort((a, b) => a.minute - b.minute)
}

/** Whole minutes, one more than an hour has: so never less than the hour that ends now. */
function withinHour(uses: StrangersUse, now: Milliseconds): StrangerUse[] {
  const oldest = Math.floor(now / MINUTE) - SLOTS + 1
  // what lies more than an hour ahead is of a clock that was wrong
  return uses.filter(({ minute }) => minute >= oldest && minute < oldest + 2 * SLOTS)
}
