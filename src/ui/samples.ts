import type { SwarmStatus } from '../api.ts'

/** What the plots are drawn from: one look at the node. Counts and amounts are sums since the node started. */
export interface Sample {
  /** By a clock that never jumps (ms). */
  readonly at: number
  /** Units computed for others. */
  readonly served: number
  /** Units of this node's own jobs that were verified. */
  readonly hired: number
  /** Settled, in µcr; and what is on its way: verified and pending. */
  readonly settled: bigint
  readonly coming: bigint
  /** Round trips to the peers (ms); undefined: none was measured. */
  readonly latency: { readonly median: number; readonly most: number } | undefined
  /** Time that the device was in use (ms); half in use counts half. */
  readonly busyMs: number
}

/** How often the page looks, and how many looks it keeps: ten minutes. */
export const SAMPLE_MS = 2_000
export const SAMPLES_MOST = 300
/** A rate is taken over so many samples: units are few and come in gusts. */
const RATE_OVER = 5

/** @param hired units of own jobs verified so far */
export function sampleOf({ work, balance, peers }: SwarmStatus, hired: number, at: number): Sample {
  const trips = peers
    .flatMap(({ rttMs }) => (rttMs === undefined ? [] : [rttMs]))
    .toSorted((left, right) => left - right)
  const median = trips[Math.floor((trips.length - 1) / 2)]
  return {
    at,
    served: work.units,
    hired,
    settled: balance.settled,
    coming: balance.verified + balance.pending,
    latency: median === undefined ? undefined : { median, most: trips.at(-1) ?? median },
    busyMs: work.busyMs ?? 0
  }
}

/** The newest are kept. A look at the same moment as the last one, or before it, is left out. */
export function withSample(samples: readonly Sample[], next: Sample): readonly Sample[] {
  const last = samples.at(-1)
  if (last !== undefined && next.at <= last.at) return samples
  return [...samples, next].slice(-SAMPLES_MOST)
}

/** One line of a plot: a value for each sample, undefined where there is none. */
export type Line = ReadonlyArray<number | undefined>

/** Growth a second. Undefined before there are two samples; never below 0, since a node that restarts counts anew. */
export function rateLine(samples: readonly Sample[], count: (sample: Sample) => number): Line {
  return samples.map((sample, index) => {
    const before = samples[Math.max(0, index - RATE_OVER)]
    if (before === undefined || before.at === sample.at) return undefined
    return Math.max(0, ((count(sample) - count(before)) * 1_000) / (sample.at - before.at))
  })
}

/** Share of the device's time in use, 0 to 1. */
export function useLine(samples: readonly Sample[]): Line {
  return rateLine(samples, ({ busyMs }) => busyMs / 1_000).map((share) => share && Math.min(1, share))
}

/** Credits above (or below) the first sample's, as a plot needs them: rounded to what a number holds. */
export function changeLine(samples: readonly Sample[], amount: (sample: Sample) => bigint): Line {
  const first = samples[0]
  if (first === undefined) return []
  const start = amount(first)
  return samples.map((sample) => Number(amount(sample) - start) / 1_000_000)
}

/** Credits. */
export function amountLine(samples: readonly Sample[], amount: (sample: Sample) => bigint): Line {
  return samples.map((sample) => Number(amount(sample)) / 1_000_000)
}
