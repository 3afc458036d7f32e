import { expect, test } from 'vitest'
import type { Engine, EngineUnit } from '../../../src/compute/index.ts'
import { QUEUE_UNITS_MAX, QUEUED_BYTES_MAX } from '../../../src/jobs/constants.ts'
import { StrangersShare } from '../../../src/jobs/strangers-share.ts'
import { WorkQueue } from '../../../src/jobs/work-queue.ts'
import { NETWORKS, type NetworkParameters, type PeerIdString } from '../../../src/wire/index.ts'

/** Two side by side; each unit is done when the test says so. */
class ManualEngine {
  readonly concurrency = 2
  readonly begun: string[] = []
  readonly ends: Array<() => void> = []

  run({ skill }: EngineUnit): Promise<Uint8Array> {
    this.begun.push(skill)
    return new Promise((resolve) => this.ends.push(() => resolve(new Uint8Array(1))))
  }
}

const peer = (name: string) => name as PeerIdString // no wire here: a name will do
const unit = (skill: string, size = 1): EngineUnit => ({
  skill,
  params: [],
  parts: [],
  data: new Uint8Array(size)
})
let now = 1_700_000_000_000
/** Lets what is resolved go on. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

function open(weights: Record<string, number> = {}, network: NetworkParameters = NETWORKS.local) {
  const engine = new ManualEngine()
  // a queue only runs units
  const queue = new WorkQueue({
    engine: engine as unknown as Engine,
    weightOf: (name) => weights[name] ?? 1,
    strangers: new StrangersShare({ network, now: () => now })
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

test('strangers get their share of an hour and no more, each name and all names; friends what they want', async () => {
  const { engine, queue } = open({ friend: 1 }, NETWORKS.main)
  const weightless = new WorkQueue({
    engine: engine as unknown as Engine,
    weightOf: (name) => (name === 'friend' ? 1 : 0),
    strangers: new StrangersShare({ network: { ...NETWORKS.main, strangersMsPerHour: 0 }, now: () => now })
  })
  await expect(weightless.run(peer('a'), 10, unit('a'))).rejects.toMatchObject({
    code: 'BUSY',
    retryable: true
  })
  expect([weightless.serves(peer('a')), weightless.serves(peer('friend'))]).toEqual([false, true])
  void weightless.run(peer('friend'), 10, unit('friend'))
  await settle()
  expect(engine.begun).toEqual(['friend'])
  expect(queue.serves(peer('friend'))).toBe(true)

  const share = new StrangersShare({ network: NETWORKS.main, now: () => now })
  share.charge(peer('a'), NETWORKS.main.strangersMsPerHour)
  expect([share.allows(peer('a'), 1), share.allows(peer('b'), 1)]).toEqual([false, true])
  for (let name = 0; name < 6; name++) {
    share.charge(peer(`${name}`), NETWORKS.main.strangersMsPerHour)
  }
  expect(share.allows(peer('new'), 1)).toBe(false) // a tenth of the hour is gone
  now += 2 * 3_600_000
  expect([share.allows(peer('a'), 1), share.allows(peer('new'), 1)]).toEqual([true, true])
})
