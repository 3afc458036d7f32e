import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Job, JobEvent, Swarm } from '../../../src/index.ts'
import type { MatmulOutput } from '../../../src/skills/index.ts'
import { type HostileJob, type HostilePeer, SKILL } from '../../fixtures/hostile-peer.ts'
import { eventsOf, isProduct, NodeHouse, product, statusOf } from '../../fixtures/node-house.ts'

// Where the units of a job go, with real nodes: one honest provider, and one that does what a test wants.

let house: NodeHouse
let requester: Swarm
let honest: Swarm
let odd: HostilePeer
const gone: Array<Pick<Swarm, 'exportLedger'>> = []
let answer: (job: HostileJob, unit: Parameters<HostileJob['compute']>[0]) => Promise<void> | void

beforeAll(async () => {
  house = await NodeHouse.open()
  ;[requester, honest, odd] = await Promise.all([house.swarm(), house.provider(), house.hostile()])
  await odd.offer()
  await odd.lie((job, unit) => answer(job, unit))
})
afterEach(() => house.books([requester, honest, odd, ...gone]))
afterAll(() => house.close())

const input = product(64)
const both = () => ({ providers: [honest.peer, odd.peer], units: 8 })
const assigned = (events: readonly JobEvent[], provider: string) =>
  events.filter((event) => event.type === 'assigned' && event.provider === provider).length

async function right(job: Job<MatmulOutput>) {
  const events = await eventsOf(job)
  const { value, receipt } = await job.result
  expect(isProduct(value, input)).toBe(true)
  return { events, receipt }
}

describe('a provider that accepts and never answers', () => {
  test('keeps nobody waiting: its unit goes to another in seconds, and it is paid nothing', async () => {
    answer = () => {}
    const started = performance.now()
    const job = requester.submit<MatmulOutput>(SKILL, input, both())
    const { events, receipt } = await right(job)
    expect(assigned(events, odd.peer)).toBe(1)
    expect(receipt.providers.find(({ peer }) => peer === odd.peer)).toMatchObject({ units: 0, paid: 0n })
    expect(receipt.paid).toBe(receipt.price)
    // a unit may take a minute by its manifest; only a copy explains this
    expect(performance.now() - started).toBeLessThan(30_000)
    const copies = Array.from({ length: 8 }, (_, unit) => job.why(unit)).filter((why) => why.length > 1)
    expect(copies).toEqual([
      [
        expect.objectContaining({ provider: odd.peer, reason: 'next' }),
        expect.objectContaining({ provider: honest.peer, reason: 'resend' })
      ]
    ])
    expect(requester.router.trustIn(odd.peer, SKILL)).toBeLessThan(0.3)
  })
})

describe('a copy of a late unit', () => {
  afterEach(() => {
    odd.dropsCancelled = true
  })

  test('whose first provider lets go of it costs nothing more', async () => {
    answer = () => {}
    const { receipt } = await right(requester.submit<MatmulOutput>(SKILL, input, both()))
    expect(receipt.paid).toBe(receipt.price)
    expect(receipt.providers.find(({ peer }) => peer === odd.peer)).toMatchObject({ units: 0, rejected: 0 })
  })

  test('whose first provider has its result under way is paid for twice: no delivered work is free', async () => {
    let late: (() => Promise<void>) | undefined
    odd.dropsCancelled = false
    answer = (job, unit) => {
      late = () => job.answer(unit.index, job.compute(unit))
    }
    const job = requester.submit<MatmulOutput>(SKILL, input, both())
    for await (const event of job) {
      if (event.type === 'verified' && job.why(event.unit).length > 1) {
        await late?.() // of a unit that was taken back
      }
    }
    const { receipt } = await right(job)
    expect(receipt.paid).toBe(receipt.price + 1n)
    expect(receipt.providers.find(({ peer }) => peer === odd.peer)).toMatchObject({
      units: 1,
      rejected: 0,
      paid: 1n
    })
  })

  test('whose first provider neither lets go nor answers earns it nothing', async () => {
    odd.dropsCancelled = false
    answer = () => {}
    const { events, receipt } = await right(requester.submit<MatmulOutput>(SKILL, input, both()))
    expect(assigned(events, odd.peer)).toBe(1)
    expect(receipt.paid).toBe(receipt.price)
    expect(receipt.providers.find(({ peer }) => peer === odd.peer)?.paid).toBe(0n)
  })
})

test('what is verified can be seen before the job is done', async () => {
  const job = requester.submit<MatmulOutput>(SKILL, input, { providers: [honest.peer], units: 8 })
  expect(job.partial()).toBeUndefined()
  const filled: number[] = []
  for await (const event of job) {
    if (event.type === 'verified') {
      const rows = job.partial()?.c ?? new Int32Array()
      filled.push(rows.filter((value) => value !== 0).length / rows.length)
    }
  }
  await right(job)
  expect(filled).toHaveLength(8)
  expect(filled[0]).toBeLessThan(0.9)
  expect(filled.at(-1)).toBeGreaterThan(0.9)
})

test('the reasons of a choice can be asked for', async () => {
  answer = (job, unit) => job.answer(unit.index, job.compute(unit))
  const job = requester.submit<MatmulOutput>(SKILL, input, both())
  const { events } = await right(job)
  const hired = events.find(({ type }) => type === 'hired')
  expect(hired).toMatchObject({
    strategy: 'swarm',
    candidates: expect.arrayContaining([
      { peer: honest.peer, score: expect.any(Number), chosen: expect.any(String) }
    ])
  })
  const [why] = job.why(0)
  expect(why).toMatchObject({ reason: 'next', candidates: expect.any(Array) })
  expect(why?.candidates.map(({ peer }) => peer)).toContain(why?.provider)
  expect(job.why(99)).toEqual([])
})

test('a cancelled job leaves no unit at a provider, long before the unit would end, and nobody is blamed', async () => {
  const cancelled = Promise.withResolvers<number>()
  answer = () => {}
  const trust = requester.router.trustIn(honest.peer, SKILL)
  const job = requester.submit<MatmulOutput>(SKILL, product(512), { providers: [honest.peer], units: 64 })
  for await (const event of job) {
    if (event.type === 'verified') {
      const at = performance.now()
      void statusOf(honest, ({ work }) => work.running === 0).then(() =>
        cancelled.resolve(performance.now() - at)
      )
      void job.cancel()
      break
    }
  }
  expect(await cancelled.promise).toBeLessThan(5_000) // 200 ms, and the tests beside this one
  await expect(job.result).rejects.toMatchObject({ code: 'CANCELLED' })
  expect(requester.router.trustIn(honest.peer, SKILL)).toBeGreaterThanOrEqual(trust)
})

test('a provider that wants twice the price is left out of a job that pays less, and gets it from one that pays it', async () => {
  const dear = await house.swarm()
  await dear.contribute({ rate: 2_000 })
  const only = { providers: [dear.peer], units: 2 }
  await expect(
    requester.submit<MatmulOutput>(SKILL, input, { ...only, providerWaitMs: 2_000 }).result
  ).rejects.toMatchObject({ code: 'NO_PROVIDER' })
  const published = (await requester.quote(SKILL, input, { units: 2 })).price
  const quote = await requester.quote(SKILL, input, { units: 2, rate: 2_000 })
  const { receipt } = await right(requester.submit<MatmulOutput>(SKILL, input, { ...only, rate: 2_000 }))
  expect(receipt.price).toBe(2n * published)
  expect([quote.price, receipt.paid]).toEqual([receipt.price, receipt.price])
  gone.push(dear)
  for (const rate of [0, -1, 0.5, Number.NaN, 1e9, '5']) {
    const options = { rate } as { rate: number } // callers without types
    expect(() => requester.submit(SKILL, input, options)).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION' })
    )
    await expect(dear.contribute(options)).rejects.toMatchObject({ code: 'BAD_OPTION' })
  }
})

test('a provider is found by the memory that its device tells', async () => {
  const isFound = async (memoryMin: number) => {
    for await (const { advert } of odd.node.services.registry.find(SKILL, { constraints: { memoryMin } })) {
      if (advert.peer === honest.peer) {
        return true
      }
    }
    return false
  }
  expect(await isFound(2 ** 27)).toBe(true)
  expect(await isFound(2 ** 40)).toBe(false)
})

test('what was learned of a provider outlives the node', async () => {
  const dataFolder = mkdtempSync(join(tmpdir(), 'swarm-'))
  try {
    const before = await house.swarm({ dataFolder })
    await before.submit<MatmulOutput>(SKILL, input, { providers: [honest.peer], units: 8 }).result
    const trust = before.router.trustIn(honest.peer, SKILL)
    expect(trust).toBeGreaterThan(0.3)
    await before.stop()
    const after = await house.swarm({ dataFolder })
    expect(after.router.trustIn(honest.peer, SKILL)).toBeCloseTo(trust, 5)
    expect(after.router.pheromones()).toEqual([
      { peer: honest.peer, skill: SKILL, strength: expect.any(Number) }
    ])
    const kept = await after.exportLedger()
    gone.push({ exportLedger: async () => kept })
    await after.stop()
  } finally {
    rmSync(dataFolder, { recursive: true })
  }
})
