import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Engine, EngineUnit, RunOptions } from '../../../src/compute/index.ts'
import { QUEUE_UNITS_MAX, QUEUED_BYTES_MAX } from '../../../src/jobs/constants.ts'
import { StrangersShare } from '../../../src/jobs/strangers-share.ts'
import { WorkQueue } from '../../../src/jobs/work-queue.ts'
import { NETWORKS, type NetworkParameters, type PeerIdString } from '../../../src/wire/index.ts'

/** Two side by side; each unit is done when the test says so, or after its `lengths`, or is cut. */
class ManualEngine {
  readonly concurrency = 2
  readonly begun: string[] = []
  readonly ends: Array<() => void> = []
  /** Of the units to come (ms). @default for ever */
  readonly lengths: number[] = []
  cut = 0
  private readonly used: Array<[string, number]> = []

  run({ skill }: EngineUnit, { signal }: RunOptions): Promise<Uint8Array> {
    const begun = Date.now()
    this.begun.push(skill)
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
    const end = () => resolve(new Uint8Array(1))
    this.ends.push(end)
    const length = this.lengths.shift()
    const timer = length && setTimeout(end, length)
    signal?.addEventListener('abort', () => {
      this.cut += 1
      clearTimeout(timer)
      reject(signal.reason)
    })
    return promise.finally(() => this.used.push([skill, Date.now() - begun]))
  }

  /** Milliseconds of all, or of one skill. */
  usedBy(skill?: string): number {
    return this.used.reduce((sum, [name, ms]) => sum + (name === (skill ?? name) ? ms : 0), 0)
  }
}

const peer = (name: string) => name as PeerIdString // no wire here: a name will do
const unit = (skill: string, size = 1): EngineUnit => ({
  skill,
  params: [],
  parts: [],
  data: new Uint8Array(size)
})
/** Lets what is resolved go on. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

function open(weights: Record<string, number> = {}, network: NetworkParameters = NETWORKS.local) {
  const engine = new ManualEngine()
  // a queue only runs units
  const queue = new WorkQueue({
    engine: engine as unknown as Engine,
    weightOf: (name) => weights[name] ?? 1,
    strangers: new StrangersShare({ network, now: Date.now })
  })
  return { engine, queue }
}

test('a few run, one more is ready, the others wait; recognised requesters first', async () => {
  const { engine, queue } = open({ stranger: 0 })
  const done: string[] = []
  for (const name of ['stranger', 'stranger', 'stranger', 'stranger', 'stranger', 'friend']) {
    void queue.run(peer(name), 10, unit(name)).then(() => done.push(name))
  }
  await settle()
  expect(engine.begun).toEqual(['stranger', 'stranger', 'stranger'])
  engine.ends[0]?.()
  await settle()
  expect(engine.begun).toEqual(['stranger', 'stranger', 'stranger', 'friend'])
  expect(done).toEqual(['stranger'])
})

test('a unit that is cancelled while it waits never runs, and its place is free', async () => {
  const { engine, queue } = open()
  const cancel = new AbortController()
  for (const name of ['a', 'b', 'c']) {
    void queue.run(peer(name), 10, unit(name))
  }
  const waiting = queue.run(peer('d'), 10, unit('d'), { signal: cancel.signal })
  cancel.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  void queue.run(peer('e'), 10, unit('e'))
  engine.ends[0]?.()
  await settle()
  expect(engine.begun).toEqual(['a', 'b', 'c', 'e'])
  await expect(queue.run(peer('f'), 10, unit('f'), { signal: cancel.signal })).rejects.toThrow('enough')
})

test('more units or bytes than it may hold are refused with the time to wait', async () => {
  const { queue } = open()
  const busy = { code: 'BUSY', retryable: true, details: { retryAfterMs: expect.any(Number) } }
  void queue.run(peer('big'), 10, unit('big', QUEUED_BYTES_MAX))
  await expect(queue.run(peer('a'), 10, unit('a'))).rejects.toMatchObject(busy)
  for (let i = 0; i < QUEUE_UNITS_MAX + 2; i++) {
    void queue.run(peer(`${i % 7}`), 10, unit('x', 0))
  }
  await expect(queue.run(peer('b'), 10, unit('b', 0))).rejects.toMatchObject(busy)
})

test('tells how long a unit would wait, from what it has measured', async () => {
  const { engine, queue } = open()
  expect(queue.waitMs).toBe(0)
  const first = queue.run(peer('a'), 1_000, unit('a'))
  await settle()
  engine.ends[0]?.()
  await first
  expect(queue.waitMs).toBe(0)
  for (let i = 0; i < 10; i++) {
    void queue.run(peer('a'), 1_000, unit('a'))
  }
  await settle()
  const wait = queue.waitMs
  expect(wait).toBeGreaterThan(0)
  for (let i = 0; i < 10; i++) {
    void queue.run(peer('b'), 1_000, unit('b'))
  }
  await settle()
  expect(queue.waitMs).toBeGreaterThanOrEqual(2 * wait - 1)
})

test('units of strangers give way to those of who is recognised, in bytes and in number, the last of the largest first', async () => {
  const { engine, queue } = open({ big: 0, small: 0 })
  const lost: string[] = []
  const run = (name: string, size: number) =>
    void queue.run(peer(name), 10, unit(name, size)).catch(({ code }) => lost.push(`${name} ${code}`))
  for (const name of ['friend', 'friend', 'friend']) {
    run(name, 0) // in work
  }
  run('big', QUEUED_BYTES_MAX / 2)
  run('small', 1)
  run('big', QUEUED_BYTES_MAX / 2 - 1)
  run('small', 1) // no stranger's for a stranger's
  run('friend', 1)
  await settle()
  expect(lost).toEqual(['small BUSY', 'big BUSY'])
  for (let i = 0; i < QUEUE_UNITS_MAX - 3; i++) {
    run('big', 0)
  }
  run('friend', 0)
  run('friend', 0)
  await settle()
  expect(lost).toEqual(['small BUSY', 'big BUSY', 'big BUSY', 'big BUSY'])
  engine.ends[0]?.()
  await settle()
  expect(engine.begun.at(-1)).toBe('friend')
})

test('what strangers have waiting is not in the way of who is recognised', async () => {
  const { engine, queue } = open({ stranger: 0 })
  const first = queue.run(peer('friend'), 10, unit('friend'))
  await settle()
  engine.ends[0]?.()
  await first
  for (let i = 0; i < 50; i++) {
    void queue.run(peer('stranger'), 1e9, unit('stranger'))
  }
  await settle()
  expect(queue.waitOf(peer('stranger'))).toBe(queue.waitMs)
  expect(queue.waitOf(peer('friend'))).toBeLessThan(queue.waitMs / 10)
})

describe('strangers get their share of an hour and no more', () => {
  const SHARE = 0.1 * 2 * 3_600_000 // of two lanes
  beforeEach(() => vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'] }))
  afterEach(() => vi.useRealTimers())

  function openMain(weightOf: (name: string) => number = () => 0, share?: number) {
    const engine = new ManualEngine()
    const strangers = new StrangersShare({ network: NETWORKS.main, now: Date.now })
    strangers.share = share
    return { engine, queue: new WorkQueue({ engine: engine as unknown as Engine, weightOf, strangers }) }
  }

  test('one name: what it has in work is cut, what it has waiting never begins, the next one is refused', async () => {
    const { engine, queue } = openMain()
    const busy = { code: 'BUSY', retryable: true, details: { retryAfterMs: expect.any(Number) } }
    const runs = Array.from({ length: 9 }, () => queue.run(peer('a'), 10, unit('a')))
    const all = Promise.allSettled(runs)
    await vi.advanceTimersByTimeAsync(39_000)
    expect([engine.begun.length, engine.cut]).toEqual([3, 0])
    await vi.advanceTimersByTimeAsync(1_001) // three at once: two minutes, a minute a lane
    expect([engine.begun.length, engine.cut]).toEqual([3, 3])
    for (const outcome of await all) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: busy })
    }
    expect([queue.serves(peer('a')), queue.serves(peer('b'))]).toEqual([false, true])
    await vi.advanceTimersByTimeAsync(2 * 3_600_000)
    expect(queue.serves(peer('a'))).toBe(true)
  })

  test('any number of names, with units of any length that all wait before the first is done', async () => {
    const units = fc.array(fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 400_000 })), { minLength: 60 })
    await fc.assert(
      fc.asyncProperty(units, async (asked) => {
        const { engine, queue } = openMain()
        for (const [name, ms] of asked) {
          engine.lengths.push(ms)
          queue.run(peer(`${name}`), 10, unit(`${name}`)).catch(() => {}) // refused or cut
        }
        await vi.advanceTimersByTimeAsync(3_600_000)
        const slack = 3 * engine.begun.length // a timer is a millisecond late
        expect(engine.usedBy()).toBeLessThanOrEqual(SHARE + slack)
        for (const name of new Set(engine.begun)) {
          expect(engine.usedBy(name)).toBeLessThanOrEqual(120_000 + slack)
        }
      }),
      { numRuns: 50 }
    )
  })

  test('who is recognised gets what it wants, and the person sets the share', async () => {
    const { engine, queue } = openMain((name) => (name === 'friend' ? 1 : 0), 0)
    await expect(queue.run(peer('a'), 10, unit('a'))).rejects.toMatchObject({ code: 'BUSY' })
    void queue.run(peer('friend'), 10, unit('friend'))
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect([engine.begun, engine.cut]).toEqual([['friend'], 0])
    expect(openMain(undefined, 1).queue.serves(peer('a'))).toBe(true)
  })
})
