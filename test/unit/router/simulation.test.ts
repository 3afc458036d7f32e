import { describe, expect, test } from 'vitest'
import { EventLoop } from '../../../bench/sim/event-loop.ts'
import { Fleet, type FleetInit } from '../../../bench/sim/fleet.ts'
import { mixedSpeeds } from '../../../bench/sim/fleets.ts'
import { leastLoaded, paper, speedWeighted, swarm } from '../../../bench/sim/policies.ts'
import { randomOf, shuffle } from '../../../bench/sim/random.ts'
import { specialise } from '../../../bench/sim/specialise.ts'
import { logSlope, mean, mutualInformation } from '../../../bench/sim/statistics.ts'
import { supermarketTime } from '../../../bench/sim-supermarket.ts'
import { THRESHOLD_RATES } from '../../../src/router/index.ts'

const base: FleetInit = {
  speeds: mixedSpeeds(40),
  routers: 8,
  load: 0.8,
  informationAge: 1,
  units: 20_000,
  seed: 1,
  policy: swarm()
}
const timeOf = (change: Partial<FleetInit>) => mean(new Fleet({ ...base, ...change }).run().times)

test('events happen in order of time, whatever the order of asking', () => {
  const loop = new EventLoop()
  const order: number[] = []
  const delays = shuffle(
    Array.from({ length: 200 }, (_, i) => i),
    randomOf(1, 'order')
  )
  for (const delay of delays) {
    loop.after(delay, () => order.push(loop.now))
  }
  loop.run(() => false)
  expect(order).toEqual(delays.toSorted((a, b) => a - b))
})

test('the fixed point of the supermarket model is the published one', () => {
  expect(supermarketTime(0.9, 1)).toBeCloseTo(10, 9)
  expect(supermarketTime(0.9, 2)).toBeCloseTo(2.614, 3)
  expect(supermarketTime(0.95, 2)).toBeCloseTo(3.383, 3)
  expect(supermarketTime(0.99, 2)).toBeCloseTo(5.432, 3)
})

test('statistics: slopes and information that are known', () => {
  expect(logSlope([1, 10, 100].map((x) => [x, 5 * x ** 0.5]))).toBeCloseTo(0.5, 9)
  const pairs = [0, 1, 2, 3].flatMap((a) => [0, 1, 2, 3].map((b) => [a, b] as const))
  expect(mutualInformation(pairs)).toBeCloseTo(0, 9)
  expect(mutualInformation(pairs.map(([a]) => [a, 3 - a]))).toBeCloseTo(2, 9)
})

describe('the fleet', () => {
  test('is the same for the same seed, and another for another', () => {
    const once = new Fleet(base).run()
    expect(new Fleet(base).run().times).toEqual(once.times)
    expect(new Fleet({ ...base, seed: 2 }).run().times).not.toEqual(once.times)
  })

  test('weighted by speed alone, it is so many separate queues: 1/((1 − load)·mean speed)', () => {
    const expected = 1 / (0.2 * mean(base.speeds))
    const time = timeOf({ policy: speedWeighted, units: 150_000, informationAge: 0 })
    expect(Math.abs(time / expected - 1)).toBeLessThan(0.1)
  })

  test('swarm beats paper and least-loaded where requesters are many and news is old, and is stable', () => {
    const old = { informationAge: 5, speeds: mixedSpeeds(100), routers: 20, units: 40_000 }
    const { times, unstable } = new Fleet({ ...base, ...old }).run()
    expect(unstable).toBe(false)
    expect(mean(times)).toBeLessThan(0.5 * timeOf({ ...old, policy: paper }))
    expect(mean(times)).toBeLessThan(timeOf({ ...old, policy: leastLoaded }))
  })

  test('exploration does not bury the last slow peer that nobody has explored', () => {
    const { times } = new Fleet({ ...base, speeds: mixedSpeeds(100), routers: 20, units: 60_000 }).run()
    expect(times.at(-1)).toBeLessThan(60)
  })

  test('loses no unit to nodes that leave without a word', () => {
    const churn = { session: 20, silent: 0.5, detection: 2 }
    const result = new Fleet({ ...base, churn }).run()
    expect(result.resent).toBeGreaterThan(0)
    expect(result.lost).toBe(0)
  })
})

test('equal nodes come to differ by their thresholds, and only by them', () => {
  const setting = { nodes: 30, skills: 6, warm: 2, setup: 2, load: 0.3, units: 8_000, seed: 1 }
  const informationOf = (thresholds: { learning: number; forgetting: number }) => {
    const { done } = specialise({ ...setting, pheromones: false, thresholds })
    return mutualInformation(done.map(({ node, skill }) => [node, skill]))
  }
  expect(informationOf(THRESHOLD_RATES)).toBeGreaterThan(3 * informationOf({ learning: 0, forgetting: 0 }))
})
