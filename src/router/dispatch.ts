import type { Milliseconds } from '../wire/index.ts'

/** One hired provider, as the dispatcher of a job sees it. */
export interface Lane {
  /** Operations that are out there, of this job, and in how many units. */
  readonly pending: number
  readonly units: number
  /** Units that it computes side by side. */
  readonly slots: number
  /** Operations a ms that come back from there; undefined: none has yet. */
  readonly speed: number | undefined
  /** Its window of unreceipted units and the escrow's channel leave room for this unit, now. */
  readonly hasRoom: boolean
}

/** Work that a provider has in hand, at most: the middle of .5 to 2 s. */
export const AHEAD: Milliseconds = 1_000

/**
 * Which of the providers of a job gets its next unit: the one that would have it done first. One that is slower gets
 * it if it would still be done by the time at which all could be done together; else the unit waits for the faster
 * one, so that the last unit of a job does not lie at its slowest provider (list scheduling that looks ahead;
 * Graham 1966 bounds it without).
 *
 * A provider that nothing has come back from yet counts as fast as the median of the others.
 *
 * @param lanes only those that may take the unit at all, now or later
 * @param work operations of the unit
 * @param queued operations that wait, the unit's own among them
 * @returns undefined: the unit waits
 */
export function pickLane<L extends Lane>(lanes: readonly L[], work: number, queued: number): L | undefined {
  const typical = medianSpeed(lanes) ?? 1 // then all are equal, and the scale does not matter
  let speed = 0
  let all = queued
  for (const lane of lanes) {
    speed += lane.speed ?? typical
    all += lane.pending
  }
  const together = all / speed
  const doneAt = (lane: Lane) => (lane.pending + work) / (lane.speed ?? typical)
  const byTime = [...lanes].sort((a, b) => doneAt(a) - doneAt(b))
  return byTime.find((lane, place) => takesMore(lane) && (place === 0 || doneAt(lane) <= together))
}

/** Median of what is known, in operations a ms; undefined if nothing is. */
export function medianSpeed(lanes: readonly Pick<Lane, 'speed'>[]): number | undefined {
  const known = lanes.flatMap(({ speed }) => speed ?? []).sort((a, b) => a - b)
  return known[Math.floor(known.length / 2)]
}

/** One unit a slot and one on its way, and then as many as take it a second. */
function takesMore({ hasRoom, pending, units, slots, speed }: Lane): boolean {
  return hasRoom && (speed === undefined || units <= slots || pending / speed < AHEAD)
}
