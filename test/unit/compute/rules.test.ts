import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PartsMirror } from '../../../src/compute/parts.ts'
import { owe, rested } from '../../../src/compute/worker/governor.ts'
import { randomFrom } from '../../../src/compute/worker/random.ts'
import { GRAIN_START, nextGrain, sliceEnd } from '../../../src/compute/worker/slices.ts'
import { Turns } from '../../../src/compute/worker/turns.ts'

describe('governor', () => {
  test('the duty cycle comes out within 5 points, with timers that fire up to 10 ms late', () => {
    const slice = fc.record({
      busy: fc.double({ min: 4, max: 30, noNaN: true }),
      late: fc.double({ min: 0, max: 10, noNaN: true })
    })
    fc.assert(
      fc.property(
        fc.double({ min: 0.05, max: 0.8, noNaN: true }),
        fc.array(slice, { minLength: 200, maxLength: 300 }),
        (share, slices) => {
          let debt = 0
          let work = 0
          let total = 0
          for (const { busy, late } of slices) {
            debt = owe(debt, busy, share)
            const rest = debt >= 4 ? debt + late : 0
            debt = rested(debt, rest)
            work += busy
            total += busy + rest
          }
          expect(Math.abs(work / total - share)).toBeLessThan(0.05)
        }
      )
    )
  })

  test('full power owes nothing, and idle time is not saved up', () => {
    expect(owe(0, 1_000, 1)).toBe(0)
    expect(rested(5, 10_000)).toBeGreaterThanOrEqual(-20)
  })
})

describe('slices', () => {
  test.each([
    ['page', 8, 30],
    ['kiosk', 50, 200]
  ] as const)(
    'with the profile %s grow to %i–%i ms on any device from a phone to a data centre, and stay there',
    (profile, least, most) => {
      fc.assert(
        fc.property(fc.double({ min: 5, max: 10, noNaN: true }), (exponent) => {
          const rate = 10 ** exponent // operations a ms
          let grain = GRAIN_START
          for (let turn = 0; turn < 40; turn++) {
            grain = nextGrain(grain, grain, grain / rate, profile)
          }
          expect(grain / rate).toBeGreaterThanOrEqual(least)
          expect(grain / rate).toBeLessThanOrEqual(most)
        })
      )
    }
  )

  test('short slices that measure latency only do not make slices grow', () => {
    expect(nextGrain(GRAIN_START, 100, 1)).toBe(GRAIN_START)
  })

  test('every dispatch is in one slice, and no slice of several exceeds the grain', () => {
    const dispatches = fc.array(fc.record({ operations: fc.integer({ min: 1, max: 100 }) }), { minLength: 1 })
    fc.assert(
      fc.property(dispatches, fc.integer({ min: 1, max: 300 }), (list, grain) => {
        for (let first = 0; first < list.length; ) {
          const end = sliceEnd(list, first, grain)
          const sum = list.slice(first, end).reduce((total, { operations }) => total + operations, 0)
          expect(end).toBeGreaterThan(first)
          expect(end).toBeLessThanOrEqual(list.length)
          expect(end === first + 1 || sum <= grain).toBe(true)
          const next = list[end]
          expect(next === undefined || sum + next.operations > grain).toBe(true)
          first = end
        }
      })
    )
  })
})

describe('parts', () => {
  test('the mirror holds no more than its limit, forgets the least recently used, and never what is pinned', () => {
    const use = fc.record({ hash: fc.constantFrom(...'abcdefgh'), size: fc.integer({ min: 1, max: 40 }) })
    fc.assert(
      fc.property(fc.array(use, { maxLength: 60 }), (uses) => {
        const mirror = new PartsMirror(100)
        const held = new Map<string, number>()
        for (const { hash, size } of uses) {
          const known = held.get(hash) ?? size
          held.delete(hash)
          held.set(hash, known)
          mirror.use(hash, size)
          const dropped = mirror.trim(new Set([hash]))
          expect(dropped).toEqual([...held.keys()].slice(0, dropped.length))
          for (const gone of dropped) {
            held.delete(gone)
          }
          const total = [...held.values()].reduce((sum, each) => sum + each, 0)
          expect(total <= 100 || held.size === 1).toBe(true)
          expect([...'abcdefgh'].filter((each) => mirror.has(each))).toEqual([...held.keys()].sort())
        }
      })
    )
  })
})

describe('random', () => {
  test('the same seed gives the same stream, any other seed another one, all within [0, 1)', () => {
    const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 })
    fc.assert(
      fc.property(seeds, fc.nat(31), fc.integer({ min: 1, max: 255 }), (seed, at, change) => {
        const draw = (bytes: Uint8Array) => Array.from({ length: 8 }, randomFrom(bytes))
        const other = seed.with(at, (seed[at] ?? 0) ^ change)
        expect(draw(seed)).toEqual(draw(seed))
        expect(draw(other)).not.toEqual(draw(seed))
        expect(draw(seed).every((value) => value >= 0 && value < 1)).toBe(true)
      })
    )
  })

  test('is uniform', () => {
    const random = randomFrom(new Uint8Array(32))
    const counts = new Array<number>(16).fill(0)
    for (let i = 0; i < 160_000; i++) {
      const bin = Math.floor(random() * 16)
      counts[bin] = (counts[bin] ?? 0) + 1
    }
    const chi2 = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0)
    expect(chi2).toBeLessThan(45) // 15 degrees of freedom: 1 in 10^4; the seed is fixed
  })
})

test('turns go in order, as many at a time as the limit says', async () => {
  const turns = new Turns()
  const log: number[] = []
  let limit = 2
  const take = (id: number) => turns.take(() => limit).then(() => log.push(id))
  await Promise.all([take(1), take(2)])
  const third = take(3)
  limit = 1
  turns.leave()
  await Promise.resolve()
  expect(log).toEqual([1, 2])
  turns.leave()
  await third
  expect(log).toEqual([1, 2, 3])
})
