import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  exponentialDecay,
  gaussLegendre,
  normal,
  power,
  squareRoot
} from '../../../src/credit/shapley-arithmetic.ts'
import { seededIntegers } from '../../../src/credit/shapley-seed.ts'

const relative = (value: number, truth: number) => Math.abs(value - truth) / Math.abs(truth)

test('roots, powers and decay are those of Math to its last digits', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1e-12, max: 1e18, noNaN: true }),
      fc.double({ min: 0, max: 40, noNaN: true }),
      fc.nat(60),
      (x, y, exponent) => {
        expect(relative(squareRoot(x), Math.sqrt(x))).toBeLessThan(1e-15)
        expect(relative(exponentialDecay(y), Math.exp(-y))).toBeLessThan(1e-13)
        expect(relative(power(y + 0.1, exponent), (y + 0.1) ** exponent)).toBeLessThan(1e-13)
      }
    ),
    { numRuns: 500 }
  )
  expect(squareRoot(0)).toBe(0)
})

test('the normal integral is the integral of the density', () => {
  const { nodes, weights } = gaussLegendre(40)
  fc.assert(
    fc.property(fc.double({ min: -8, max: 8, noNaN: true }), (x) => {
      // over [0, x], from which the half is known
      const area = nodes.reduce((sum, node, i) => sum + (weights[i] ?? 0) * normal(x * node).density * x, 0)
      expect(Math.abs(normal(x).integral - 0.5 - area)).toBeLessThan(1e-13)
      expect(relative(normal(x).density, Math.exp(-(x * x) / 2) / Math.sqrt(2 * Math.PI))).toBeLessThan(1e-13)
    }),
    { numRuns: 200 }
  )
})

test('Gauss–Legendre has the published nodes and weights, and is exact for polynomials of degree 2n − 1', () => {
  // NIST Digital Library of Mathematical Functions, table 3.5.2: n = 5 on [−1, 1]
  const five = gaussLegendre(5)
  expect((five.nodes[4] ?? 0) * 2 - 1).toBeCloseTo(0.906179845938664, 14)
  expect((five.nodes[3] ?? 0) * 2 - 1).toBeCloseTo(0.538469310105683, 14)
  expect(five.nodes[2]).toBeCloseTo(0.5, 15)
  expect((five.weights[4] ?? 0) * 2).toBeCloseTo(0.236926885056189, 14)
  expect((five.weights[2] ?? 0) * 2).toBeCloseTo(0.568888888888889, 14)
  for (const count of [1, 2, 3, 8, 33, 500]) {
    const { nodes, weights } = gaussLegendre(count)
    for (const degree of [0, 1, count, 2 * count - 1]) {
      const integral = nodes.reduce((sum, node, i) => sum + (weights[i] ?? 0) * power(node, degree), 0)
      expect(relative(integral, 1 / (degree + 1))).toBeLessThan(1e-12)
    }
  }
})

test('seeded integers are even, differ by stream, and repeat', () => {
  const seed = new Uint8Array(32).fill(3)
  const below = seededIntegers(seed, 0)
  const counts = new Array<number>(6).fill(0)
  for (let i = 0; i < 6_000; i++) {
    const drawn = below(6)
    counts[drawn] = (counts[drawn] ?? 0) + 1
  }
  const chiSquared = counts.reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0)
  expect(chiSquared).toBeLessThan(20.5) // 5 degrees of freedom, one in a thousand
  const draw = (stream: number, bytes = seed) => {
    const next = seededIntegers(bytes, stream)
    return Array.from({ length: 4 }, () => next(2 ** 32))
  }
  expect(draw(0)).toEqual(draw(0))
  expect(draw(1)).not.toEqual(draw(0))
  expect(draw(0, new Uint8Array(32).fill(4))).not.toEqual(draw(0))
  expect(draw(0)).toMatchInlineSnapshot(`
    [
      164536700,
      436286085,
      3185103832,
      737362736,
    ]
  `)
})
