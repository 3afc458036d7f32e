import { afterEach, expect, test } from 'vitest'
import type { Skill } from '../../../src/skills/index.ts'
import { COST, doubling, RuleEngine } from '../../fixtures/doubling.ts'
import { TradeHouse } from '../../fixtures/trade-house.ts'

// A canary at an idle provider: a job of one unit that it cannot tell from any other.

let house: TradeHouse | undefined
afterEach(() => house?.close())

test('is a unit of an earlier job that the provider has not computed, then the example, and is paid', async () => {
  const skill = doubling('strong') as unknown as Skill // its types are the test's business
  house = await TradeHouse.open(skill)
  const requester = await house.trader(new RuleEngine(), { serves: false })
  const seen: number[][] = [[], []]
  const engines = seen.map((numbers) =>
    Object.assign(new RuleEngine(), {
      unitMs: (number: number) => {
        numbers.push(number)
        return 0
      }
    })
  )
  const [first, second] = [
    await house.trader(engines[0] as RuleEngine, { serves: true }),
    await house.trader(engines[1] as RuleEngine, { serves: true })
  ]
  await requester.meets([first.peer, second.peer])
  await requester.requester.submit(skill, [77], { providers: [first.peer] }).result
  const probe = async (peer: typeof first.peer) =>
    (await requester.requester.probe(skill, peer).result).receipt
  const { paid, providers } = await probe(second.peer)
  expect(seen[1]).toEqual([77])
  expect(paid).toBe(COST)
  expect(providers).toEqual([{ peer: second.peer, units: 1, rejected: 0, paid: COST }])
  await probe(second.peer)
  await probe(first.peer)
  expect(seen).toEqual([
    [77, 1],
    [77, 1]
  ])
}, 20_000)
