import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { JobEvent, SubmitOptions } from '../../../src/api.ts'
import type { Skill } from '../../../src/skills/index.ts'
import { COST, doubling, RuleEngine } from '../../fixtures/doubling.ts'
import { TradeHouse } from '../../fixtures/trade-house.ts'

// A skill whose own check sees nothing: only another computation of a unit can tell a lie from the truth.

const skill = doubling('weak')
const { name: NAME } = skill.manifest

let house: TradeHouse

beforeEach(async () => {
  house = await TradeHouse.open(skill as unknown as Skill) // its types are the test's business
})
afterEach(() => house.close())

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i % 100)

/** A requester and providers with these rules; the job's events, and what was paid to whom. */
async function hire(
  rules: ReadonlyArray<((number: number) => number) | undefined>,
  count: number,
  { random = Math.random, skill: hired = skill }: { random?: () => number; skill?: typeof skill } = {}
) {
  const own = new RuleEngine()
  const requester = await house.trader(own, { serves: false, random })
  const engines = rules.map((rule) => Object.assign(new RuleEngine(rule), { unitMs: () => 10 }))
  const providers = await Promise.all(engines.map((engine) => house.trader(engine, { serves: true })))
  await requester.meets(providers.map(({ peer }) => peer))
  const job = async (options: SubmitOptions = {}) => {
    const handle = requester.requester.submit(hired, numbers(count), {
      providers: providers.map(({ peer }) => peer),
      budget: 3n * COST * BigInt(count),
      ...options
    })
    const events: JobEvent[] = []
    for await (const event of handle) {
      events.push(event)
    }
    const { value, receipt } = await handle.result
    expect(value).toEqual(numbers(count).map((number) => 2 * number))
    const sent = numbers(count).flatMap((_, unit) => handle.why(unit).map(({ reason }) => reason))
    const replicas = sent.filter((reason) => reason === 'replica')
    const copies = sent.filter((reason) => reason === 'hedge' || reason === 'resend').length
    const paid = providers.map(({ peer }) => receipt.providers.find((each) => each.peer === peer)?.paid ?? 0n)
    return { events, receipt, replicas: replicas.length, copies, paid }
  }
  return { job, own, engines, requester, providers }
}

describe('a weak check', () => {
  test('with nobody else to ask is backed by this node, less and less often', async () => {
    const { job, own, requester, providers } = await hire([undefined], 40)
    const { paid } = await job()
    expect(paid).toEqual([40n * COST])
    const first = own.runs
    // all of the first ten, then 1/CV of the rest: some 11.4 in the mean
    expect(first).toBeGreaterThanOrEqual(10)
    expect(first).toBeLessThan(30)
    await job()
    expect(own.runs - first).toBeLessThan(20)
    expect(requester.router.checksPassed(providers[0]?.peer as never, NAME)).toBe(own.runs)
  })

  test('when the lot falls on a unit it is compared, however much its provider is believed', async () => {
    const { job, own, requester, providers } = await hire([undefined], 40, { random: () => 0 })
    await job()
    expect(own.runs).toBe(40)
    expect(requester.router.checksPassed(providers[0]?.peer as never, NAME)).toBe(40)
  })

  test('catches one that lies among honest ones, pays it at most what it had receipts for, and ends right', async () => {
    const { job, providers, requester } = await hire([undefined, undefined, (number) => 2 * number + 1], 60)
    const { paid, receipt, replicas } = await job()
    expect(replicas).toBeGreaterThan(0)
    expect(paid[2]).toBe(0n)
    expect(receipt.providers.find(({ peer }) => peer === providers[2]?.peer)?.rejected ?? 1).toBeGreaterThan(
      0
    )
    const [honest, , liar] = providers.map(({ peer }) => requester.router.trustIn(peer, NAME))
    expect(liar).toBeLessThan(0.3)
    expect(honest).toBeGreaterThan(0.3)
    // replicas that agree are work too, and paid
    expect(paid[0]).toBeGreaterThan(0n)
    expect(receipt.paid).toBeGreaterThan(receipt.price)
  })

  test('of two that contradict each other this node finds the liar', async () => {
    const { job, own } = await hire([undefined, (number) => 2 * number + 1], 12)
    const { paid } = await job()
    expect(own.runs).toBeGreaterThan(0)
    expect(paid[1]).toBe(0n)
  })

  test('two that lie alike do not convince', async () => {
    const lie = (number: number) => (2 * number + 7) % 256
    const { job, own } = await hire([lie, lie, undefined], 12)
    const { paid } = await job()
    expect(own.runs).toBeGreaterThan(0)
    expect(paid.slice(0, 2)).toEqual([0n, 0n])
  })
})

describe('a unit that is too small for its check', () => {
  const small = doubling('strong')
  const weakly: typeof small = {
    ...small,
    plan(input, options) {
      const plan = small.plan(input, options)
      return { ...plan, units: plan.units.map((unit) => ({ ...unit, check: 'weak' as const })) }
    }
  }

  beforeEach(async () => {
    await house.close()
    house = await TradeHouse.open(weakly as unknown as Skill) // its types are the test's business
  })

  test('is computed here now and then, as its provider deserves, and paid once', async () => {
    const { job, own, requester, providers } = await hire([undefined, undefined], 30, {
      random: () => 0,
      skill: weakly
    })
    const { receipt, replicas, copies } = await job()
    expect(replicas).toBe(0)
    // a copy of a late unit, where both were done, is work like any other
    const extra = own.runs - 30
    expect(extra).toBeGreaterThanOrEqual(0)
    expect(extra).toBeLessThanOrEqual(copies)
    expect(receipt.paid).toBe(receipt.price + BigInt(extra) * COST)
    const compared = providers.map(({ peer }) => requester.router.checksPassed(peer, weakly.manifest.name))
    expect(compared.reduce((sum, count) => sum + count, 0)).toBe(own.runs)
  })

  test('is not, once its provider is believed', async () => {
    const { job, own } = await hire([undefined], 30, { random: () => 1 - 1e-9, skill: weakly })
    await job()
    await job()
    expect(own.runs).toBeLessThan(60)
    const runs = own.runs
    await job()
    expect(own.runs).toBe(runs)
  })

  test('betrays one that lies', async () => {
    const { job } = await hire([undefined, (number) => 2 * number + 1], 30, { skill: weakly })
    const { paid } = await job()
    expect(paid).toEqual([30n * COST, 0n])
  })
})

describe('results that differ as honest ones may', () => {
  const loose: ReturnType<typeof doubling> = {
    ...doubling('strong'),
    // by the unit's own input: what is near enough may depend on it
    agrees: ({ params: [number = 0] }, [one = 0], [other = 0]) =>
      [one, other].every((value) => Math.abs(value - 2 * number) <= 1)
  }

  beforeEach(async () => {
    await house.close()
    house = await TradeHouse.open(loose as unknown as Skill) // its types are the test's business
  })

  test('agree where a job asks for two of each', async () => {
    const { requester, providers, own } = await hire([undefined, (number) => 2 * number + 1], 0, {
      skill: loose
    })
    const handle = requester.requester.submit(loose, numbers(8), {
      providers: providers.map(({ peer }) => peer),
      budget: 2n * COST * 8n,
      redundancy: 2
    })
    const { receipt } = await handle.result
    expect(receipt.providers.map(({ units, rejected }) => [units, rejected])).toEqual([
      [8, 0],
      [8, 0]
    ])
    expect(own.runs).toBe(0)
  })
})

describe('a ring of peers that lie alike', () => {
  const lie = (number: number) => (2 * number + 7) % 256

  test('after honest work confirms its lies in every replica, and is found out by a canary', async () => {
    const { job, engines, providers, requester } = await hire([undefined, undefined, undefined], 40)
    await job() // all three are believed from now on
    for (const engine of engines) {
      engine.rule = lie
    }
    const trustIn = () => providers.map(({ peer }) => requester.router.trustIn(peer, NAME))
    const before = trustIn()
    for (let run = 0; run < 8 && trustIn().every((trust, i) => trust >= (before[i] ?? 1)); run++) {
      const handle = requester.requester.submit(skill, numbers(40), {
        providers: providers.map(({ peer }) => peer),
        budget: 3n * COST * 40n,
        providerWaitMs: 100
      })
      // right, or wrong here and there, or without a provider once all are found out: replicas do not help
      await handle.result.catch(() => {})
    }
    const fallen = trustIn().filter((trust, i) => trust < (before[i] ?? 0))
    expect(fallen.length).toBeGreaterThan(0)
  }, 60_000)
})

describe('a canary', () => {
  test('is a unit like any other: paid, computed by who has not seen it, and no unit of the job', async () => {
    let draw = 1 - 1e-9 // no canaries at first
    const { job, engines } = await hire([undefined, undefined, undefined], 30, { random: () => draw })
    await job()
    draw = 0 // before each unit one, as long as there are any
    for (const engine of engines) {
      engine.runs = 0
    }
    const { receipt, replicas, copies } = await job()
    const units = receipt.providers.reduce((sum, each) => sum + each.units, 0)
    // a provider has seen some of the thirty in the first job
    const canaries = units - 30 - replicas
    expect(canaries).toBeGreaterThan(copies)
    expect(canaries - copies).toBeLessThanOrEqual(2 * 30)
    expect(receipt.paid).toBe(BigInt(units) * COST)
    expect(engines.reduce((sum, { runs }) => sum + runs, 0)).toBeGreaterThanOrEqual(units)
  })
})
