import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { IDLE_RECOGNISED, IDLE_STRANGER } from '../../../src/jobs/constants.ts'
import { displaced } from '../../../src/jobs/displaced.ts'

const seat = fc.record({
  weight: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 9 })),
  idleMs: fc.oneof(fc.constant(0), fc.nat(2 * IDLE_RECOGNISED))
})

describe('where all places are taken', () => {
  test('who is recognised gets in as long as one stranger is there, and takes the place of no recognised one then', () => {
    fc.assert(
      fc.property(fc.array(seat), (seated) => {
        const strangers = seated.filter(({ weight }) => weight === 0)
        const gone = displaced(seated, 1)
        if (strangers.length > 0) {
          expect(gone).toMatchObject({
            weight: 0,
            idleMs: Math.max(...strangers.map(({ idleMs }) => idleMs))
          })
        } else {
          expect((gone?.idleMs ?? IDLE_RECOGNISED) >= IDLE_RECOGNISED).toBe(true)
          expect(gone === undefined).toBe(seated.every(({ idleMs }) => idleMs < IDLE_RECOGNISED))
        }
      }),
      { numRuns: 1_000 }
    )
  })

  test('a stranger takes the place of no one but a stranger that has had nothing to compute for a while', () => {
    fc.assert(
      fc.property(fc.array(seat), (seated) => {
        const gone = displaced(seated, 0)
        const idle = seated.filter(({ weight, idleMs }) => weight === 0 && idleMs >= IDLE_STRANGER)
        expect(gone === undefined).toBe(idle.length === 0)
        expect(gone === undefined || idle.every(({ idleMs }) => idleMs <= gone.idleMs)).toBe(true)
        expect(gone === undefined || idle.includes(gone)).toBe(true)
      }),
      { numRuns: 1_000 }
    )
  })
})
