import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { randomOf } from '../../../bench/sim/random.ts'
import {
  accepted,
  CANARY_SHARE,
  canaryDetection,
  checked,
  credibility,
  groupCredibilities,
  holdback,
  majorityError,
  mustReplicate,
  type Replication,
  replicationShare,
  sendsCanary,
  UNCHECKED
} from '../../../src/trust/index.ts'

/** The share of the first `units` units that is replicated, over `runs` honest peers. */
function shareReplicated(units: number, runs: number, countsAll: boolean): number {
  const draw = randomOf(units, 'replication')
  let replicated = 0
  for (let run = 0; run < runs; run++) {
    let state: Replication = UNCHECKED
    for (let unit = 0; unit < units; unit++) {
      const isReplicated = mustReplicate(state, draw())
      replicated += isReplicated ? 1 : 0
      state = isReplicated || countsAll ? checked(state, true) : state
    }
  }
  return replicated / (units * runs)
}

describe('adaptive replication', () => {
  test.each([
    [100, 2_000, 0.168],
    [1_000, 400, 0.046],
    [10_000, 100, 0.023]
  ])('after %i units of an honest peer', (units, runs, expected) => {
    expect(Math.abs(shareReplicated(units, runs, false) / expected - 1)).toBeLessThan(0.03)
  })

  test.each([
    [100, 2_000, 0.126],
    [1_000, 400, 0.03],
    [10_000, 100, 0.021]
  ])('would be less if unchecked units counted: after %i', (units, runs, expected) => {
    expect(Math.abs(shareReplicated(units, runs, true) / expected - 1)).toBeLessThan(0.04)
  })

  test('all of the first ten, and all again after a bad one', () => {
    fc.assert(
      fc.property(fc.nat(500), (valid) => {
        const share = replicationShare({ valid })
        expect(share).toBe(valid < 10 ? 1 : Math.max(0.02, 1 / valid))
        expect(replicationShare(checked({ valid }, false))).toBe(1)
        expect(replicationShare(checked({ valid }, true))).toBeLessThanOrEqual(share)
      })
    )
  })

  test('what is held back outweighs a cheat: p·H = g(1 − p), but for the size of the job', () => {
    fc.assert(
      fc.property(
        fc.nat(500),
        fc.nat(10_000),
        fc.double({ min: 0.1, max: 5, noNaN: true }),
        (valid, units, gain) => {
          const p = replicationShare({ valid })
          const held = holdback({ valid }, units, gain)
          expect(held).toBeLessThanOrEqual(units)
          if (held < units) {
            expect(p * held).toBeCloseTo(gain * (1 - p), 9)
          }
        }
      )
    )
  })
})

describe('voters', () => {
  test.each([
    [0.1, 2, 0.028],
    [0.1, 3, 0.00856],
    [0.2, 2, 0.104],
    [0.2, 3, 0.0579]
  ])('a share %f of faulty ones outvotes the rest of 2·%i − 1', (faulty, m, expected) => {
    expect(Math.abs(majorityError(m, faulty) / expected - 1)).toBeLessThan(0.002)
  })

  test('nobody faulty, no error; more voters, less of it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.double({ min: 0, max: 0.49, noNaN: true }),
        (m, faulty) => {
          expect(majorityError(m, 0)).toBe(0)
          expect(majorityError(m + 1, faulty)).toBeLessThanOrEqual(majorityError(m, faulty) + 1e-15)
        }
      )
    )
  })
})

describe('credibility', () => {
  test('1 − f/k: twenty checks make one peer enough', () => {
    expect(credibility(0)).toBeCloseTo(0.8, 12)
    expect(credibility(20)).toBeCloseTo(0.99, 12)
    expect(accepted([[credibility(19)]])).toBeUndefined()
    expect(accepted([[credibility(21)]])).toBe(0)
  })

  test('strangers that agree are believed together: four of .8', () => {
    expect(accepted([[0.8, 0.8, 0.8]])).toBeUndefined() // .512 of .512 + .008
    expect(accepted([[0.8, 0.8, 0.8, 0.8]])).toBe(0)
  })

  test('are probabilities; one that disagrees lowers the others', () => {
    const credible = fc.double({ min: 0.5, max: 0.999, noNaN: true })
    const groups = fc.array(fc.array(credible, { minLength: 1, maxLength: 5 }), {
      minLength: 1,
      maxLength: 4
    })
    fc.assert(
      fc.property(groups, credible, (list, dissenter) => {
        const before = groupCredibilities(list)
        const after = groupCredibilities([...list, [dissenter]])
        expect(before.reduce((a, b) => a + b)).toBeLessThanOrEqual(1 + 1e-9)
        before.forEach((value, i) => {
          expect(value).toBeGreaterThanOrEqual(0)
          expect(after[i]).toBeLessThanOrEqual(value + 1e-12)
        })
      })
    )
  })
})

describe('canaries', () => {
  test('find out a peer that cheats, as often as the formula says', () => {
    const draw = randomOf(7, 'canaries')
    const runs = 4_000
    for (const [units, cheating] of [
      [20, 1],
      [100, 0.1],
      [400, 0.1]
    ] as const) {
      let found = 0
      for (let run = 0; run < runs; run++) {
        const isFound = Array.from({ length: units }, () => sendsCanary(draw()) && draw() < cheating)
        found += isFound.includes(true) ? 1 : 0
      }
      expect(Math.abs(found / runs - canaryDetection(units, cheating))).toBeLessThan(0.03)
    }
  })

  test('are one unit in twenty, and find nobody who does not cheat', () => {
    expect([0, CANARY_SHARE - 1e-9, CANARY_SHARE, 1 - 1e-9].map(sendsCanary)).toEqual([
      true,
      true,
      false,
      false
    ])
    expect(canaryDetection(1_000, 0)).toBe(0)
  })
})
