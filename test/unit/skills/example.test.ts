import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { smallestFactors as skill } from '../../../examples/smallest-factor/skill.ts'
import { findUnboundedLoops } from '../../../scripts/wgsl-lint.ts'

/** The skill that docs/SKILLS.md tells people to copy. */

const inputs = fc.record({
  first: fc.oneof(fc.constantFrom(2, 2 ** 32 - 300), fc.integer({ min: 2, max: 2 ** 32 - 300 })),
  count: fc.integer({ min: 1, max: 300 })
})

function computed(params: readonly number[]): Uint8Array {
  const work = skill.cpu({ params, data: new Uint8Array(0), parts: [] })
  for (let step = work.next(); ; step = work.next()) {
    if (step.done) {
      return step.value
    }
  }
}

describe('the skill to copy', () => {
  test('finds factors that divide, with nothing smaller that does', () => {
    fc.assert(
      fc.property(inputs, fc.integer({ min: 1, max: 9 }), (input, units) => {
        const plan = skill.plan(input, { units })
        const assembler = plan.assembler()
        for (const [index, { params, cost }] of plan.units.entries()) {
          const result = computed(params)
          expect(skill.checkUnit({ params, dataSize: 0, partSizes: [] })).toEqual({
            resultSize: result.length,
            cost
          })
          const unit = { params, data: new Uint8Array(0), parts: [] }
          expect(skill.verify(unit, result, Math.random)).toBe(true)
          expect(skill.verify(unit, new Uint8Array(result.length), Math.random)).toBe(false)
          assembler.accept(index, result)
        }
        const { factors } = assembler.finish()
        expect(factors).toHaveLength(input.count)
        for (const [at, factor] of factors.entries()) {
          expect((input.first + at) % factor).toBe(0)
          for (const smaller of [2, 3, 5, 7, 11, 13, 31, 97]) {
            expect(smaller >= factor || (input.first + at) % smaller !== 0).toBe(true)
          }
        }
      }),
      { numRuns: 20 }
    )
  })

  test('refuses what it cannot do, and has no loop without a bound', () => {
    const code = (expected: string) => expect.objectContaining({ name: 'SkillError', code: expected })
    for (const bad of [
      { first: 1, count: 1 },
      { first: 2, count: 0 },
      { first: 2 ** 32 - 1, count: 2 }
    ]) {
      expect(() => skill.plan(bad)).toThrow(code('BAD_INPUT'))
    }
    for (const params of [[], [2], [2, 8193], [1, 5], [2, 5, 1], [Number.NaN, 1]]) {
      expect(() => skill.checkUnit({ params, dataSize: 0, partSizes: [] })).toThrow(code('BAD_UNIT'))
    }
    expect(skill.variants.flatMap(({ wgsl }) => findUnboundedLoops(wgsl))).toEqual([])
  })
})
