import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { EngineUnit, RunOptions } from '../../../src/compute/index.ts'
import { Outlay } from '../../../src/jobs/outlay.ts'
import { max } from '../../../src/jobs/price.ts'
import type { Skill } from '../../../src/skills/index.ts'
import type { PeerIdString } from '../../../src/wire/index.ts'
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

/** Holds the first unit that it gets until it is released, or the unit is taken back. */
class Holding extends RuleEngine {
  holds: number | undefined
  wasTakenBack = false
  readonly started = Promise.withResolvers<void>()
  readonly released = Promise.withResolvers<void>()

  override async run(unit: EngineUnit, { signal }: RunOptions = {}): Promise<Uint8Array> {
    this.holds ??= unit.params[0]
    signal?.addEventListener('abort', () => {
      this.holds = undefined
      this.wasTakenBack = true
      this.released.resolve()
    })
    this.started.resolve()
    await this.released.promise
    return super.run(unit)
  }
}

describe('a job of which two units are late', () => {
  let house: TradeHouse | undefined
  afterEach(() => house?.close())

  test('has a copy of one, though more were saved up, and pays both who delivered it; the other goes elsewhere', async () => {
    const skill = doubling('strong')
    house = await TradeHouse.open(skill as unknown as Skill) // its types are the test's business
    const slow = [new Holding(), new Holding()]
    const fast = new RuleEngine()
    fast.run = async (unit) => {
      await Promise.all(slow.map(({ started }) => started.promise))
      return RuleEngine.prototype.run.call(fast, unit)
    }
    const own = new RuleEngine()
    const isChecked = new Map<number, PromiseWithResolvers<void>>()
    own.verify = async ({ params: [number = 0] }) => {
      const first = slow.find(({ holds }) => holds === number)
      if (first !== undefined) {
        // the copy is under check until the first one's result is here, too
        first.released.resolve()
        const both = isChecked.get(number) ?? Promise.withResolvers<void>()
        if (isChecked.has(number)) {
          both.resolve()
        }
        isChecked.set(number, both)
        await both.promise
      }
      return true
    }
    const requester = await house.trader(own, { serves: false })
    const providers: PeerIdString[] = []
    for (const engine of [...slow, fast]) {
      providers.push((await house.trader(engine, { serves: true })).peer)
    }
    await requester.meets(providers)
    const { hedges } = requester.router
    for (let unit = 0; unit < 250; unit++) {
      hedges.earn(skill.manifest.name)
      hedges.time(skill.manifest.name, 10)
    }
    const numbers = Array.from({ length: 16 }, (_, number) => number)
    const handle = requester.requester.submit(skill, numbers, { providers, budget: 10_000n })
    const { value, receipt } = await handle.result
    expect(value).toEqual(numbers.map((number) => 2 * number))
    expect(slow.map(({ wasTakenBack }) => wasTakenBack).sort()).toEqual([false, true])
    expect(receipt.providers.reduce((total, { units }) => total + units, 0)).toBe(17)
    expect(receipt.paid).toBe(17n * COST)
    expect(receipt.paid).toBeLessThanOrEqual((receipt.price * 105n) / 100n + COST)
  }, 60_000)
})
