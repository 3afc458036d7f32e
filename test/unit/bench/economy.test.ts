import { expect, test } from 'vitest'
import { besiege, HONEST, NO_SERVICE, spendAll } from '../../../bench/attacks/swarm.ts'
import { voteAttacks } from '../../../bench/attacks/votes.ts'
import { Market } from '../../../bench/economy/market.ts'
import { gini } from '../../../bench/economy/measures.ts'
import { Crowd } from '../../../bench/economy/population.ts'
import { SKILLS } from '../../../src/skills/index.ts'
import { canaryPrice } from '../../../src/swarm/prober.ts'
import { NETWORKS } from '../../../src/wire/index.ts'

function days(seed: number, count: number): Market {
  const market = new Market({ network: NETWORKS.main, seed })
  const crowd = new Crowd(market, 40, 0.02)
  for (let hour = 0; hour < 24 * count; hour++) {
    market.hour()
    if (hour % 24 === 23) {
      crowd.turnOver()
    }
  }
  return market
}

const balancesOf = ({ agents }: Market) => agents.map(({ balance }) => balance)

test('the same seed makes the same swarm, another one another', () => {
  expect(balancesOf(days(1, 4))).toEqual(balancesOf(days(1, 4)))
  expect(balancesOf(days(1, 4))).not.toEqual(balancesOf(days(2, 4)))
})

test('credit is only moved and drained; each node gives on recognition at most what it was given', () => {
  const market = days(3, 12)
  const grants = NETWORKS.main.genesisGrant * BigInt(market.agents.length)
  const left = balancesOf(market).reduce((sum, balance) => sum + balance, 0n)
  expect(left).toBeGreaterThan(grants / 10n)
  expect(left).toBeLessThanOrEqual(grants)
  expect(balancesOf(market).every((balance) => balance >= 0n)).toBe(true)
  let given = 0n
  for (const { edges } of market.agents) {
    for (const { work, served, redeemed } of edges.values()) {
      expect(served + redeemed).toBeLessThanOrEqual(work)
      given += served + redeemed
    }
  }
  expect(given).toBeGreaterThan(0n)
})

test('canaries cost what those of the product do, and a stranger gets its share of every hour', () => {
  const market = new Market({ network: NETWORKS.main, seed: 1 })
  const profile = {
    kind: 'contributor',
    speed: 100,
    presence: 1,
    serves: true,
    jobsADay: 1e-9,
    jobSize: 1
  } as const
  const providers = Array.from({ length: 4 }, () => market.add(profile))
  const [stranger] = [market.add({ ...profile, serves: false })]
  for (let hour = 0; hour < 48; hour++) {
    market.order(stranger, 100_000n)
    market.hour()
  }
  const prices = [...SKILLS.values()].flatMap((skill) => canaryPrice(skill) ?? [])
  const { probes } = market.resetTally()
  const count = BigInt(providers.length * 4) // half an interval apart at least
  expect(probes).toBeGreaterThan(0n)
  expect(Number(probes / count)).toBeLessThanOrEqual(Math.max(...prices.map(Number)))
  // a minute an hour of each, to a tenth
  expect(Number(stranger.got.strangers)).toBeGreaterThan(0.9 * 48 * 4 * 60 * profile.speed)
})

test('an attack’s figures can be other than 0: whoever works is given back, whoever does not is a stranger', () => {
  const init = { seed: 1, nodes: 40, days: 3 }
  const worker = besiege(init, HONEST)
  expect(worker.got).toBeGreaterThan(0)
  expect(worker.got).toBeLessThanOrEqual(worker.done)
  const names = besiege(init, {
    arrive: (market, owner) => [market.add(NO_SERVICE, owner)],
    act: (market, names) => spendAll(market, names)
  })
  expect(names.got).toBe(0)
  expect(names.strangers).toBeGreaterThan(0)
})

test('seats bear two of seven', () => {
  const [bought] = voteAttacks({ seed: 1, nodes: 0, days: 0 })
  expect(bought?.gain).toBe(0)
  expect(bought?.beyond).toBeGreaterThan(0.3) // P(3 or more of 7) at a third: .43
  expect(bought?.beyond).toBeLessThan(0.55)
})

test('Gini: 0 for equals, (n − 1)/n when one has all', () => {
  expect(gini([3, 3, 3, 3])).toBe(0)
  expect(gini([0, 0, 0, 8])).toBe(0.75)
  expect(gini([])).toBe(0)
})
