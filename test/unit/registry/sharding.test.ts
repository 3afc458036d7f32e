import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  announcedIn,
  LEVEL_MAX,
  levelFor,
  nextLevel,
  nextProvide,
  probes,
  SHARD_SIZE,
  type Shard,
  shardAt
} from '../../../src/registry/sharding.ts'
import { spread as randomOf } from '../../fixtures/random.ts'

const place = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const level = fc.integer({ min: 0, max: LEVEL_MAX })
const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

const nameOf = ({ level, index }: Shard) => `${level}/${index}`

/** Records in each key of a DHT when every provider announces itself at the level that it believes in. */
function recordsOf(levels: readonly number[], random: () => number): Map<string, number> {
  const records = new Map<string, number>()
  for (const believed of levels) {
    for (const shard of announcedIn(Math.floor(random() * 2 ** 32), believed)) {
      records.set(nameOf(shard), (records.get(nameOf(shard)) ?? 0) + 1)
    }
  }
  return records
}

const swarm = fc.record({ seed: fc.integer(), providers: fc.integer({ min: 1, max: 20_000 }) })

describe('a provider', () => {
  test('announces itself at its level, and elsewhere only in shards that hold its place', () => {
    fc.assert(
      fc.property(place, level, (at, own) => {
        const shards = announcedIn(at, own)
        expect(shards.at(-1)).toEqual(shardAt(at, own))
        for (const shard of shards) {
          expect(shard).toEqual(shardAt(at, shard.level))
          expect(shard.index).toBeLessThan(2 ** shard.level)
        }
      })
    )
  })

  test('settles within two counts at shards of about the size they are made for, whatever it believed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), level, (providers, believed) => {
        const counted = (at: number) => Math.max(1, Math.round(providers / 2 ** at))
        const first = nextLevel(believed, counted(believed))
        const second = nextLevel(first, counted(first))
        expect(nextLevel(second, counted(second))).toBe(second)
        if (second < LEVEL_MAX) {
          expect(counted(second)).toBeLessThanOrEqual(1.5 * SHARD_SIZE)
        }
        if (second > 0) {
          expect(counted(second)).toBeGreaterThanOrEqual(0.3 * SHARD_SIZE - 1)
        }
      })
    )
  })

  test('in a swarm of one shard uses one key', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: SHARD_SIZE }), place, (providers, at) => {
        expect(announcedIn(at, levelFor(providers)).map(nameOf)).toEqual(['0/0'])
      })
    )
  })
})

describe('no key is hot', () => {
  test('each holds about as many records as one shard is made for, at every level', () => {
    fc.assert(
      fc.property(swarm, ({ seed, providers }) => {
        const believed = levelFor(providers)
        const records = recordsOf(new Array(providers).fill(believed), randomOf(seed))
        expect(Math.max(...records.values())).toBeLessThan(SHARD_SIZE * 1.35)
      }),
      { numRuns: 20 }
    )
  })
})

describe('a finder', () => {
  const found = (records: Map<string, number>, believed: number, random: () => number) =>
    Math.max(...probes(believed, random).map((shard) => records.get(nameOf(shard)) ?? 0))

  test('finds enough providers in a few probes, whatever number of shards it believes in', () => {
    fc.assert(
      fc.property(swarm, level, ({ seed, providers }, believed) => {
        const random = randomOf(seed)
        const records = recordsOf(new Array(providers).fill(levelFor(providers)), random)
        expect(found(records, believed, random)).toBeGreaterThanOrEqual(Math.min(providers, 20))
        expect(probes(believed, random).length).toBeLessThanOrEqual(5)
      }),
      { numRuns: 20 }
    )
  })

  test('finds providers that do not agree, by one level up or down', () => {
    fc.assert(
      fc.property(swarm, level, ({ seed, providers }, believed) => {
        fc.pre(providers >= 100) // of a few, all may be wrong the same way
        const random = randomOf(seed)
        const levels = Array.from({ length: providers }, () =>
          Math.max(0, levelFor(providers) + Math.floor(random() * 3) - 1)
        )
        const records = recordsOf(levels, random)
        expect(found(records, believed, random)).toBeGreaterThanOrEqual(Math.min(providers, 20) / 4)
      }),
      { numRuns: 20 }
    )
  })

  test('of a small swarm looks at one key only', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: SHARD_SIZE }), share, (providers, at) => {
        expect(probes(levelFor(providers), () => at)).toEqual([{ level: 0, index: 0 }])
      })
    )
  })
})

describe('the next provide', () => {
  const state = fc.record({
    acknowledged: fc.nat(20),
    attempts: fc.nat(30),
    swarmSize: fc.integer({ min: 1, max: 1_000_000 }),
    random: share
  })

  test('comes within 200 s, before an advert of two refreshes is old, and never sooner than .9 s', () => {
    fc.assert(
      fc.property(state, (one) => {
        const wait = nextProvide(one)
        expect(wait).toBeGreaterThanOrEqual(900)
        expect(wait).toBeLessThanOrEqual(200_000)
      })
    )
  })

  test('comes sooner where nobody, or hardly anybody, took the record', () => {
    const wait = (acknowledged: number, attempts: number, swarmSize = 50) =>
      nextProvide({ acknowledged, attempts, swarmSize, random: 0.5 })
    expect([1, 2, 3].map((attempts) => wait(0, attempts))).toEqual([1_000, 2_000, 4_000])
    expect(wait(0, 30)).toBe(60_000)
    expect(wait(1, 0)).toBe(10_000)
    expect(wait(20, 0)).toBe(60_000)
    expect(wait(1, 0, 2)).toBe(60_000) // there is nobody else to tell
  })

  test('comes more rarely the larger the swarm, to a bound', () => {
    const wait = (swarmSize: number) => nextProvide({ acknowledged: 20, attempts: 0, swarmSize, random: 0.5 })
    expect([6, 1_000, 2_000, 6_000, 1_000_000].map(wait)).toEqual([60_000, 60_000, 120_000, 180_000, 180_000])
  })
})
