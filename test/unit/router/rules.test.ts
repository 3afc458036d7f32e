import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { exponential, randomOf } from '../../../bench/sim/random.ts'
import {
  AS_PREDICTED,
  adaptThreshold,
  earn,
  FAILURE_SLOWDOWN,
  follow,
  HEDGE_SHARE,
  hedgeAt,
  NO_HEDGE,
  NO_SAMPLES,
  observe,
  observeFailure,
  PHEROMONE_MIN,
  type Pheromone,
  QUANTILE_SEEN_MIN,
  reinforce,
  responseProbability,
  slowdownAt,
  slowdownFactor,
  spend,
  strengthAt,
  THRESHOLD_MAX,
  THRESHOLD_MIN,
  THRESHOLD_START,
  time
} from '../../../src/router/index.ts'

const HOUR = 3_600_000
const strength = fc.double({ min: PHEROMONE_MIN, max: 1, noNaN: true })
const duration = fc.double({ min: 0.001, max: 1e7, noNaN: true })
const trailOf = (value: number): Pheromone => ({ strength: value, at: 0 })

describe('pheromone', () => {
  test.each([
    ['at the target', 0.5, true, 100, 0.55],
    ['faster than it', 0.5, true, 1, 0.55],
    ['twice as slow', 0.5, true, 200, 0.5],
    ['failed', 0.5, false, 1, 0.45]
  ])('p ← .9 p + .1·success·min(1, target/latency): %s', (_, before, success, latencyMs, after) => {
    expect(reinforce(trailOf(before), { success, latencyMs, targetMs: 100 }, 0).strength).toBeCloseTo(
      after,
      12
    )
  })

  test('stays between .05 and 1, and a failure never strengthens', () => {
    fc.assert(
      fc.property(
        strength,
        fc.boolean(),
        duration,
        duration,
        fc.nat(),
        (p, success, latencyMs, targetMs, now) => {
          const after = reinforce(trailOf(p), { success, latencyMs, targetMs }, now).strength
          expect(after).toBeGreaterThanOrEqual(PHEROMONE_MIN)
          expect(after).toBeLessThanOrEqual(1)
          if (!success) {
            expect(after).toBeLessThanOrEqual(p)
          }
        }
      )
    )
  })

  test('halves in an hour unused; over a + b as over a, then b', () => {
    expect(strengthAt(trailOf(0.8), HOUR)).toBeCloseTo(0.4, 12)
    fc.assert(
      fc.property(strength, fc.nat(9 * HOUR), fc.nat(9 * HOUR), (p, a, b) => {
        const halfWay = { strength: strengthAt(trailOf(p), a), at: a }
        expect(strengthAt(halfWay, a + b)).toBeCloseTo(strengthAt(trailOf(p), a + b), 9)
      })
    )
  })
})

describe('peak EWMA', () => {
  test('rises to a peak at once, falls to 1/e of its excess in ten seconds', () => {
    const peak = observe(AS_PREDICTED, 21, 0)
    expect(slowdownAt(peak, 0)).toBe(21)
    expect(slowdownAt(peak, 10_000)).toBeCloseTo(1 + 20 / Math.E, 9)
  })

  test('a failure looks slower than any success, however fast it was', () => {
    fc.assert(
      fc.property(duration, (ratio) => {
        const failed = slowdownFactor(slowdownAt(observeFailure(AS_PREDICTED, 0), 0))
        expect(failed).toBeGreaterThanOrEqual(slowdownFactor(slowdownAt(observe(AS_PREDICTED, ratio, 0), 0)))
        expect(failed).toBeGreaterThan(10)
      })
    )
  })

  test('lies between 1 and a failure, and is never below the newest sample', () => {
    const samples = fc.array(fc.tuple(fc.double({ min: 0, max: 1e4, noNaN: true }), fc.nat(60_000)))
    fc.assert(
      fc.property(samples, (list) => {
        let peak = AS_PREDICTED
        let now = 0
        for (const [ratio, later] of list) {
          now += later
          peak = observe(peak, ratio, now)
          expect(peak.value).toBeGreaterThanOrEqual(Math.min(FAILURE_SLOWDOWN, Math.max(1, ratio)) - 1e-9)
          expect(peak.value).toBeLessThanOrEqual(FAILURE_SLOWDOWN)
        }
      })
    )
  })

  test('what is not a ratio is refused', () => {
    expect(() => observe(AS_PREDICTED, Number.NaN, 0)).toThrow(RangeError)
  })
})

describe('response thresholds', () => {
  test('P = s²/(s² + θ²): half at s = θ, none without demand', () => {
    expect(responseProbability(0.3, 0.3)).toBeCloseTo(0.5, 12)
    expect(responseProbability(0.6, 0.3)).toBeCloseTo(0.8, 12)
    expect(responseProbability(0, 0.3)).toBe(0)
  })

  test('performing makes readier, not performing less so; both within bounds', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 200 }), (deeds) => {
        let threshold = THRESHOLD_START
        for (const performed of deeds) {
          const after = adaptThreshold(threshold, performed)
          expect(after).toBeGreaterThanOrEqual(THRESHOLD_MIN)
          expect(after).toBeLessThanOrEqual(THRESHOLD_MAX)
          expect(performed ? after <= threshold : after >= threshold).toBe(true)
          threshold = after
        }
      })
    )
  })
})

describe('running quantile', () => {
  test.each([0.5, 0.95])('finds the %f quantile of what it sees, at any scale', (quantile) => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 1e5, noNaN: true }), fc.nat(), (scale, seed) => {
        const draw = randomOf(seed, 'quantile')
        let state = NO_SAMPLES
        let sum = 0
        for (let i = 0; i < 3_000; i++) {
          state = follow(state, exponential(draw, scale), quantile)
          sum += i < 1_000 ? 0 : state.value
        }
        // it wavers: its mean does not (.88 to 1.13 of the truth over 5,000 seeds)
        const ratio = sum / 2_000 / (-scale * Math.log(1 - quantile))
        expect(ratio).toBeGreaterThan(0.8)
        expect(ratio).toBeLessThan(1.25)
      })
    )
  })
})

describe('hedging', () => {
  test('waits until it knows the percentile, then for that long', () => {
    let hedge = NO_HEDGE
    for (let i = 0; i < QUANTILE_SEEN_MIN; i++) {
      expect(hedgeAt(hedge, 0)).toBeUndefined()
      hedge = time(hedge, 100)
    }
    const at = hedgeAt(hedge, 5_000)
    expect(at).toBeGreaterThan(5_050)
    expect(at).toBeLessThan(5_150)
  })

  test('never sends more than 5 % extra', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 2_000 }), (wishes) => {
        let hedge = NO_HEDGE
        let hedges = 0
        wishes.forEach((wants, units) => {
          hedge = earn(hedge)
          const spent = wants ? spend(hedge) : undefined
          hedges += spent === undefined ? 0 : 1
          hedge = spent ?? hedge
          expect(hedges).toBeLessThanOrEqual((units + 1) * HEDGE_SHARE + 1e-9)
        })
      })
    )
  })
})
