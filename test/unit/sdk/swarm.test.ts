import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest'
import {
  createSwarm,
  type Job,
  type JobEvent,
  type JobQuote,
  type JobReceipt,
  type MatmulOutput,
  matmulI8,
  type OutputStream,
  type SubmitOptions
} from '../../../src/index.ts'
import { memoryStore } from '../../../src/store/index.ts'
import { openSwarm } from '../../../src/swarm/sdk/index.ts'
import { createTestSwarm, type TestSwarm } from '../../../src/testing.ts'
import { eventOf, isProduct, product } from '../../fixtures/node-house.ts'

// The library as a program uses it, over whole nodes in memory.

let house: TestSwarm
beforeAll(async () => {
  house = await createTestSwarm({ peers: 4, seed: 7 })
})
afterAll(() => house?.stop())

const input = product(64)

describe('submit', () => {
  test('knows what a skill gives, by value and by name', async () => {
    const byValue = house.requester.submit(matmulI8, input, { units: 2 })
    const byName = house.requester.submit('matmul-i8', input, { units: 2 })
    expectTypeOf(byValue).toEqualTypeOf<Job<MatmulOutput>>()
    expectTypeOf(byName).toEqualTypeOf<Job<MatmulOutput>>()
    expectTypeOf(() => house.requester.submit('unheard-of' as string, 1)).returns.toEqualTypeOf<
      Job<unknown>
    >()
    for (const job of [byValue, byName]) {
      expect(isProduct((await job.result).value, input)).toBe(true)
    }
  })

  test('a skill by value types the input of everything that takes one; by name of any text nothing is known', () => {
    const { requester } = house
    const refused = () => {
      // @ts-expect-error: `n` is missing
      requester.submit(matmulI8, { a: input.a, b: input.b, m: 1, k: 1 })
      // @ts-expect-error: `n` is missing
      requester.quote(matmulI8, { a: input.a, b: input.b, m: 1, k: 1 })
      // @ts-expect-error: `a` is of another kind
      requester.stream(matmulI8, { ...input, a: new Float32Array(1) })
      // @ts-expect-error: `a` is of another kind
      requester.map(matmulI8, [{ ...input, a: new Float32Array(1) }])
    }
    expect(refused).toThrow(expect.objectContaining({ code: 'BAD_INPUT' })) // as those find out who have no types
    expectTypeOf(() => requester.quote(matmulI8, input)).returns.toEqualTypeOf<Promise<JobQuote>>()
    expectTypeOf(() => requester.quote('unheard-of' as string, 1)).returns.toEqualTypeOf<Promise<JobQuote>>()
    expectTypeOf(() => requester.stream(matmulI8, input)).returns.toEqualTypeOf<OutputStream>()
    expectTypeOf(() => requester.stream('unheard-of' as string, 1)).returns.toEqualTypeOf<OutputStream>()
  })

  test('has a unit computed by as many as are asked for, and pays them all', async () => {
    const { value, receipt } = await house.requester.submit(matmulI8, input, { units: 1, redundancy: 2 })
      .result
    expect(isProduct(value, input)).toBe(true)
    expect(receipt).toMatchObject({ price: 2n, paid: 2n })
    expect(receipt.providers.filter(({ units }) => units === 1)).toHaveLength(2)
  })

  test('compares many units too; where nobody has room this node is the second', async () => {
    const { value, receipt } = await house.requester.submit(matmulI8, input, { units: 6, redundancy: 2 })
      .result
    expect(isProduct(value, input)).toBe(true)
    expect(receipt.price).toBe(12n)
    expect(receipt.paid).toBeGreaterThanOrEqual(6n)
    expect(receipt.paid).toBeLessThanOrEqual(12n)
  })

  test.each<[string, unknown]>([
    ['redundancy 0', { redundancy: 0 }],
    ['redundancy 1.5', { redundancy: 1.5 }],
    ['a word for redundancy', { redundancy: 'much' }],
    ['an empty key', { key: '' }],
    ['a key that is a number', { key: 5 }],
    ['a signal that is none', { signal: {} }],
    ['a budget of 0', { budget: 0n }],
    ['a budget below 0', { budget: -1n }],
    ['a budget that is a number', { budget: 5_000 }],
    ['no object at all', 5]
  ])('refuses %s', (_, options) => {
    expect(() => house.requester.submit(matmulI8, input, options as SubmitOptions)).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION' })
    )
  })

  test('refuses what is no skill', () => {
    for (const [skill, code] of [
      ['no-such', 'UNKNOWN_SKILL'],
      [{ name: 'no-such' }, 'UNKNOWN_SKILL'],
      [undefined, 'BAD_OPTION'],
      [5, 'BAD_OPTION']
    ]) {
      expect(() => house.requester.submit(skill as string, input)).toThrow(expect.objectContaining({ code }))
    }
  })

  test('ends at once on a signal that has gone, and twice cancelled is once cancelled', async () => {
    const gone = house.requester.submit(matmulI8, input, { signal: AbortSignal.abort() })
    await expect(gone.result).rejects.toMatchObject({ code: 'CANCELLED' })
    const job = house.requester.submit(matmulI8, input)
    await Promise.all([job.cancel(), job.cancel()])
    await job.cancel()
    expect(job.state).toBe('cancelled')
  })
})

describe('a key', () => {
  test('gives the same job again, and nothing is paid twice', async () => {
    const { requester } = house
    const first = requester.submit(matmulI8, input, { key: 'once', units: 2 })
    expect(requester.submit(matmulI8, input, { key: 'once' })).toBe(first)
    await first.result
    const before = (await requester.exportLedger()).records.length
    const again = requester.submit(matmulI8, product(64), { key: 'once' }) // equal, another object
    expect((await again.result).receipt).toEqual((await first.result).receipt)
    expect((await requester.exportLedger()).records.length).toBe(before)
  })

  test('is of one skill and input', () => {
    house.requester.submit(matmulI8, input, { key: 'mine' })
    const other = { ...input, a: input.a.map((each) => each + 1) }
    expect(() => house.requester.submit(matmulI8, other, { key: 'mine' })).toThrow(
      expect.objectContaining({ code: 'KEY_REUSED' })
    )
  })

  test('of a job that was cancelled starts it anew', async () => {
    const first = house.requester.submit(matmulI8, input, { key: 'anew' })
    await first.cancel()
    const second = house.requester.submit(matmulI8, input, { key: 'anew' })
    expect(second.id).not.toBe(first.id)
    expect(isProduct((await second.result).value, input)).toBe(true)
  })
})

describe('map and stream', () => {
  test('a job for each input, each with its receipt', async () => {
    const inputs = [1, 2, 3, 4, 5].map((seed) => product(16, seed))
    const indices: number[] = []
    for await (const { index, value, receipt } of house.requester.map(matmulI8, inputs, { window: 2 })) {
      expect(isProduct(value, inputs[index] ?? input)).toBe(true)
      expect(receipt.paid).toBeGreaterThan(0n)
      indices.push(index)
    }
    expect(indices).toEqual([0, 1, 2, 3, 4])
  })

  test('a bad input ends the loop, with its number', async () => {
    const inputs = [product(16), { ...product(16), m: 0 }]
    const read = async () => {
      for await (const _ of house.requester.map(matmulI8, inputs)) {
        // the first one comes
      }
    }
    await expect(read()).rejects.toMatchObject({ code: 'BAD_INPUT', details: { index: 1 } })
  })

  test.each([
    ['a window of 0', [], { window: 0 }],
    ['a text', 'abc', {}],
    ['a number', 5, {}]
  ])('map refuses %s', (_, inputs, options) => {
    expect(() => house.requester.map('matmul-i8' as string, inputs as never, options)).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION' })
    )
  })

  test('a stream hands over each verified unit once, and the receipt', async () => {
    const stream = house.requester.stream(matmulI8, input, { units: 4 })
    const units: number[] = []
    for await (const { unit, of, bytes } of stream) {
      expect(of).toBe(4)
      expect(bytes.byteLength).toBe(64 * 16 * 4)
      units.push(unit)
    }
    expect(units.sort()).toEqual([0, 1, 2, 3])
    const { value, receipt } = await stream.job.result
    expect(value).toBeUndefined()
    expect(receipt.paid).toBe(4n)
  })
})

describe('on', () => {
  test('tells of jobs and receipts until it is told to stop', async () => {
    const abort = new AbortController()
    const submitted: string[] = []
    const settled: JobReceipt[] = []
    const end = house.requester.on('submitted', ({ id }) => submitted.push(id))
    house.requester.on('settled', (receipt) => settled.push(receipt), { signal: abort.signal })
    const first = house.requester.submit(matmulI8, input)
    const { receipt } = await first.result
    await eventOf(first, 'done')
    end()
    abort.abort()
    await house.requester.submit(matmulI8, input).result
    expect(submitted).toEqual([first.id])
    expect(settled).toEqual([receipt])
    expect(() => house.requester.on('rain' as 'change', () => {})).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION' })
    )
  })
})

describe('jobs outlive a node', () => {
  test('with state, receipt and value; one that was cut off says so', async () => {
    const store = { ...memoryStore(), close: async () => {} } // the disk stays
    const open = () => openSwarm({ network: 'local', relays: [], listen: [] }, { store })
    const first = await open()
    const lost = first.submit(matmulI8, input, { providerWaitMs: 60_000, key: 'lost' })
    await eventOf(lost, 'queued')
    await first.stop()
    const second = await open()
    const kept = second.job(lost.id)
    expect(second.jobs().map(({ id }) => id)).toEqual([lost.id])
    expect(kept).toMatchObject({ id: lost.id, skill: 'matmul-i8' })
    await expect(kept?.result).rejects.toMatchObject({ retryable: expect.any(Boolean) })
    const events: JobEvent[] = []
    for await (const event of kept ?? []) {
      events.push(event)
    }
    expect(events.at(-1)?.type).toMatch(/failed|cancelled/)
    await second.stop()
  })
})

describe('createSwarm refuses', () => {
  test.each<[string, object]>([
    ['relays that are no list', { relays: '/ip4/127.0.0.1/tcp/1/ws' }],
    ['a network that it does not know', { network: 'moon' }],
    ['an option that it does not have', { relay: [] }],
    ['half a worker', { workers: 0.5 }],
    ['an empty data folder', { dataFolder: '' }],
    ['a signal that is none', { signal: 1 }]
  ])('%s', async (_, init) => {
    await expect(createSwarm(init)).rejects.toMatchObject({ code: 'BAD_OPTION' })
  })
})
