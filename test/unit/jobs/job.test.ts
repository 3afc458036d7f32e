import { describe, expect, test } from 'vitest'
import type { JobEvent, JobReceipt } from '../../../src/api.ts'
import { JobError, JobHandle } from '../../../src/jobs/index.ts'

const receipt: JobReceipt = {
  jobId: 'j',
  skill: 's',
  price: 1n,
  paid: 1n,
  refund: 0n,
  providers: [],
  escrows: [],
  settles: [],
  certainty: 'detection-only',
  split: 'units'
}
const newJob = () => new JobHandle<number>('id', 'skill', async () => {})

async function collect(job: JobHandle<number>): Promise<JobEvent['type'][]> {
  const types: JobEvent['type'][] = []
  for await (const event of job) {
    types.push(event.type)
  }
  return types
}

describe('a job as its requester holds it', () => {
  test('gives a late iterator what has happened, then what happens', async () => {
    const job = newJob()
    job.emit({ type: 'queued', price: 1n, units: 2 })
    job.emit({ type: 'progress', done: 1, of: 2 })
    const events = collect(job)
    job.succeed(7, receipt)
    expect(await events).toEqual(['queued', 'progress', 'done'])
    expect(await collect(job)).toEqual(['queued', 'done', 'progress'])
    expect(await job.result).toEqual({ value: 7, receipt })
  })

  test('coalesces progress for a slow reader, and drops nothing else', async () => {
    const job = newJob()
    const reader = job[Symbol.asyncIterator]()
    job.emit({ type: 'queued', price: 1n, units: 9 })
    expect((await reader.next()).value?.type).toBe('queued')
    for (let done = 0; done < 9; done += 1) {
      job.emit({ type: 'progress', done, of: 9 })
    }
    job.succeed(1, receipt)
    expect((await reader.next()).value).toEqual({ type: 'progress', done: 8, of: 9 })
    expect((await reader.next()).value?.type).toBe('done')
    expect((await reader.next()).done).toBe(true)
  })

  test('is not thenable', () => {
    expect('then' in newJob()).toBe(false)
  })

  test('a failure that nobody awaits is no unhandled rejection, and is told by event and state', async () => {
    const job = newJob()
    job.fail(new JobError('NO_PROVIDER', 'nobody'))
    expect(await collect(job)).toEqual(['failed'])
    expect(job.state).toBe('failed')
    await expect(job.result).rejects.toMatchObject({ code: 'NO_PROVIDER' })
  })

  test('a cancelled job says so', async () => {
    const job = newJob()
    job.fail(new JobError('CANCELLED', 'by its owner'))
    expect(job.state).toBe('cancelled')
    expect(await collect(job)).toEqual(['cancelled'])
  })
})
