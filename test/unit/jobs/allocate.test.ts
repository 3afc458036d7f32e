import fc from 'fast-check'
import { expect, test } from 'vitest'
import { allocate } from '../../../src/jobs/allocate.ts'
import type { PeerIdString } from '../../../src/wire/index.ts'

const sum = (amounts: readonly bigint[]) => amounts.reduce((a, b) => a + b, 0n)
const payees = fc
  .uniqueArray(fc.nat(), { minLength: 1, maxLength: 8 })
  .map((names) => names.map((name) => String(name) as PeerIdString)) // the rule never reads into an id
const costs = fc.array(fc.bigInt({ min: 1n, max: 10_000n }), { minLength: 1, maxLength: 100 })

test('locks at least the price and at most the limit, nobody above the price', () => {
  fc.assert(
    fc.property(payees, costs, fc.bigInt({ min: 0n, max: 10_000_000n }), (peers, units, spare) => {
      const price = sum(units)
      const channels = allocate(peers, units, price + spare)
      const maxima = channels.map(({ max }) => max)
      expect(sum(maxima)).toBeGreaterThanOrEqual(price)
      expect(sum(maxima)).toBeLessThanOrEqual(price + spare)
      expect(maxima.every((max) => max > 0n && max <= price)).toBe(true)
      expect(channels.map(({ peer }) => peer)).toEqual(peers.slice(0, units.length))
    })
  )
})

test('with a wide limit each payee may do the whole job', () => {
  fc.assert(
    fc.property(payees, costs, (peers, units) => {
      const price = sum(units)
      const channels = allocate(peers, units, price * BigInt(peers.length))
      expect(channels.every(({ max }) => max === price)).toBe(true)
    })
  )
})
