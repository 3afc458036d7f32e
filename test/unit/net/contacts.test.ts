import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CONTACT_LIMITS, isWanted, surplusContacts } from '../../../src/net/contacts.ts'
import { CLOSEST } from '../../../src/net/index.ts'

const contact = fc.record({
  distance: fc.oneof(
    fc.double({ min: 2 ** -48, max: 1, maxExcluded: true, noNaN: true }),
    // as evenly over the groups as the first are over the key space
    fc
      .tuple(fc.integer({ min: 0, max: 40 }), fc.double({ min: 0.5, max: 0.999, noNaN: true }))
      .map(([bits, share]) => share / 2 ** bits)
  ),
  since: fc.nat()
})
const contacts = fc.uniqueArray(contact, { maxLength: 200, selector: ({ distance }) => distance })

const GOLDEN = (Math.sqrt(5) - 1) / 2
const byDistance = (a: { distance: number }, b: { distance: number }) => a.distance - b.distance
const group = ({ distance }: { distance: number }) => Math.ceil(-Math.log2(distance))

describe('of its contacts a node keeps', () => {
  test('the twenty closest, and of each group beyond the six oldest', () => {
    fc.assert(
      fc.property(contacts, (all) => {
        const surplus = new Set(surplusContacts(all))
        const sorted = all.toSorted(byDistance)
        expect(sorted.slice(0, CLOSEST).filter((one) => surplus.has(one))).toEqual([])
        for (const members of Map.groupBy(sorted.slice(CLOSEST), group).values()) {
          const kept = members.filter((one) => !surplus.has(one))
          const dropped = members.filter((one) => surplus.has(one))
          expect(kept).toHaveLength(Math.min(CONTACT_LIMITS.far, members.length))
          expect(Math.max(-1, ...kept.map(({ since }) => since))).toBeLessThanOrEqual(
            Math.min(...dropped.map(({ since }) => since))
          )
        }
      })
    )
  })

  test('all that are left, when it looks again', () => {
    fc.assert(
      fc.property(contacts, (all) => {
        const surplus = new Set(surplusContacts(all))
        expect(surplusContacts(all.filter((one) => !surplus.has(one)))).toEqual([])
      })
    )
  })
})

describe('a peer that is heard of', () => {
  test('is wanted exactly if it would stay', () => {
    fc.assert(
      fc.property(contacts, contact, (all, { distance }) => {
        fc.pre(all.every((other) => other.distance !== distance))
        const newest = { distance, since: Number.MAX_SAFE_INTEGER }
        expect(isWanted(all, distance)).toBe(!surplusContacts([...all, newest]).includes(newest))
      })
    )
  })

  test('is always wanted where fewer than twenty are known', () => {
    fc.assert(
      fc.property(fc.array(contact, { maxLength: CLOSEST - 1 }), contact, (all, { distance }) => {
        expect(isWanted(all, distance)).toBe(true)
      })
    )
  })

  test.each([60, 200, 6_000])(
    'one by one, all %i of a swarm: a few dozen stay, the closest among them',
    (size) => {
      // spread evenly, in no order
      const distances = Array.from({ length: size }, (_, i) => ((i + 1) * GOLDEN) % 1)
      let table: Array<{ distance: number; since: number }> = []
      for (const [since, distance] of distances.entries()) {
        if (isWanted(table, distance)) {
          const grown = [...table, { distance, since }]
          const surplus = new Set(surplusContacts(grown))
          table = grown.filter((one) => !surplus.has(one))
        }
      }
      const closest = distances.toSorted((a, b) => a - b).slice(0, CLOSEST)
      expect(closest.every((distance) => table.some((one) => one.distance === distance))).toBe(true)
      expect(table.length).toBeLessThanOrEqual(CLOSEST + CONTACT_LIMITS.far * (Math.log2(size / CLOSEST) + 2))
    }
  )
})
