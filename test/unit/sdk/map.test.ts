import { describe, expect, test } from 'vitest'
import type { Job, JobReceipt } from '../../../src/api.ts'
import { JobError } from '../../../src/jobs/index.ts'
import { mapInputs } from '../../../src/swarm/sdk/map.ts'
import { RECEIPT } from '../../fixtures/fake-swarm.ts'

/** Jobs that end when the test says so. */
class Desk {
  readonly open = new Map<number, PromiseWithResolvers<{ value: string; receipt: JobReceipt }>>()
  readonly started: number[] = []
  readonly cancelled: number[] = []
  pulled = 0

  readonly submit = (input: number): Job<string> => {
    this.started.push(input)
    const outcome = Promise.withResolvers<{ value: string; receipt: JobReceipt }>()
    outcome.promise.catch(() => {})
    this.open.set(input, outcome)
    return {
      result: outcome.promise,
      cancel: async () => {
        this.cancelled.push(input)
        outcome.reject(new JobError('CANCELLED', 'The job was cancelled.'))
      }
    } as unknown as Job<string> // `map` uses these two alone
  }

  end(input: number): void {
    this.open.get(input)?.resolve({ value: `of ${input}`, receipt: RECEIPT })
  }

  fail(input: number): void {
    this.open.get(input)?.reject(new JobError('NO_PROVIDER', 'Nobody is there.', { retryable: true }))
  }

  *inputs(count: number): Generator<number> {
    for (let i = 0; i < count; i++) {
      this.pulled += 1
      yield i
    }
  }
}

/** Lets everything run that needs no event from outside. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

describe('map', () => {
  test('takes no more inputs than its window, and the next when a result is read', async () => {
    const desk = new Desk()
    const results = mapInputs({ inputs: desk.inputs(100), window: 3, ordered: true, submit: desk.submit })
    expect(desk.pulled).toBe(0)
    const first = results.next()
    await settle()
    expect(desk.started).toEqual([0, 1, 2])
    desk.end(0)
    expect((await first).value).toMatchObject({ index: 0, value: 'of 0' })
    await settle()
    expect(desk.pulled).toBe(3)
    await results.return()
    expect(desk.cancelled).toEqual([1, 2])
  })

  test('gives results in the order of the inputs, or as they come', async () => {
    for (const ordered of [true, false]) {
      const desk = new Desk()
      const read: number[] = []
      const reading = (async () => {
        const all = mapInputs({ inputs: [0, 1, 2], window: 3, ordered, submit: desk.submit })
        for await (const { index } of all) {
          read.push(index)
        }
      })()
      await settle()
      for (const input of [2, 0, 1]) {
        desk.end(input)
        await settle()
      }
      await reading
      expect(read).toEqual(ordered ? [0, 1, 2] : [2, 0, 1])
    }
  })

  test('ends with the first failure, wherever it is, and cancels the rest', async () => {
    const desk = new Desk()
    const results = mapInputs({ inputs: desk.inputs(9), window: 3, ordered: true, submit: desk.submit })
    const first = results.next()
    await settle()
    desk.fail(2)
    await expect(first).rejects.toMatchObject({ code: 'NO_PROVIDER', retryable: true, details: { index: 2 } })
    expect(desk.cancelled).toEqual([0, 1, 2])
    expect(await results.next()).toEqual({ done: true, value: undefined })
  })

  test('does not hold a result back while an input is slow to come', async () => {
    const desk = new Desk()
    const next = Promise.withResolvers<void>()
    async function* inputs() {
      yield 0
      await next.promise
      yield 1
    }
    const results = mapInputs({ inputs: inputs(), window: 2, ordered: true, submit: desk.submit })
    const first = results.next()
    await settle()
    desk.end(0)
    expect((await first).value).toMatchObject({ index: 0 })
    next.resolve()
    const second = results.next()
    await settle()
    desk.end(1)
    expect((await second).value).toMatchObject({ index: 1 })
    expect((await results.next()).done).toBe(true)
  })

  test('passes on what its source throws, and an abort', async () => {
    function* broken(): Generator<number> {
      yield* []
      throw new RangeError('no more paper')
    }
    const desk = new Desk()
    const results = mapInputs({ inputs: broken(), window: 2, ordered: true, submit: desk.submit })
    await expect(results.next()).rejects.toThrow('no more paper')
    const abort = new AbortController()
    const waiting = mapInputs({
      inputs: [0],
      window: 1,
      ordered: true,
      submit: desk.submit,
      signal: abort.signal
    }).next()
    await settle()
    abort.abort(new Error('enough'))
    const cancelled = { code: 'CANCELLED', cause: { message: 'enough' } }
    await expect(waiting).rejects.toMatchObject(cancelled)
    expect(desk.cancelled).toEqual([0])
    const { signal } = abort
    const late = mapInputs({ inputs: [1], window: 1, ordered: true, submit: desk.submit, signal })
    await expect(late.next()).rejects.toMatchObject(cancelled)
    expect(desk.started).toEqual([0])
  })
})
