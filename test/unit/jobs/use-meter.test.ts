import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UseMeter } from '../../../src/jobs/use-meter.ts'

describe('the meter of use', () => {
  it('adds up time by the share that was in use, and never runs backward', () => {
    const step = fc.record({ share: fc.double({ min: 0, max: 1, noNaN: true }), ms: fc.nat(10_000) })
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const meter = new UseMeter()
        let [now, wanted] = [0, 0]
        for (const { share, ms } of steps) {
          meter.set(share, now)
          now += ms
          wanted += share * ms
          expect(meter.at(now)).toBeCloseTo(wanted, 6)
        }
        const last = meter.at(now)
        expect(meter.at(now - 5_000)).toBeLessThanOrEqual(last)
      })
    )
  })

  it('counts no more than all of it', () => {
    const meter = new UseMeter()
    meter.set(7, 0)
    expect(meter.at(1_000)).toBe(1_000)
  })
})
