import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { randomOf } from '../../../bench/sim/random.ts'
import {
  chooseMany,
  cost,
  EXPLORED,
  paperStrategy,
  rank,
  type SwarmCandidate,
  swarmStrategy,
  utility
} from '../../../src/router/index.ts'
import type { PeerIdString } from '../../../src/wire/index.ts'

const share = fc.double({ min: 0, max: 1, noNaN: true })
const base: SwarmCandidate = {
  peer: 'a' as PeerIdString, // no rule reads it
  capable: true,
  fresh: true,
  affordable: true,
  setAside: false,
  load: 0,
  latencyMs: 0,
  trust: 1,
  pending: 0,
  own: 0,
  reportAgeMs: 1e6,
  speed: 1,
  slowdown: 1,
  trustLow: 0.9,
  verified: 100,
  idleMs: 0,
  pheromone: 1
}
const candidate: fc.Arbitrary<SwarmCandidate> = fc.record({
  peer: fc.uuid().map((text) => text as PeerIdString), // as above
  capable: fc.constant(true),
  fresh: fc.constant(true),
  affordable: fc.constant(true),
  setAside: fc.constant(false),
  load: share,
  latencyMs: fc.double({ min: 0, max: 1_000, noNaN: true }),
  trust: share,
  pending: fc.nat(100),
  own: fc.constant(0),
  reportAgeMs: fc.nat(100_000),
  speed: fc.double({ min: 0.001, max: 1_000, noNaN: true }),
  slowdown: fc.double({ min: 1, max: 25, noNaN: true }),
  trustLow: fc.double({ min: 0.05, max: 1, noNaN: true }),
  verified: fc.nat(100),
  idleMs: fc.nat(1e9),
  pheromone: fc.double({ min: 0.05, max: 1, noNaN: true })
})
const candidates = fc.array(candidate, { maxLength: 30 })
const seeds = fc.nat()
const work = { work: 1 }

describe('paper', () => {
  test('chooses as equation 1 ranks', () => {
    fc.assert(
      fc.property(candidates, seeds, (list, seed) => {
        const chosen = paperStrategy.choose(list, work, randomOf(seed, 'paper'))?.chosen
        const best = rank(list, () => 0)[0]
        expect(chosen && utility(chosen)).toBe(best && utility(best))
      })
    )
  })

  test('each of equals as often', () => {
    const list = Array.from({ length: 4 }, () => ({ ...base }))
    const draw = randomOf(1, 'ties')
    const counts = new Map<SwarmCandidate, number>()
    for (let i = 0; i < 4_000; i++) {
      const chosen = paperStrategy.choose(list, work, draw)?.chosen ?? base
      counts.set(chosen, (counts.get(chosen) ?? 0) + 1)
    }
    for (const each of list) {
      expect(Math.abs((counts.get(each) ?? 0) - 1_000)).toBeLessThan(120) // 4 standard deviations
    }
  })
})

describe('cost', () => {
  test.each([
    ['idle and reliable', base, 1],
    ['three ahead', { ...base, pending: 3 }, 4],
    ['twice as fast', { ...base, speed: 2 }, 0.5],
    ['ten times slower than it should be', { ...base, slowdown: 10 }, 10],
    ['unknown', { ...base, trustLow: 0.05 }, 13],
    ['idle for a week', { ...base, idleMs: 168 * 3_600_000 }, 2]
  ])('%s', (_, peer, expected) => {
    expect(cost(peer, work)).toBeCloseTo(expected, 9)
  })

  test('is never less for a longer queue, less trust, more slowness or less speed', () => {
    fc.assert(
      fc.property(candidate, fc.double({ min: 0.1, max: 1, noNaN: true }), (peer, worse) => {
        const now = cost(peer, work)
        expect(cost({ ...peer, pending: peer.pending + 1 }, work)).toBeGreaterThan(now)
        expect(cost({ ...peer, trustLow: peer.trustLow * worse }, work)).toBeGreaterThanOrEqual(now)
        expect(cost({ ...peer, slowdown: peer.slowdown / worse }, work)).toBeGreaterThanOrEqual(now)
        expect(cost({ ...peer, speed: peer.speed * worse }, work)).toBeGreaterThanOrEqual(now)
      })
    )
  })
})

describe('swarm', () => {
  test('takes the least cost of what it drew, and only of that', () => {
    fc.assert(
      fc.property(candidates, seeds, (list, seed) => {
        const decision = swarmStrategy({ exploration: 0 }).choose(list, work, randomOf(seed, 'swarm'))
        if (decision === undefined) {
          expect(list).toHaveLength(0)
          return
        }
        const costs = decision.compared.map((peer) => cost(peer, work))
        expect(cost(decision.chosen, work)).toBe(Math.min(...costs))
        expect(decision.compared.every((peer) => list.includes(peer))).toBe(true)
      })
    )
  })

  test('compares two when news is old, six when it is fresh', () => {
    const drawn = (reportAgeMs: number) => {
      const list = Array.from({ length: 10 }, () => ({ ...base, reportAgeMs }))
      return swarmStrategy().choose(list, work, randomOf(1, 'draws'))?.compared.length
    }
    expect(drawn(0)).toBe(6)
    expect(drawn(100)).toBe(2)
  })

  test('compares all when what is pending is mostly its own', () => {
    const compared = (own: number) => {
      const list = Array.from({ length: 10 }, () => ({ ...base, pending: 4, own }))
      return swarmStrategy({ exploration: 0 }).choose(list, work, randomOf(1, 'own'))?.compared.length
    }
    expect(compared(1)).toBe(2)
    expect(compared(2)).toBe(10)
  })

  test('draws in proportion to pheromone and speed', () => {
    const list = [base, { ...base, pheromone: 0.5 }, { ...base, speed: 2.5 }]
    const strategy = swarmStrategy({ draws: 1, drawsFresh: 1, exploration: 0 })
    const draw = randomOf(1, 'weights')
    const counts = [0, 0, 0]
    for (let i = 0; i < 8_000; i++) {
      const at = list.indexOf(strategy.choose(list, work, draw)?.chosen ?? base)
      counts[at] = (counts[at] ?? 0) + 1
    }
    const deviations = [2_000, 1_000, 5_000].map((expected, i) => Math.abs((counts[i] ?? 0) - expected))
    expect(Math.max(...deviations)).toBeLessThan(180) // 4 standard deviations
  })

  test('a stranger gets about 3 % of the work though trust speaks against it, and none when it is swamped', () => {
    const stranger = { ...base, trustLow: 0.05, verified: 0 }
    const share = (newcomer: SwarmCandidate) => {
      const list = [newcomer, ...Array.from({ length: 9 }, () => ({ ...base }))]
      const draw = randomOf(1, 'strangers')
      const strategy = swarmStrategy()
      const hits = Array.from({ length: 10_000 }, () => strategy.choose(list, work, draw))
      return hits.filter((hit) => hit?.chosen === newcomer && hit.reason === 'exploration').length / 10_000
    }
    expect(share(stranger)).toBeGreaterThan(0.02)
    expect(share(stranger)).toBeLessThan(0.04)
    expect(share({ ...stranger, pending: 50 })).toBeLessThan(0.005) // only against itself
    expect(share({ ...stranger, verified: EXPLORED })).toBe(0)
  })

  test('a peer that fails fast is left alone', () => {
    const failing = { ...base, slowdown: 25 }
    const list = [failing, ...Array.from({ length: 9 }, () => ({ ...base, pending: 3 }))]
    const draw = randomOf(1, 'failing')
    const hits = Array.from({ length: 1_000 }, () => swarmStrategy().choose(list, work, draw)?.chosen)
    expect(hits.filter((hit) => hit === failing).length).toBeLessThan(30) // drawn twice over: 1 in 100
  })
})

test('choosing many names each once, and as many as there are', () => {
  fc.assert(
    fc.property(candidates, fc.nat(40), seeds, (list, count, seed) => {
      for (const strategy of [paperStrategy, swarmStrategy()]) {
        const chosen = chooseMany(strategy, list, work, count, randomOf(seed, 'many')).map(
          (decision) => decision.chosen
        )
        expect(new Set(chosen).size).toBe(chosen.length)
        expect(chosen).toHaveLength(Math.min(count, list.length))
      }
    })
  )
})
