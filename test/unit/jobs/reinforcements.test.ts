import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Job, JobEvent, Swarm } from '../../../src/index.ts'
import type { MatmulOutput } from '../../../src/skills/index.ts'
import { type HostilePeer, SKILL } from '../../fixtures/hostile-peer.ts'
import { isProduct, NodeHouse, product } from '../../fixtures/node-house.ts'

// Jobs that are under way when a provider appears, with real nodes.

let house: NodeHouse
let requester: Swarm
/** Works well, a third of a second a unit. */
let slow: HostilePeer
const ledgers: Array<Pick<Swarm, 'exportLedger'>> = []
let answers: boolean

beforeAll(async () => {
  house = await NodeHouse.open()
  ;[requester, slow] = await Promise.all([house.swarm(), house.hostile()])
  await slow.offer()
  await slow.lie(async (job, unit) => {
    await new Promise((resolve) => setTimeout(resolve, 330)) // as a slow machine would take
    await (answers ? job.answer(unit.index, job.compute(unit)) : undefined)
  }, 4)
  ledgers.push(requester, slow)
})
afterEach(() => house.books(ledgers))
afterAll(() => house.close())

const input = product(64)

async function newcomer(): Promise<Swarm> {
  const swarm = await house.swarm()
  ledgers.push(swarm)
  return swarm
}

/** Calls back after so many verified units; all events, once the job has ended right. */
async function follow(job: Job<MatmulOutput>, verified: number, then: () => unknown) {
  const events: JobEvent[] = []
  let count = 0
  for await (const event of job) {
    events.push(event)
    count += event.type === 'verified' ? 1 : 0
    if (event.type === 'verified' && count === verified) {
      await then()
    }
  }
  const { value, receipt } = await job.result
  expect(isProduct(value, input)).toBe(true)
  return { events, receipt }
}

const workOf = (events: readonly JobEvent[], { peer }: Pick<Swarm, 'peer'>) =>
  events.filter((event) => event.type === 'verified' && event.provider === peer).length

test.each([
  ['twice its price', undefined],
  ['no more than its price', 'price']
])(
  'a long job with a budget of %s takes a provider that appears in the middle of it',
  async (_, limit) => {
    answers = true
    const fast = await newcomer()
    const { price } = await requester.quote(SKILL, input, { units: 40 })
    const job = requester.submit<MatmulOutput>(SKILL, input, {
      units: 40,
      ...(limit === 'price' ? { budget: price } : {})
    })
    const { events, receipt } = await follow(job, 3, () => fast.contribute())
    expect(workOf(events, fast)).toBeGreaterThan(10)
    expect(workOf(events, slow)).toBeGreaterThanOrEqual(3)
    expect(receipt.escrows).toHaveLength(2)
    expect(receipt.settles).toHaveLength(2)
    const shares = receipt.providers.map(({ peer, units, paid }) => ({ peer, paid: paid - BigInt(units) }))
    expect(new Set(shares.map(({ peer }) => peer))).toEqual(new Set([fast.peer, slow.peer]))
    expect(shares.map(({ paid }) => paid)).toEqual([0n, 0n]) // 1 µcr a unit
    expect(receipt.paid).toBeGreaterThanOrEqual(price)
    expect(receipt.paid).toBeLessThanOrEqual(limit === 'price' ? price : (price * 105n) / 100n + 1n)
    await fast.pause()
  },
  40_000
)

test('a job whose only provider dies goes on with one that appears after it', async () => {
  answers = true
  const [short, late] = [await newcomer(), await newcomer()]
  await short.contribute()
  const job = requester.submit<MatmulOutput>(SKILL, input, { units: 32, providers: [short.peer, late.peer] })
  const { events, receipt } = await follow(job, 2, async () => {
    await short.pause()
    await late.contribute()
  })
  expect(workOf(events, late)).toBeGreaterThan(0)
  expect(workOf(events, short) + workOf(events, late)).toBe(32)
  expect(receipt.providers.map(({ peer }) => peer).sort()).toEqual([short.peer, late.peer].sort())
  expect(receipt.paid).toBe(receipt.price)
  await late.pause()
}, 40_000)

test('one that is far too slow is replaced while it holds the last units, and is paid for what it did', async () => {
  const fast = await newcomer()
  answers = true
  const job = requester.submit<MatmulOutput>(SKILL, input, { units: 8, providers: [slow.peer, fast.peer] })
  const { events, receipt } = await follow(job, 3, async () => {
    answers = false
    await fast.contribute()
  })
  expect(workOf(events, fast)).toBeGreaterThan(0)
  const own = receipt.providers.find(({ peer }) => peer === slow.peer)
  expect(own?.units).toBeGreaterThanOrEqual(3)
  expect(own?.paid).toBe(BigInt(own?.units ?? 0))
  expect(receipt.paid).toBe(receipt.price)
}, 90_000)
