import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Skill, skillByName, type UnitInput } from '../../../src/skills/index.ts'
import { isThin as isThinF32 } from '../../../src/skills/matmul-f32/sampled.ts'
import { isThin as isThinI8 } from '../../../src/skills/matmul-i8/sampled.ts'
import { seeded as uniform } from '../../fixtures/random.ts'
import { wasmTwin } from '../../fixtures/wasm-twin.ts'

const kinds = [
  {
    name: 'matmul-i8',
    isThin: isThinI8,
    make: (length: number, next: () => number) =>
      Int8Array.from({ length }, () => Math.floor(next() * 256) - 128)
  },
  {
    name: 'matmul-f32',
    isThin: isThinF32,
    make: (length: number, next: () => number) => Float32Array.from({ length }, () => next() * 2 - 1)
  }
]

function firstUnit(skill: Skill, input: unknown): UnitInput {
  const plan = skill.plan(input)
  const [unit] = plan.units
  if (unit === undefined) {
    throw new Error('no unit')
  }
  return { ...unit, parts: unit.parts.map((part) => plan.parts[part] ?? new Uint8Array(0)) }
}

describe.each(kinds)('a thin product of $name', ({ name, isThin, make }) => {
  const skill = skillByName(name)
  const wasm = wasmTwin(skill)
  const shapes = [
    [1, 1024, 2048],
    [3, 700, 3001],
    [512, 3, 4096]
  ] as const
  const units = shapes.map(([m, k, n], at) => {
    const next = uniform(at + 1)
    return firstUnit(skill, { a: make(m * k, next), b: make(k * n, next), m, k, n })
  })

  test.each(units.map((unit) => ({ unit, shape: unit.params.join(' × ') })))(
    '$shape: right results pass, a tenth of wrong elements, zeros and NaN do not',
    ({ unit }) => {
      const right = wasm.compute(unit)
      const checks = [wasm.verify, skill.verify]
      let unseen = 0
      for (let seed = 0; seed < 100; seed++) {
        const next = uniform(seed)
        const wrong = right.slice()
        const words = new Int32Array(wrong.buffer)
        // the top of a float's mantissa, or 2^22
        for (let at = 0; at < words.length; at += 10) {
          words[at + (seed % 10)] = (words[at + (seed % 10)] ?? 0) ^ 0x40_0000
        }
        for (const check of checks) {
          expect(check(unit, right, uniform(seed + 1_000))).toBe(true)
          unseen += check(unit, wrong, next) ? 1 : 0
        }
      }
      expect(unseen).toBeLessThanOrEqual(8) // of 200, each with .0064
      for (const check of checks) {
        expect(check(unit, new Uint8Array(right.length), uniform(1))).toBe(false)
        expect(check(unit, new Uint8Array(right.length).fill(255), uniform(1))).toBe(false) // floats: NaN
        expect(check(unit, right.subarray(4), uniform(1))).toBe(false)
      }
    }
  )

  test('is told by its shape: products as even as the planner makes them are checked in full', () => {
    expect(isThin({ rows: 1, k: 4096, columns: 4096 })).toBe(true)
    expect(isThin({ rows: 256, k: 4, columns: 4096 })).toBe(true)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_024 }), (side) => {
        expect(isThin({ rows: side, k: side, columns: side })).toBe(false)
        expect(isThin({ rows: 1024, k: 1024, columns: Math.min(side, 16) })).toBe(true)
      })
    )
  })
})
