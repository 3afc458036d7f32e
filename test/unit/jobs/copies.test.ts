import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { Outlay } from '../../../src/jobs/outlay.ts'
import { max } from '../../../src/jobs/price.ts'
import type { Skill } from '../../../src/skills/index.ts'
import { COST, doubling, RuleEngine } from '../../fixtures/doubling.ts'
import { TradeHouse } from '../../fixtures/trade-house.ts'

// What a job may cost beyond its price: copies of late units that both had done.

const specs = (costs: readonly bigint[]) =>
  costs.map((cost) => ({ params: [], parts: [], data: new Uint8Array(), cost }))
const costs = fc.array(fc.bigInt({ min: 1n, max: 1_000n }), { minLength: 1, maxLength: 40 })
const sum = (amounts: readonly bigint[]) => amounts.reduce((a, b) => a + b, 0n)

describe('however many copies are asked for, and whichever of them are paid', () => {
  test('a job costs its price, a twentieth and one unit at most, and never more than the budget', () => {
    fc.assert(
      fc.property(
        costs,
        fc.bigInt({ min: 100n, max: 250n }),
        fc.array(fc.record({ unit: fc.nat(), isPaid: fc.boolean() }), { maxLength: 200 }),
        (prices, percent, copies) => {
          const price = sum(prices)
          const budget = (price * percent) / 100n
          const outlay = new Outlay({ units: specs(prices), rate: 1_000, budget })
          // every unit is in somebody's hands, or was paid
          let committed = price
          for (const { unit, isPaid } of copies) {
            const copy = prices[unit % prices.length] ?? 0n
            if (outlay.allows('copy', copy, committed, 0n)) {
              committed += isPaid ? copy : 0n // else one of the two let go of it
            }
          }
          const dearest = prices.reduce(max)
          expect(committed).toBeLessThanOrEqual(price + price / 20n + dearest)
          expect(committed).toBeLessThanOrEqual(budget)
        }
      )
    )
  })

  test('a copy is always allowed where nothing else is out twice and the budget has room', () => {
    fc.assert(
      fc.property(costs, fc.nat(), (prices, unit) => {
        const price = sum(prices)
        const copy = prices[unit % prices.length] ?? 0n
        const outlay = new Outlay({ units: specs(prices), rate: 1_000, budget: 2n * price })
        expect(outlay.allows('copy', copy, 0n, price)).toBe(true)
      })
    )
  })

  test('comparisons are bounded by the budget alone, and leave room for the units that wait', () => {
    const outlay = new Outlay({ units: specs([10n, 10n]), rate: 1_000, budget: 35n })
    expect(outlay.allows('comparison', 10n, 10n, 10n)).toBe(true)
    outlay.compare(10n)
    expect(outlay.allows('comparison', 10n, 20n, 10n)).toBe(false)
    expect(outlay.allows('copy', 5n, 20n, 10n)).toBe(true)
    expect(outlay.left(20n)).toBe(15n)
    outlay.settled = 20n
    expect(outlay.left(20n)).toBe(0n)
  })
})

describe('a job whose late units are all finished by two', () => {
  let house: TradeHouse | undefined
  afterEach(() => house?.close())

  test('stays within the bound though copies were saved up for it, and both are paid for what they delivered', async () => {
    const skill = doubling('strong')
    house = await TradeHouse.open(skill as unknown as Skill) // its types are the test's business
    const own = new RuleEngine()
    const requester = await house.trader(own, { serves: false })
    const engines = [new RuleEngine(), new RuleEngine()]
    const providers = await Promise.all(
      engines.map((engine) => (house as TradeHouse).trader(engine, { serves: true })) // opened above
    )
    await requester.meets(providers.map(({ peer }) => peer))
    const options = { providers: providers.map(({ peer }) => peer), budget: 10_000n }
    for (const engine of engines) {
      engine.unitMs = () => 10
    }
    await requester.requester.submit(skill, new Array(250).fill(1), options).result // saves up copies
    // each unit takes so long that it is copied, and most copies come while the first one is checked
    for (const engine of engines) {
      engine.unitMs = () => 700
    }
    own.checkMs = 900
    let wasPaidTwice = false
    // where the machine stands still, all copies may come too late
    for (let tries = 0; tries < 6 && !wasPaidTwice; tries++) {
      const handle = requester.requester.submit(skill, new Array(16).fill(2), options)
      const { receipt } = await handle.result
      const copies = Array.from({ length: 16 }, (_, unit) => handle.why(unit).length - 1)
      expect(copies.reduce((a, b) => a + b)).toBeGreaterThan(0)
      const units = receipt.providers.reduce((total, each) => total + each.units, 0)
      expect(receipt.paid).toBe(BigInt(units) * COST)
      expect(receipt.paid).toBeLessThanOrEqual((receipt.price * 105n) / 100n + COST)
      wasPaidTwice = receipt.paid > receipt.price
    }
    expect(wasPaidTwice).toBe(true)
  }, 120_000)
})
