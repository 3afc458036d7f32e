import { type Crew, medianSpeed } from '../router/index.ts'
import type { Channel } from './channel.ts'
import { operationsOf } from './hands.ts'
import type { JobContext } from './job-context.ts'

export interface CrewInit extends Pick<Crew, 'wanted' | 'waiting' | 'sinceMs'> {
  readonly job: JobContext
  /** All that were hired in this round. */
  readonly channels: readonly Channel[]
}

/** Who works at a job, and how long that will take. */
export function crewOf({ job, channels, ...rest }: CrewInit): Crew {
  const working = channels.filter((channel) => channel.isLive && !channel.isLagging)
  const typical = medianSpeed(working)
  const speed = working.reduce((sum, channel) => sum + (channel.speed ?? typical ?? 0), 0)
  let left = 0
  for (const index of job.missing) {
    const spec = job.plan.units[index]
    left += spec === undefined ? 0 : operationsOf(spec)
  }
  return {
    ...rest,
    working: working.length,
    isShort: working.length < channels.length,
    leftMs: typical === undefined ? undefined : left / speed
  }
}
