import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decay,
  learn,
  lowerBound,
  mean,
  type Outcome,
  type Trust,
  UNKNOWN
} from '../../../src/trust/index.ts'

const DAY = 24 * 3_600_000
const outcomes = fc.array(fc.constantFrom<Outcome>('verified', 'missed', 'wrong'), { maxLength: 100 })
const trustAfter = (list: readonly Outcome[], now = 0): Trust =>
  list.reduce((trust, outcome) => learn(trust, outcome, now), UNKNOWN)

describe('first-hand trust', () => {
  test('a stranger has the prior: .3', () => {
    expect(mean(UNKNOWN, 0)).toBeCloseTo(0.3, 12)
  })

  test('τ = (r + .6)/(r + s + 2), a wrong result counting ten', () => {
    expect(mean(trustAfter(Array<Outcome>(8).fill('verified')), 0)).toBeCloseTo(8.6 / 10, 12)
    expect(mean(trustAfter([...Array<Outcome>(8).fill('verified'), 'wrong']), 0)).toBeCloseTo(8.6 / 20, 12)
    expect(mean(trustAfter(['missed']), 0)).toBeCloseTo(0.6 / 3, 12)
  })

  test('stays a share, and its lower bound between .05 and the mean', () => {
    fc.assert(
      fc.property(outcomes, (list) => {
        const trust = trustAfter(list)
        expect(mean(trust, 0)).toBeGreaterThan(0)
        expect(mean(trust, 0)).toBeLessThan(1)
        expect(lowerBound(trust, 0)).toBeGreaterThanOrEqual(0.05)
        expect(lowerBound(trust, 0)).toBeLessThanOrEqual(Math.max(0.05, mean(trust, 0)))
      })
    )
  })

  test('one more verified unit never hurts, one more bad one never helps', () => {
    fc.assert(
      fc.property(outcomes, (list) => {
        const before = mean(trustAfter(list), 0)
        expect(mean(trustAfter([...list, 'verified']), 0)).toBeGreaterThanOrEqual(before)
        expect(mean(trustAfter([...list, 'missed']), 0)).toBeLessThan(before)
        expect(mean(trustAfter([...list, 'wrong']), 0)).toBeLessThan(mean(trustAfter([...list, 'missed']), 0))
      })
    )
  })

  test('evidence halves in 30 days, a wrong result only in 180', () => {
    const trust = trustAfter(['verified', 'missed', 'wrong'])
    const month = decay(trust, 30 * DAY)
    expect(month.right).toBeCloseTo(0.5, 12)
    expect(month.missed).toBeCloseTo(0.5, 12)
    expect(month.wrong).toBeCloseTo(2 ** (-1 / 6), 12)
    expect(decay(trust, 180 * DAY).wrong).toBeCloseTo(0.5, 12)
  })

  test('decay over a + b is decay over a, then b', () => {
    fc.assert(
      fc.property(fc.nat(400 * DAY), fc.nat(400 * DAY), (a, b) => {
        const trust = trustAfter(['verified', 'verified', 'missed', 'wrong'])
        const once = decay(trust, a + b)
        const twice = decay(decay(trust, a), a + b)
        expect(twice.right).toBeCloseTo(once.right, 9)
        expect(twice.wrong).toBeCloseTo(once.wrong, 9)
      })
    )
  })
})
