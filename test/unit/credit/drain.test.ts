import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { drain, idleHours } from '../../../src/credit/index.ts'
import { NETWORKS } from '../../../src/wire/index.ts'
import { INVARIANT_RUNS } from '../../fixtures/invariant-runs.ts'
import { HOUR, NOW } from '../../fixtures/ledger-swarm.ts'

const network = NETWORKS.main
const amount = fc.bigInt(0n, BigInt(Number.MAX_SAFE_INTEGER))

test('draining a hours and then b hours is draining a + b hours', () => {
  fc.assert(
    fc.property(amount, fc.nat(3_000), fc.nat(3_000), (credit, a, b) => {
      expect(drain(drain(credit, a, network), b, network)).toBe(drain(credit, a + b, network))
    }),
    { numRuns: INVARIANT_RUNS }
  )
})

test('halves a balance in a week and never grows or passes below zero', () => {
  const exact = 10_000_000 * (1 - 0.004117) ** 168
  const left = Number(drain(10_000_000n, 168, network))
  expect(exact).toBeCloseTo(5_000_000, -4)
  expect(left).toBeGreaterThanOrEqual(Math.floor(exact))
  expect(left).toBeLessThan(exact + 168)
  expect(drain(100n, 1, network)).toBe(100n)
  fc.assert(
    fc.property(amount, fc.nat(100_000), (credit, hours) => {
      const left = drain(credit, hours, network)
      return left >= 0n && left <= credit
    })
  )
})

test('counts whole hours beyond the first day only', () => {
  expect(idleHours(NOW, NOW, network)).toBe(0)
  expect(idleHours(NOW, NOW + 25 * HOUR - 1, network)).toBe(0)
  expect(idleHours(NOW, NOW + 25 * HOUR, network)).toBe(1)
  expect(idleHours(NOW + 5, NOW, network)).toBe(0)
})
