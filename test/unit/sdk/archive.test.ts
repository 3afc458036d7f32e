import { describe, expect, test } from 'vitest'
import { JobError, JobHandle } from '../../../src/jobs/index.ts'
import { memoryStore, StoreError, type Table } from '../../../src/store/index.ts'
import { JobArchive } from '../../../src/swarm/sdk/archive.ts'
import { RECEIPT as SHOWN } from '../../fixtures/fake-swarm.ts'

const skill = 'matmul-i8'
/** Its peers are names made up for the page's tests. */
const RECEIPT = { ...SHOWN, providers: [] }
const begun = (id: string, key?: string) => ({ id, skill, key, print: key && 'aa' })
const handle = <Output = unknown>(id: string) => new JobHandle<Output>(id, skill, async () => {})

async function done(archive: JobArchive, id: string, value: unknown, key?: string): Promise<void> {
  await archive.begin(begun(id, key))
  const job = handle(id)
  archive.follow(job)
  job.emit({ type: 'settled', receipt: RECEIPT })
  job.succeed(value, RECEIPT)
  await archive.flush()
}

/** What another life of the node finds. */
async function reopened(meta: Table): Promise<JobArchive> {
  const archive = new JobArchive(meta, Date.now)
  await archive.load()
  return archive
}

describe('jobs in the store', () => {
  test('keep value and receipt over a reload', async () => {
    const meta = memoryStore().table('meta')
    const value = { c: Int32Array.of(1, -2), m: 1, n: 2, more: [Number.NaN, undefined, 5n] }
    await done(await reopened(meta), 'a', value)
    const job = (await reopened(meta)).job('a')
    expect(job?.state).toBe('done')
    expect(await job?.result).toEqual({ value, receipt: RECEIPT })
    const types: string[] = []
    for await (const { type } of job ?? []) {
      types.push(type)
    }
    expect(types).toEqual(['settled', 'done'])
  })

  test('say that they were cut off, and what failed before', async () => {
    const meta = memoryStore().table('meta')
    const archive = await reopened(meta)
    await archive.begin(begun('cut'))
    await archive.begin(begun('failed'))
    const job = handle('failed')
    archive.follow(job)
    job.fail(new JobError('NO_PROVIDER', 'Nobody is there.', { retryable: true, details: { skill } }))
    await archive.flush()
    const later = await reopened(meta)
    await expect(later.job('cut')?.result).rejects.toMatchObject({ code: 'INTERRUPTED', retryable: true })
    await expect(later.job('failed')?.result).rejects.toMatchObject({
      code: 'NO_PROVIDER',
      retryable: true,
      details: { skill }
    })
    expect(later.job('never')).toBeUndefined()
  })

  test('keep no value above 4 MiB, and say so', async () => {
    const meta = memoryStore().table('meta')
    await done(await reopened(meta), 'large', { c: new Uint8Array(4 * 2 ** 20 + 1) })
    const job = (await reopened(meta)).job('large')
    await expect(job?.result).rejects.toMatchObject({ code: 'RESULT_GONE', details: { jobId: 'large' } })
  })

  test('give up old values first, then old jobs', async () => {
    const meta = memoryStore().table('meta')
    const archive = await reopened(meta)
    for (let i = 0; i < 12; i++) {
      await done(archive, `value-${i}`, { c: new Uint8Array(3 * 2 ** 20).fill(i) })
    }
    const held = (await meta.entries()).reduce((sum, [, bytes]) => sum + bytes.byteLength, 0)
    expect(held).toBeLessThan(33 * 2 ** 20)
    const later = await reopened(meta)
    await expect(later.job('value-0')?.result).rejects.toMatchObject({ code: 'RESULT_GONE' })
    expect((await later.job('value-11')?.result)?.value).toMatchObject({
      c: { byteLength: 3 * 2 ** 20, 0: 11 }
    })
    for (let i = 0; i < 260; i++) {
      await later.begin(begun(`many-${i}`))
    }
    await later.flush()
    const last = await reopened(meta)
    expect(last.ids).toHaveLength(256)
    expect(last.job('value-11')).toBeUndefined()
    expect((await meta.entries()).filter(([key]) => key.startsWith('job-value/'))).toEqual([])
  })

  test('with a key are on the disk before anything is paid, or the job fails; without one it goes on', async () => {
    const meta = memoryStore().table('meta')
    const options: unknown[] = []
    const full: Table = {
      ...meta,
      async put(_key, _value, given) {
        options.push(given)
        throw new StoreError('FULL', 'No space is left.')
      }
    }
    const archive = new JobArchive(full, Date.now)
    await expect(archive.begin(begun('keyed', 'k'))).rejects.toMatchObject({ code: 'FULL' })
    expect(options).toEqual([{ relaxed: false }])
    await archive.begin(begun('plain'))
  })

  test('with a key are known at every moment, also while their value goes: a retry would pay again', async () => {
    const meta = memoryStore().table('meta')
    const writes: string[] = []
    const watched: Table = {
      ...meta,
      put: (key, value, given) => {
        writes.push(`put ${key}${given?.relaxed === true ? ' relaxed' : ''}`)
        return meta.put(key, value, given)
      },
      delete: (key) => {
        writes.push(`delete ${key}`)
        return meta.delete(key)
      }
    }
    const archive = await reopened(watched)
    for (let i = 0; i < 9; i++) {
      await done(archive, `${i}`, { c: new Uint8Array(4 * 2 ** 20 - 256) }, `key-${i}`)
    }
    await expect(archive.job('0')?.result).rejects.toMatchObject({ code: 'RESULT_GONE' })
    const its = writes.filter((write) => /job(-value)?\/0/.test(write))
    expect(its).toEqual([
      'put job/0', // it begins
      'put job-value/0 relaxed',
      'put job/0', // it is done
      'put job/0', // its value goes
      'delete job-value/0'
    ])
  })

  test('are found by their key, the last one first', async () => {
    const meta = memoryStore().table('meta')
    const archive = await reopened(meta)
    await done(archive, 'first', { c: 1 }, 'k')
    await done(archive, 'second', { c: 2 }, 'k')
    expect((await reopened(meta)).byKey('k')).toMatchObject({ id: 'second', print: 'aa', state: 'done' })
    expect(archive.byKey('other')).toBeUndefined()
  })
})
