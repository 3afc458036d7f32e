import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { chooseProbed, idleMs, isProbeSize, nextProbeAt, priorityWeight } from '../../../src/credit/index.ts'
import { NETWORKS } from '../../../src/wire/index.ts'
import { nameOf } from '../../fixtures/peer-names.ts'

const network = NETWORKS.main
const HOUR = 3_600_000
const amount = fc.bigInt(0n, 10n ** 12n)

test('halves in a week of idling, and is 0 for a stranger only', () => {
  expect(priorityWeight(1_000n, 0, network)).toBe(1_000)
  expect(priorityWeight(1_000n, 168 * HOUR, network)).toBe(500)
  expect(priorityWeight(1_000n, -5, network)).toBe(1_000)
  expect(priorityWeight(0n, 0, network)).toBe(0)
})

test('splitting what is recognised into names gains nothing', () => {
  fc.assert(
    fc.property(fc.array(amount, { minLength: 1, maxLength: 20 }), fc.nat(1_000 * HOUR), (parts, idle) => {
      const whole = priorityWeight(
        parts.reduce((sum, part) => sum + part, 0n),
        idle,
        network
      )
      const split = parts.reduce((sum, part) => sum + priorityWeight(part, idle, network), 0)
      expect(Math.abs(split - whole)).toBeLessThanOrEqual(whole * 1e-9)
    })
  )
})

test('whoever idles longer never weighs more', () => {
  fc.assert(
    fc.property(amount, fc.nat(1_000 * HOUR), fc.nat(1_000 * HOUR), (recognised, a, b) => {
      const [short, long] = a < b ? [a, b] : [b, a]
      expect(priorityWeight(recognised, long, network)).toBeLessThanOrEqual(
        priorityWeight(recognised, short, network)
      )
    })
  )
})

test('a newcomer idles from its first seat, everybody else from the newest certificate', () => {
  expect(idleMs(1_000, undefined, 5_000)).toBe(4_000)
  expect(idleMs(1_000, 3_000, 5_000)).toBe(2_000)
  expect(idleMs(4_000, 3_000, 5_000)).toBe(1_000)
  expect(idleMs(9_000, undefined, 5_000)).toBe(0)
})

test('canaries come once an interval on average, never sooner than half of it', () => {
  const interval = network.probeIntervalHours * HOUR
  expect(nextProbeAt(0, 0, network)).toBe(interval / 2)
  expect(nextProbeAt(0, 0.5, network)).toBe(interval)
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (draw) => {
      const at = nextProbeAt(0, draw, network)
      return at >= interval / 2 && at <= 1.5 * interval
    })
  )
  expect(isProbeSize(network.probeAmount, network)).toBe(true)
  expect(isProbeSize(network.probeAmount + 1n, network)).toBe(false)
})

test('a canary goes to the unknown first, then to who has had few, and to everybody sometimes', () => {
  const PRICE = 270n
  const candidates = [
    { peer: nameOf(0), work: 0n },
    { peer: nameOf(1), work: 9n * PRICE },
    { peer: nameOf(2), work: 0n }
  ]
  const counts = new Map<string | undefined, number>()
  for (let i = 0; i < 2_100; i++) {
    const chosen = chooseProbed(candidates, i / 2_100, PRICE)
    counts.set(chosen, (counts.get(chosen) ?? 0) + 1)
  }
  expect([...counts.values()].toSorted((a, b) => a - b)).toEqual([100, 1_000, 1_000])
  expect(chooseProbed([], 0.5, PRICE)).toBeUndefined()
  expect(chooseProbed(candidates, 1, PRICE)).toBe(nameOf(2))
})
