import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type MatmulF32Input, type MatmulF32Output, skillByName } from '../../../src/skills/index.ts'
import { spread as random } from '../../fixtures/random.ts'
import { bothTwins, skillHouse } from '../../fixtures/skill-house.ts'

const skill = skillByName('matmul-f32')
const { wasm, twins, checks } = bothTwins(skill)
const { planned, onlyUnit } = skillHouse(skill)
const code = (expected: string) => expect.objectContaining({ name: 'SkillError', code: expected })

const filled = (m: number, k: number, n: number, next: (index: number) => number): MatmulF32Input => ({
  a: Float32Array.from({ length: m * k }, (_, index) => next(index)),
  b: Float32Array.from({ length: k * n }, (_, index) => next(index)),
  m,
  k,
  n
})
const signed = (m: number, k: number, n: number, seed = 1) => {
  const next = random(seed)
  return filled(m, k, n, () => next() * 2 - 1)
}

/** The oracle: three loops in float64. `sizes`: the sum of the products' sizes, what rounding is relative to. */
function product({ a, b, m, k, n }: MatmulF32Input) {
  const c = new Float64Array(m * n)
  const sizes = new Float64Array(m * n)
  for (let i = 0; i < m; i++) {
    for (let x = 0; x < k; x++) {
      for (let j = 0; j < n; j++) {
        const term = (a[i * k + x] ?? 0) * (b[x * n + j] ?? 0)
        c[i * n + j] = (c[i * n + j] ?? 0) + term
        sizes[i * n + j] = (sizes[i * n + j] ?? 0) + Math.abs(term)
      }
    }
  }
  return { c, sizes }
}

function expectProduct(found: Float32Array, input: MatmulF32Input): void {
  const { c, sizes } = product(input)
  const worst = found.reduce((most, value, at) => {
    const bound = (input.k + 2) * 2 ** -24 * (sizes[at] ?? 0) + input.k * 2 ** -125
    return Math.max(most, Math.abs(value - (c[at] ?? 0)) / bound)
  }, 0)
  expect(found.length).toBe(c.length)
  expect(worst).toBeLessThanOrEqual(1)
}

const size = fc.oneof(fc.constantFrom(1, 3, 4, 5, 8, 9), fc.integer({ min: 1, max: 40 }))
const value = fc.oneof(
  fc.constantFrom(0, 1, -1, 2 ** 50, -(2 ** 50), 2 ** -126, 2 ** -149, 2 ** -60),
  fc.float({ min: -1, max: 1, noNaN: true })
)
const matrix = (length: number) =>
  fc.array(value, { minLength: length, maxLength: length }).map((values) => Float32Array.from(values))
const inputs: fc.Arbitrary<MatmulF32Input> = fc
  .tuple(size, size, size)
  .chain(([m, k, n]) =>
    fc.record({ a: matrix(m * k), b: matrix(k * n), m: fc.constant(m), k: fc.constant(k), n: fc.constant(n) })
  )
const units = fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined })

describe.each(twins)('the %s twin', (_, compute) => {
  test('gives the assembled product within the rounding of float32, for any shape and count of units', () => {
    fc.assert(
      fc.property(inputs, units, (input, count) => {
        const { plan, unitInputs } = planned(input, count)
        const assembler = plan.assembler()
        for (const [index, unit] of [...unitInputs.entries()].reverse()) {
          assembler.accept(index, compute(unit))
        }
        const output = assembler.finish() as MatmulF32Output
        expectProduct(output.c, flushed(input))
      })
    )
  })

  test('takes several blocks along K', () => {
    const input = signed(9, 700, 13)
    expectProduct(new Float32Array(compute(onlyUnit(input)).buffer), input)
  })
})

/** As the skill says: what is below the smallest normal number counts as zero. */
function flushed(input: MatmulF32Input): MatmulF32Input {
  const flush = (values: Float32Array) => values.map((each) => (Math.abs(each) < 2 ** -126 ? 0 : each))
  return { ...input, a: flush(input.a), b: flush(input.b) }
}

describe.each(checks)('the %s check', (_, check) => {
  test('accepts every honest result', () => {
    fc.assert(
      fc.property(inputs, fc.nat(), (input, seed) => {
        const unit = onlyUnit(input)
        for (const [, compute] of twins) {
          expect(check(unit, compute(unit), random(seed))).toBe(true)
        }
      })
    )
  })

  test.each([
    ['positive', filled(20, 1000, 60, random(3))],
    ['constant, so that rounding drifts', filled(5, 4096, 40, () => 0.1)],
    ['sums that rise high and cancel', filled(8, 2048, 40, (index) => (index % 2048 < 1024 ? 0.7 : -0.7))],
    ['columns of one size each', filled(30, 300, 30, (index) => Math.fround(3 ** ((index % 30) - 15) / 7))],
    ['the largest', filled(4, 4096, 8, () => 2 ** 50)],
    ['tiny', filled(6, 500, 6, (index) => (index % 7) * 1e-30)]
  ])('accepts honest results of inputs that are %s', (_, input) => {
    const unit = onlyUnit(input)
    for (const [, compute] of twins) {
      const result = compute(unit)
      for (let seed = 0; seed < 10; seed++) {
        expect(check(unit, result, random(seed))).toBe(true)
      }
    }
  })

  test('accepts honest positive results whatever the vectors', () => {
    const next = random(5)
    for (let seed = 0; seed < 40; seed++) {
      const unit = onlyUnit(filled(32, 64, 512, next))
      expect(check(unit, wasm.compute(unit), random(seed))).toBe(true)
    }
  })

  test('refuses any element that is off by 1e-2 in products of 256 steps', () => {
    const unit = onlyUnit(signed(40, 256, 48))
    const right = wasm.compute(unit)
    fc.assert(
      fc.property(fc.nat(40 * 48 - 1), fc.constantFrom(-1e-2, 1e-2), fc.nat(), (at, change, seed) => {
        const wrong = new Float32Array(right.slice().buffer)
        wrong[at] = (wrong[at] ?? 0) + change
        expect(check(unit, new Uint8Array(wrong.buffer), random(seed))).toBe(false)
      })
    )
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e38])('refuses %s', (bad) => {
    const unit = onlyUnit(signed(6, 6, 6))
    const wrong = new Float32Array(wasm.compute(unit).buffer)
    wrong[17] = bad
    expect(check(unit, new Uint8Array(wrong.buffer), random(1))).toBe(false)
  })

  test('refuses zeros, another unit’s answer, a stale tile, a wrong length', () => {
    const { unitInputs } = planned(signed(64, 64, 64), 2)
    const [first, second] = unitInputs
    if (first === undefined || second === undefined) {
      throw new Error('two units expected')
    }
    const right = wasm.compute(first)
    const stale = right.slice()
    stale.copyWithin(0, 2048, 2304)
    for (let seed = 0; seed < 20; seed++) {
      expect(check(first, right, random(seed))).toBe(true)
      expect(check(first, new Uint8Array(right.length), random(seed))).toBe(false)
      expect(check(first, wasm.compute(second), random(seed))).toBe(false)
      expect(check(first, stale, random(seed))).toBe(false)
    }
    expect(check(first, right.subarray(4), random(1))).toBe(false)
    expect(check(first, new Uint8Array(0), random(1))).toBe(false)
  })
})

describe('bad input', () => {
  const good = { a: new Float32Array(6), b: new Float32Array(6), m: 2, k: 3, n: 2 }
  const withValue = (bad: number) => ({ ...good, a: Float32Array.of(0, 0, 0, bad, 0, 0) })
  test.each([
    ['NaN', withValue(Number.NaN), /a: must hold no NaN/],
    ['an infinity', withValue(Number.NEGATIVE_INFINITY), /a: must hold no NaN, no infinity/],
    ['a number beyond 2^50', withValue(2 ** 51), /beyond 2\^50/],
    ['doubles', { ...good, b: new Float64Array(6) }, /b: must be a Float32Array/],
    ['a wrong length', { ...good, a: new Float32Array(5) }, /a: must have m · k elements/],
    ['a transposed shape', { ...good, m: 3, k: 2, n: 4 }, /b: must have k · n elements/],
    ['a side beyond 4096', { ...good, m: 4097 }, /m: must be at most 4096/]
  ])('%s is refused with a message that names it', (_, input, message) => {
    expect(() => skill.plan(input)).toThrow(code('BAD_INPUT'))
    expect(() => skill.plan(input)).toThrow(message)
  })

  test.each([
    ['no params', { params: [], dataSize: 64, partSizes: [64] }],
    ['a length that does not fit', { params: [4, 4, 4], dataSize: 64, partSizes: [60] }],
    ['data beside two parts', { params: [4, 4, 4], dataSize: 1, partSizes: [64, 64] }],
    ['a result beyond 4 MiB', { params: [4096, 1, 4096], dataSize: 16_384, partSizes: [16_384] }]
  ])('a stranger’s unit with %s is refused', (_, unit) => {
    expect(() => skill.checkUnit(unit)).toThrow(code('BAD_UNIT'))
  })

  test('planned units pass, with their cost', () => {
    for (const unit of planned(signed(30, 10, 30), 4).unitInputs) {
      const partSizes = unit.parts.map((part) => part.length)
      const checked = skill.checkUnit({ params: unit.params, dataSize: unit.data.length, partSizes })
      expect(checked).toEqual({ resultSize: wasm.compute(unit).length, cost: unit.cost })
    }
  })
})
