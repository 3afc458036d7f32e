import * as fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { ComputeError, type EngineUnit } from '../../../src/compute/index.ts'
import { Tuner, type TunerInit } from '../../../src/compute/tuner.ts'
import { chooseCandidate, type Trial, worthMeasuring } from '../../../src/compute/tuning.ts'

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[(values.length - 1) >> 1] ?? Number.NaN

const trials = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 }).chain((names) =>
  fc.tuple(
    ...names.map((candidate) =>
      fc.record({
        candidate: fc.constant(candidate),
        isRight: fc.boolean(),
        ms: fc.array(fc.double({ min: 0.01, max: 1e3, noNaN: true }), { minLength: 1, maxLength: 7 })
      })
    )
  )
)

describe('the choice', () => {
  test('is never slower than the default, never wrong if anything is right, and within 3 % of the best', () => {
    fc.assert(
      fc.property(trials, (list: Trial[]) => {
        const chosen = chooseCandidate(list, 'a')
        const right = list.filter(({ isRight }) => isRight)
        const winner = list.find(({ candidate }) => candidate === chosen)
        const preset = right.find(({ candidate }) => candidate === 'a')
        if (right.length === 0) {
          expect(chosen).toBe('a')
          return
        }
        expect(winner?.isRight).toBe(true)
        expect(median(winner?.ms ?? [])).toBeLessThanOrEqual(median(preset?.ms ?? [Number.POSITIVE_INFINITY]))
        const best = Math.min(...right.map(({ ms }) => median(ms)))
        expect(best).toBeGreaterThanOrEqual(median(winner?.ms ?? []) * 0.97)
      }),
      { numRuns: 500 }
    )
  })

  test('measures on with the default and whoever is within twice the best', () => {
    fc.assert(
      fc.property(trials, (list: Trial[]) => {
        const right = list.filter(({ isRight }) => isRight)
        const worth = worthMeasuring(list, 'a')
        const best = Math.min(...right.map(({ ms }) => median(ms)))
        for (const { candidate, ms } of right) {
          expect(worth.includes(candidate)).toBe(candidate === 'a' || median(ms) <= 2 * best)
        }
        expect(worth).toHaveLength(new Set(worth).size)
      })
    )
  })
})

const unit: EngineUnit = { skill: 'work', params: [], data: new Uint8Array(0), parts: [] }
const tuners: Tuner[] = []
afterEach(() => {
  for (const tuner of tuners.splice(0)) {
    tuner.close()
  }
})

interface Device {
  readonly ms: Record<string, number>
  readonly wrong?: readonly string[]
  readonly broken?: readonly string[]
}

/** A device whose speeds are known; its clock is not the machine's. */
function tunerOn({ ms, wrong = [], broken = [] }: Device, init: Partial<TunerInit> = {}) {
  const kept = new Map<string, string>()
  const runs: string[] = []
  const decided = Promise.withResolvers<string>()
  const tuner = new Tuner({
    memory: {
      read: async (key) => kept.get(key),
      write: async (key, winner) => {
        kept.set(key, winner)
        decided.resolve(winner)
      }
    },
    skills: [{ skill: 'work', key: 'gpu/1', candidates: Object.keys(ms) }],
    sample: async () => unit,
    run: async (_, candidate) => {
      runs.push(candidate)
      if (broken.includes(candidate)) {
        throw new ComputeError('KERNEL_FAILED', 'It does not compile.')
      }
      return { result: Uint8Array.of(wrong.includes(candidate) ? 0 : 1), ms: ms[candidate] ?? 0 }
    },
    verify: async (_, result) => result[0] === 1,
    quietMs: 1,
    ...init
  })
  tuners.push(tuner)
  const serve = (skill = 'work') => {
    tuner.begin()
    tuner.end(skill)
  }
  return { tuner, kept, runs, serve, decided: decided.promise }
}

describe('the tuner', () => {
  test('finds the fastest right variant, keeps it, and does not measure again', async () => {
    const { tuner, kept, runs, serve, decided } = tunerOn({
      ms: { plain: 10, fast: 5, faster: 2, broken: 1 },
      wrong: ['faster'],
      broken: ['broken']
    })
    serve()
    expect(tuner.choice('work')).toBeUndefined()
    expect(await decided).toBe('fast')
    await tuner.settled()
    expect(tuner.choice('work')).toBe('fast')
    const count = runs.length
    expect(runs.filter((name) => name === 'faster' || name === 'broken')).toHaveLength(2)
    serve()
    await tuner.settled()
    expect(runs).toHaveLength(count)
    const later = tunerOn(
      { ms: { plain: 10, fast: 5 } },
      { memory: { read: async (key) => kept.get(key), write: async () => {} } }
    )
    await later.tuner.recall()
    expect(later.tuner.choice('work')).toBe('fast')
    later.serve()
    await later.tuner.settled()
    expect(later.runs).toEqual([])
  })

  test('whoever came close in a first comparison that was disturbed meets the winner again', async () => {
    const seen = new Map<string, number>()
    const { serve, decided } = tunerOn(
      { ms: { plain: 10, steady: 5, best: 4.5 } },
      {
        run: async (_, candidate) => {
          const run = (seen.get(candidate) ?? 0) + 1
          seen.set(candidate, run)
          const ms = candidate === 'plain' ? 10 : candidate === 'steady' ? 5 : run < 7 ? 6 : 4.5
          return { result: Uint8Array.of(1), ms }
        }
      }
    )
    serve()
    expect(await decided).toBe('best')
  })

  test('stays with the default where nothing beats it, and measures only what was served', async () => {
    const { tuner, runs, serve, decided } = tunerOn({ ms: { plain: 10, slow: 30, same: 9.9 } })
    serve('other')
    await tuner.settled()
    expect(runs).toEqual([])
    serve()
    expect(await decided).toBe('plain')
    expect(tuner.choice('work')).toBeUndefined()
  })

  test('does nothing while a unit is wanted, gives up at once when one comes, and goes on after it', async () => {
    let given: AbortSignal | undefined
    const started = Promise.withResolvers<void>()
    const { tuner, serve, decided } = tunerOn(
      { ms: { plain: 10, fast: 5 } },
      {
        run: async (_, candidate, signal) => {
          if (given === undefined) {
            given = signal
            started.resolve()
            await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
          }
          expect(wanted).toBe(false)
          return { result: Uint8Array.of(1), ms: candidate === 'fast' ? 5 : 10 }
        }
      }
    )
    let wanted = false
    serve()
    await started.promise
    wanted = true
    tuner.begin()
    expect(given?.aborted).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, 20)) // more than the quiet it waits for: nothing may run
    wanted = false
    tuner.end()
    expect(await decided).toBe('fast')
  })

  test('a choice that fails in earnest is given up for good', async () => {
    const { tuner, kept, serve, decided } = tunerOn({ ms: { plain: 10, fast: 5 } })
    serve()
    await decided
    await tuner.settled()
    expect(tuner.distrust('work')).toBe(true)
    expect(tuner.choice('work')).toBeUndefined()
    expect(kept.get('gpu/1')).toBe('plain')
    expect(tuner.distrust('work')).toBe(false)
  })

  test('a winner that this build does not have is not believed, and a memory that fails harms nothing', async () => {
    const alien = tunerOn(
      { ms: { plain: 1 } },
      { memory: { read: async () => 'alien', write: async () => {} } }
    )
    await alien.tuner.recall()
    expect(alien.tuner.choice('work')).toBeUndefined()
    const failing = async () => {
      throw new Error('no disk')
    }
    const forgetful = tunerOn({ ms: { plain: 10, fast: 5 } }, { memory: { read: failing, write: failing } })
    await forgetful.tuner.recall()
    forgetful.serve()
    await forgetful.tuner.settled()
    expect(forgetful.tuner.choice('work')).toBe('fast')
  })

  test('a device that goes away ends the comparison; the next unit gives another chance', async () => {
    let lost = true
    const { tuner, serve } = tunerOn(
      { ms: { plain: 10, fast: 5 } },
      {
        run: async (_, candidate) => {
          if (lost) {
            throw new ComputeError('DEVICE_LOST', 'Gone.')
          }
          return { result: Uint8Array.of(1), ms: candidate === 'fast' ? 5 : 10 }
        }
      }
    )
    serve()
    await tuner.settled()
    expect(tuner.choice('work')).toBeUndefined()
    lost = false
    serve()
    await tuner.settled()
    expect(tuner.choice('work')).toBe('fast')
  })
})
