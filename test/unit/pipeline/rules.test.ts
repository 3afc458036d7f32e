import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assignCrews } from '../../../src/jobs/pipeline/crews.ts'
import { lateOnes, type StageWorker } from '../../../src/jobs/pipeline/late.ts'
import { planPipeline } from '../../../src/jobs/pipeline/plan.ts'
import { skillByName } from '../../../src/skills/index.ts'
import type { PeerIdString } from '../../../src/wire/index.ts'
import { chainInput, chainStages, int8s } from '../../fixtures/chain-input.ts'

const orders = (rows: number) =>
  chainStages(chainInput(rows)).map((stage) => ({ ...stage, skill: skillByName(stage.skill) }))

describe('the crews of a pipeline', () => {
  // names stand for peers: nobody reads them here
  const names = ['a', 'b', 'c', 'd', 'e', 'f'] as unknown as PeerIdString[]
  const able = fc.array(fc.subarray(names), { minLength: 1, maxLength: 4 })

  test('give each stage a peer of its own wherever that is possible, and nobody two', () => {
    fc.assert(
      fc.property(able, fc.nat(8), (some, wanted) => {
        const crews = assignCrews(
          some,
          wanted,
          some.map(() => 1)
        )
        expect(crews !== undefined).toBe(isPossible(some, []))
        const all = crews?.flat() ?? []
        expect(new Set(all).size).toBe(all.length)
        expect(all.length).toBeLessThanOrEqual(Math.max(wanted, some.length))
        for (const [stage, crew] of crews?.entries() ?? []) {
          expect(crew.length).toBeGreaterThan(0)
          expect(crew.every((peer) => some[stage]?.includes(peer))).toBe(true)
        }
      })
    )
  })

  test('put those that are left where most is to be done', () => {
    const crews = assignCrews([names, names], 5, [1, 9])
    expect(crews?.map(({ length }) => length)).toEqual([1, 4])
  })

  function isPossible(some: ReadonlyArray<readonly PeerIdString[]>, taken: readonly PeerIdString[]): boolean {
    const [first, ...rest] = some
    return (
      first === undefined || first.some((peer) => !taken.includes(peer) && isPossible(rest, [...taken, peer]))
    )
  }
})

describe('the plan of a pipeline', () => {
  test('sends every row through every stage once, and pays no stage less than its price', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 90 }), (rows, lanes) => {
        const plan = planPipeline(orders(rows), 1_000, lanes)
        expect(plan.lanes.map(({ first }) => first)).toEqual([
          0,
          ...plan.lanes.map(({ end }) => end).slice(0, -1)
        ])
        expect(plan.lanes.at(-1)?.end).toBe(rows)
        for (const { first, end, pays, prices } of plan.lanes) {
          expect(end).toBeGreaterThan(first)
          expect(pays.every((pay, stage) => pay >= (prices[stage] ?? 0n))).toBe(true)
        }
      })
    )
  })

  const [first, second, search] = orders(8)
  const bad: Array<[name: string, stages: unknown[]]> = [
    ['one stage', [first]],
    ['none', []],
    ['nine', Array.from({ length: 9 }, (_, i) => (i === 0 ? first : second))],
    ['something after a search', [first, second, search, second]],
    ['a skill that takes no rows', [first, { skill: skillByName('mandelbrot'), input: {} }]],
    ['a `via` before the first', [{ ...first, via: {} }, second]],
    ['a fraction as exponent', [first, { ...second, via: { exponent: 0.5 } }]],
    ['an exponent beyond 64', [first, { ...second, via: { exponent: 65 } }]]
  ]
  test.each(bad)('is refused with %s', (_, stages) => {
    // what a program without types may pass
    expect(() => planPipeline(stages as Parameters<typeof planPipeline>[0], 1_000)).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION' })
    )
  })

  test('is refused with inputs that do not fit the stage before', () => {
    for (const input of [{ b: int8s(5, 1), n: 16 }, { a: int8s(4, 1), b: int8s(384, 1), n: 16 }, undefined]) {
      expect(() =>
        planPipeline([...orders(8).slice(0, 1), { skill: skillByName('matmul-i8'), input }], 1_000)
      ).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }))
    }
  })
})

describe('who is late', () => {
  const unit = (at: number, cost = 1n) => ({
    at,
    ahead: 0,
    isAnswered: false,
    spec: { params: [], parts: [], data: new Uint8Array(0), cost }
  })
  const worker = (speed: number | undefined, ...units: Array<ReturnType<typeof unit>>): StageWorker => ({
    isLive: true,
    speed,
    sent: new Map(units.entries())
  })

  test('takes four times what was expected, and more than ten seconds', () => {
    const quick = worker(1_000)
    const silent = worker(undefined, unit(0))
    expect(lateOnes([quick, silent], 9_999)).toEqual([])
    expect(lateOnes([quick, silent], 10_001)).toEqual([silent])
    const slow = worker(50, unit(0))
    expect(lateOnes([quick, slow], 79_999)).toEqual([])
    expect(lateOnes([quick, slow], 80_001)).toEqual([slow])
  })

  test('is nobody where nobody else can do it, nor for a mere check', () => {
    const silent = worker(1_000, unit(0))
    expect(lateOnes([silent], 1e6)).toEqual([])
    expect(lateOnes([silent, { ...worker(1_000), isLive: false }], 1e6)).toEqual([])
    expect(lateOnes([worker(1_000), worker(1_000, unit(0, 0n))], 1e6)).toEqual([])
  })
})
