import type { Milliseconds } from '../wire/index.ts'

/** Time of a job, away and at home, from measured speeds: the pure part of `quote`. Also what `bench worth` uses. */

export interface JobShape {
  /** Counted operations of each unit. */
  readonly operations: readonly number[]
  /** Bytes of the shared parts: they go to each provider that does not have them. */
  readonly partBytes: number
  /** Bytes of all units' own input and of all results. */
  readonly inputBytes: number
  readonly resultBytes: number
}

export interface Away {
  /** Operations a ms of each provider, load taken off. */
  readonly speeds: readonly number[]
  /** This node's link in bytes a ms, each way: all providers share it. */
  readonly linkBytesPerMs: number
  /** Finding, connecting, escrow and settle. */
  readonly setupMs: Milliseconds
  /** Operations a ms of the check of a result, on one thread of this node. Without it checking counts as free. */
  readonly checkSpeed?: number | undefined
}

export interface Home {
  /** Operations a ms of one worker of this node. */
  readonly speed: number
  /** Workers that it would use. */
  readonly workers: number
}

/** No faster than its longest unit: units are not split further. */
function computeMs(operations: readonly number[], speeds: readonly number[]): Milliseconds {
  const total = operations.reduce((sum, each) => sum + each, 0)
  const longest = Math.max(0, ...operations)
  const together = speeds.reduce((sum, speed) => sum + speed, 0)
  return Math.max(total / together, longest / Math.max(...speeds))
}

export function homeMs({ operations }: JobShape, { speed, workers }: Home): Milliseconds {
  return computeMs(
    operations,
    Array.from({ length: workers }, () => speed)
  )
}

/**
 * Sending, computing, fetching and checking overlap; the slowest of them counts, and the way of the first unit and
 * the last result, which nothing overlaps.
 */
export function awayMs(shape: JobShape, { speeds, linkBytesPerMs, setupMs, checkSpeed }: Away): Milliseconds {
  const units = Math.max(1, shape.operations.length)
  const used = speeds.slice(0, units)
  const total = shape.operations.reduce((sum, each) => sum + each, 0)
  const sending = (shape.partBytes * used.length + shape.inputBytes) / linkBytesPerMs
  const fetching = shape.resultBytes / linkBytesPerMs
  const checking = checkSpeed === undefined ? 0 : total / checkSpeed
  const ends = (sending + fetching) / units
  return setupMs + ends + Math.max(computeMs(shape.operations, used), sending, fetching, checking)
}
