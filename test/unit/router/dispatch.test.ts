import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AHEAD, isLate, type Lane, pickLane } from '../../../src/router/index.ts'

const lane = (of: Partial<Lane>): Lane => ({
  pending: 0,
  units: 0,
  slots: 1,
  speed: undefined,
  hasRoom: true,
  ...of
})

const anyLane: fc.Arbitrary<Lane> = fc.record({
  pending: fc.integer({ min: 0, max: 1e6 }),
  units: fc.nat(8),
  slots: fc.integer({ min: 1, max: 4 }),
  speed: fc.option(fc.double({ min: 0.01, max: 1e4, noNaN: true }), { nil: undefined }),
  hasRoom: fc.boolean()
})

/** Runs `units` equal units of work 1 to the end, each provider one after the other; times in ms. */
function makespan(speeds: readonly number[], units: number): number {
  const queues = speeds.map(() => [] as number[]) // when each unit there is done
  let queued = units
  let now = 0
  for (;;) {
    for (let placed = true; placed && queued > 0; ) {
      const lanes = speeds.map((speed, i) => {
        const open = (queues[i] ?? []).filter((done) => done > now).length
        return { ...lane({ pending: open, units: open, speed }), i }
      })
      const chosen = pickLane(lanes, 1, queued)
      placed = chosen !== undefined
      if (chosen !== undefined) {
        const queue = queues[chosen.i] ?? []
        queue.push(Math.max(now, queue.at(-1) ?? 0) + 1 / (speeds[chosen.i] ?? 1))
        queued -= 1
      }
    }
    const next = Math.min(...queues.flat().filter((done) => done > now))
    if (!Number.isFinite(next)) {
      expect(queued).toBe(0)
      return now
    }
    now = next
  }
}

describe('the next unit of a job', () => {
  test('goes only where there is room, and never to nobody if somebody is idle and the fastest', () => {
    fc.assert(
      fc.property(fc.array(anyLane, { maxLength: 6 }), fc.integer({ min: 1, max: 1e6 }), (lanes, work) => {
        const chosen = pickLane(lanes, work, work)
        expect(chosen?.hasRoom ?? true).toBe(true)
        const idle = lane({ speed: 1e5 })
        expect(pickLane([...lanes, idle], work, work)).toMatchObject({ pending: 0, hasRoom: true })
      })
    )
  })

  test('waits for a fast provider rather than end the job on a slow one', () => {
    const fast = lane({ speed: 10, pending: 10, units: 1 })
    const slow = lane({ speed: 1 })
    expect(pickLane([slow, fast], 10, 10)).toBe(fast)
    expect(pickLane([slow, { ...fast, hasRoom: false }], 10, 10)).toBeUndefined()
    expect(pickLane([slow, fast], 10, 1_000)).toBe(fast)
    expect(pickLane([slow, { ...fast, hasRoom: false }], 10, 1_000)).toBe(slow)
  })

  test('a provider has a unit a slot, one on its way, and else no more than a second of work in hand', () => {
    const busy = { speed: 1, pending: 3 * AHEAD }
    expect(pickLane([lane({ ...busy, units: 3, slots: 4 })], 1, 1e9)).toBeDefined()
    expect(pickLane([lane({ ...busy, units: 5, slots: 4 })], 1, 1e9)).toBeUndefined()
    expect(pickLane([lane({ speed: 1, pending: AHEAD / 2, units: 50 })], 1, 1e9)).toBeDefined()
  })

  test.each([
    [[1, 1, 1, 1], 64, 0.99],
    [[1, 2, 4], 64, 0.93],
    [[1, 8], 20, 0.9],
    [[1, 1, 10], 12, 0.9]
  ])('providers of speeds %j do %i units at %f of the ideal or better', (speeds, units, share) => {
    const scaled = speeds.map((speed) => speed / 100) // a unit takes 100 ms where the speed is 1
    const ideal = units / scaled.reduce((sum, speed) => sum + speed, 0)
    expect(ideal / makespan(scaled, units)).toBeGreaterThanOrEqual(share)
  })

  test('no job takes much longer than the ideal', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 60 }),
        (speeds, units) => {
          const scaled = speeds.map((speed) => speed / 100)
          const together = scaled.reduce((sum, speed) => sum + speed, 0)
          // a unit in work counts as whole, at each provider; and the last unit is one at the fastest
          const bound = (units + scaled.length) / together + 2 / Math.max(...scaled)
          expect(makespan(scaled, units)).toBeLessThanOrEqual(bound + 1e-9)
        }
      )
    )
  })
})

test('a unit is late after four times what was expected, never within two seconds, and never unexpected', () => {
  expect(isLate(1_999, 1)).toBe(false)
  expect(isLate(2_001, 1)).toBe(true)
  expect(isLate(39_999, 10_000)).toBe(false)
  expect(isLate(40_001, 10_000)).toBe(true)
  expect(isLate(1e9, undefined)).toBe(false)
})
