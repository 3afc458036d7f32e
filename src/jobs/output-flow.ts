import type { UnitSpec } from '../skills/index.ts'
import type { JobContext } from './job-context.ts'
import { orAborted } from './waiting.ts'

type Flowing = Pick<JobContext, 'skill' | 'plan' | 'reader'>

/** Bytes of the result that a unit comes to. */
export function resultSizeOf({ skill, plan }: Flowing, { params, data, parts }: UnitSpec): number {
  const partSizes = parts.map((part) => plan.parts[part]?.byteLength ?? 0)
  return skill.checkUnit({ params, dataSize: data.byteLength, partSizes }).resultSize
}

/**
 * Whether one more result may be on its way: it waits in memory until the reader takes it.
 *
 * @param underWay bytes of those that are
 */
export function mayFlow(job: Flowing, unit: number, underWay: number): boolean {
  const spec = job.plan.units[unit]
  return (
    job.reader === undefined || spec === undefined || job.reader.hasRoom(underWay, resultSizeOf(job, spec))
  )
}

/**
 * Nobody is hired for a reader that has no room: resolves when it has.
 *
 * @throws the signal's reason
 */
export async function untilRoom(
  job: Flowing & Pick<JobContext, 'missing'>,
  signal: AbortSignal
): Promise<void> {
  const [next = -1] = job.missing
  while (!mayFlow(job, next, 0)) {
    const read = Promise.withResolvers<void>()
    const callOff = job.reader?.onRead(read.resolve)
    await orAborted(read.promise, signal).finally(callOff)
  }
}
