import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  kernelHash,
  type MatmulInput,
  type MatmulOutput,
  SkillError,
  skillByName
} from '../../../src/skills/index.ts'
import { chooseGrid, cut } from '../../../src/skills/matmul/grid.ts'
import { UNIT_BYTES_MAX } from '../../../src/wire/index.ts'
import { seeded as random } from '../../fixtures/random.ts'
import { skillHouse } from '../../fixtures/skill-house.ts'
import { wasmTwin } from '../../fixtures/wasm-twin.ts'

const skill = skillByName('matmul-i8')

/** The oracle: three loops. */
function product({ a, b, m, k, n }: MatmulInput): Int32Array {
  const c = new Int32Array(m * n)
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0
      for (let x = 0; x < k; x++) {
        sum += (a[i * k + x] ?? 0) * (b[x * n + j] ?? 0)
      }
      c[i * n + j] = sum
    }
  }
  return c
}

const int8 = fc.oneof(fc.constantFrom(-128, 127, 0, -1), fc.integer({ min: -128, max: 127 }))
const size = fc.oneof(fc.constantFrom(1, 3, 4, 5), fc.integer({ min: 1, max: 40 }))
const shapes = fc.tuple(size, size, size)
const matrix = (length: number) =>
  fc.array(int8, { minLength: length, maxLength: length }).map((values) => Int8Array.from(values))
const inputs: fc.Arbitrary<MatmulInput> = shapes.chain(([m, k, n]) =>
  fc.record({
    a: matrix(m * k),
    b: matrix(k * n),
    m: fc.constant(m),
    k: fc.constant(k),
    n: fc.constant(n)
  })
)
const filled = (length: number, value: number) => new Int8Array(length).fill(value)
const units = fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined })

const { compute, planned } = skillHouse(skill)

const code = (expected: string) => expect.objectContaining({ name: 'SkillError', code: expected })

describe('plan and CPU twin', () => {
  test('the assembled units equal the oracle, for any shape and count of units', () => {
    fc.assert(
      fc.property(inputs, units, (input, count) => {
        const { plan, unitInputs } = planned(input, count)
        const assembler = plan.assembler()
        for (const [index, unit] of [...unitInputs.entries()].reverse()) {
          assembler.accept(index, compute(unit))
        }
        expect(assembler.finish()).toEqual({ c: product(input), m: input.m, n: input.n })
      })
    )
  })

  test('sums at the edge of exactness are exact', () => {
    for (const [x, y] of [
      [-128, -128],
      [-128, 127]
    ] as const) {
      const input = { a: filled(6 * 4096, x), b: filled(4096 * 5, y), m: 6, k: 4096, n: 5 }
      const { plan, unitInputs } = planned(input, 1)
      const assembler = plan.assembler()
      for (const [index, unit] of unitInputs.entries()) {
        assembler.accept(index, compute(unit))
      }
      expect(new Set((assembler.finish() as MatmulOutput).c)).toEqual(new Set([4096 * x * y]))
    }
  })

  test('planned units pass the check of strangers’ units, with the cost and size that it names', () => {
    fc.assert(
      fc.property(inputs, units, (input, count) => {
        for (const [index, unit] of planned(input, count).unitInputs.entries()) {
          const checked = skill.checkUnit({
            params: unit.params,
            dataSize: unit.data.length,
            partSizes: unit.parts.map((part) => part.length)
          })
          expect(checked.resultSize).toBe(compute(unit).length)
          expect(checked.cost).toBe(planned(input, count).plan.units[index]?.cost)
        }
      }),
      { numRuns: 50 }
    )
  })

  test('no shape makes a unit beyond 4 MiB, and a wished count of units is kept where it can be', () => {
    const side = fc.oneof(fc.constantFrom(1, 4095, 4096), fc.integer({ min: 1, max: 4096 }))
    fc.assert(
      fc.property(side, side, side, units, (m, k, n, count) => {
        const grid = chooseGrid(m, n, 2 * m * k * n, count)
        const sizes = (ranges: Array<readonly [number, number]>) => ranges.map(([from, to]) => to - from)
        const rows = sizes(cut(m, grid.down))
        const columns = sizes(cut(n, grid.across))
        expect(rows.reduce((sum, one) => sum + one)).toBe(m)
        expect(columns.reduce((sum, one) => sum + one)).toBe(n)
        expect(Math.min(...rows, ...columns)).toBeGreaterThan(0)
        expect(Math.max(...rows) * Math.max(...columns) * 4).toBeLessThanOrEqual(UNIT_BYTES_MAX)
        if (count !== undefined && count >= 20 && count <= Math.min(m, n)) {
          expect(grid.down * grid.across).toBe(count)
        }
      })
    )
  })

  test('a 1024³ job makes 2 units and costs 2,148 µcr, in 16 units 2,160', () => {
    const input = { a: filled(1024 * 1024, 1), b: filled(1024 * 1024, 1), m: 1024, k: 1024, n: 1024 }
    const price = (count?: number) =>
      planned(input, count).plan.units.reduce((sum, { cost }) => sum + cost, 0n)
    expect(planned(input).plan.units.map(({ params }) => params)).toEqual(Array(2).fill([512, 1024, 1024]))
    expect(price()).toBe(2148n)
    expect(price(16)).toBe(2160n)
  })

  test('long units yield on the way', () => {
    const { unitInputs } = planned({
      a: filled(256 * 1024, 1),
      b: filled(1024 * 256, 1),
      m: 256,
      k: 1024,
      n: 256
    })
    const shares = unitInputs.flatMap((unit) => [...skill.cpu(unit)])
    expect(shares.length).toBeGreaterThanOrEqual(4)
    expect(shares).toEqual([...shares].sort((x, y) => x - y))
    expect(shares.every((share) => share > 0 && share <= 1)).toBe(true)
  })
})

describe('verify', () => {
  test('accepts every right result', () => {
    fc.assert(
      fc.property(inputs, units, fc.nat(), (input, count, seed) => {
        for (const unit of planned(input, count).unitInputs) {
          expect(skill.verify(unit, compute(unit), random(seed))).toBe(true)
        }
      })
    )
  })

  test('accepts right results at the largest size of sums', () => {
    const k = 4096
    const { unitInputs } = planned({ a: filled(4 * k, -128), b: filled(k * 4096, -128), m: 4, k, n: 4096 })
    for (const unit of unitInputs) {
      expect(skill.verify(unit, compute(unit), random(1))).toBe(true)
    }
  })

  test('refuses a result with any one element changed', () => {
    fc.assert(
      fc.property(
        inputs,
        fc.nat(),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (input, seed, place, change) => {
          const [unit] = planned(input, 1).unitInputs
          if (unit === undefined) {
            throw new Error('no unit')
          }
          const result = compute(unit)
          const at = place % result.length
          result[at] = (result[at] ?? 0) ^ change
          expect(skill.verify(unit, result, random(seed))).toBe(false)
        }
      )
    )
  })

  test('refuses zeros, another unit’s answer, a wrong length, values that would overflow the check', () => {
    const input = {
      a: Int8Array.from({ length: 64 }, (_, i) => i * 5),
      b: Int8Array.from({ length: 64 }, (_, i) => i),
      m: 8,
      k: 8,
      n: 8
    }
    const [first, second] = planned(input, 2).unitInputs
    if (first === undefined || second === undefined) {
      throw new Error('two units expected')
    }
    const right = compute(first)
    const judge = (result: Uint8Array) => skill.verify(first, result, random(7))
    expect(judge(right)).toBe(true)
    expect(judge(new Uint8Array(right.length))).toBe(false)
    expect(judge(right.subarray(4))).toBe(false)
    expect(judge(new Uint8Array(0))).toBe(false)
    expect(judge(new Uint8Array(right.length).fill(0x80))).toBe(false)
    expect(judge(compute(second))).toBe(false)
  })
})

describe('the WebAssembly twin', () => {
  const twin = wasmTwin(skill)

  test('equals the readable one byte by byte, whatever ran before', () => {
    fc.assert(
      fc.property(inputs, units, (input, count) => {
        for (const unit of planned(input, count).unitInputs) {
          expect(twin.compute(unit)).toEqual(compute(unit))
        }
      })
    )
  })

  test('is exact at the edge, over several blocks along K, and yields on the way', () => {
    const [rows, k, columns] = [1000, 4096, 21]
    const input = { a: filled(rows * k, -128), b: filled(k * columns, -128), m: rows, k, n: columns }
    const [unit] = planned(input, 1).unitInputs
    if (unit === undefined) {
      throw new Error('no unit')
    }
    const values = new Int32Array(twin.compute(unit).buffer)
    expect(new Set(values)).toEqual(new Set([k * 2 ** 14]))
    expect(twin.shares(unit).length).toBeGreaterThanOrEqual(4)
    expect(twin.verify(unit, new Uint8Array(values.buffer), random(1))).toBe(true)
  })

  test('its check decides as the readable one does for the same random numbers', () => {
    fc.assert(
      fc.property(inputs, fc.nat(), fc.nat(), fc.nat(255), (input, seed, place, change) => {
        const [unit] = planned(input, 1).unitInputs
        if (unit === undefined) {
          throw new Error('no unit')
        }
        const result = compute(unit)
        const at = place % result.length
        result[at] = (result[at] ?? 0) ^ change
        const verdict = skill.verify(unit, result, random(seed))
        expect(twin.verify(unit, result, random(seed))).toBe(verdict)
        expect(verdict).toBe(change === 0)
      })
    )
  })

  test('its check refuses a wrong length, an overflow, and the prime added to an element', () => {
    const [unit] = planned({ a: filled(16, 1), b: filled(16, 1), m: 4, k: 4, n: 4 }, 1).unitInputs
    if (unit === undefined) {
      throw new Error('no unit')
    }
    const right = compute(unit)
    const judge = (result: Uint8Array) => twin.verify(unit, result, random(7))
    expect(judge(right)).toBe(true)
    expect(judge(right.subarray(4))).toBe(false)
    expect(judge(new Uint8Array(right.length).fill(0x80))).toBe(false)
    const shifted = Int32Array.from(
      new Int32Array(right.slice().buffer),
      (value) => (value + 2 ** 31 - 1) | 0
    )
    expect(judge(new Uint8Array(shifted.buffer))).toBe(false)
  })
})

describe('bad input', () => {
  const good = { a: filled(6, 1), b: filled(6, 1), m: 2, k: 3, n: 2 }
  test.each([
    ['a zero side', { ...good, m: 0 }, /m: must be at least 1/],
    ['a side above the maximum', { ...good, k: 4097 }, /k: must be at most 4096/],
    ['NaN', { ...good, n: Number.NaN }, /n: must be a whole number/],
    ['a fraction', { ...good, m: 1.5 }, /m: must be a whole number/],
    ['a wrong type', { ...good, a: [1, 2, 3, 4, 5, 6] }, /a: must be an Int8Array/],
    ['unsigned bytes', { ...good, b: new Uint8Array(6) }, /b: must be an Int8Array/],
    ['a wrong length', { ...good, a: filled(5, 1) }, /a: must have m · k elements/],
    ['something unknown', { ...good, x: 1 }, /nrecognized|input/],
    ['nothing', undefined, /input/]
  ])('%s is refused with a message that says what is wrong', (_, input, message) => {
    expect(() => skill.plan(input)).toThrow(code('BAD_INPUT'))
    expect(() => skill.plan(input)).toThrow(message)
  })

  test('a count of units that is no positive whole number is refused', () => {
    for (const count of [0, -1, 1.5, Number.NaN]) {
      expect(() => skill.plan(good, { units: count })).toThrow(code('BAD_INPUT'))
    }
  })

  test('strangers’ units out of range are refused by sizes alone', () => {
    const unit = { params: [8, 8, 8], dataSize: 64, partSizes: [64] }
    expect(skill.checkUnit(unit)).toEqual({ resultSize: 256, cost: 1n })
    for (const bad of [
      { ...unit, params: [] },
      { ...unit, params: [8, 8, 8, 8] },
      { ...unit, params: [8, -8, 8] },
      { ...unit, params: [8, 8, Number.NaN] },
      { ...unit, params: [2 ** 31, 8, 8] },
      { ...unit, dataSize: 63 },
      { ...unit, partSizes: [] },
      { ...unit, partSizes: [65] },
      { ...unit, partSizes: [64, 64] },
      { ...unit, partSizes: [64, 64, 64], dataSize: 0 },
      { params: [4096, 8, 4096], dataSize: 4096 * 8, partSizes: [4096 * 8] }
    ]) {
      expect(() => skill.checkUnit(bad)).toThrow(code('BAD_UNIT'))
    }
  })

  test('the assembler takes each unit once, in the right size, and all of them', () => {
    const { plan, unitInputs } = planned(good, 2)
    const assembler = plan.assembler()
    const [first] = unitInputs.map(compute)
    if (first === undefined) {
      throw new Error('no unit')
    }
    assembler.accept(0, first)
    expect(() => assembler.accept(0, first)).toThrow(code('BAD_RESULT'))
    expect(() => assembler.accept(1, first.subarray(1))).toThrow(code('BAD_RESULT'))
    expect(() => assembler.accept(2, first)).toThrow(code('BAD_RESULT'))
    expect(() => assembler.finish()).toThrow(code('INCOMPLETE'))
  })

  test('an unknown skill is named as such', () => {
    expect(() => skillByName('__proto__')).toThrow(SkillError)
    expect(() => skillByName('nothing')).toThrow(code('UNKNOWN_SKILL'))
  })
})

test('the kernel hash covers manifest and shaders', async () => {
  const hash = await kernelHash(skill)
  expect(hash).toHaveLength(32)
  expect(await kernelHash({ ...skill })).toEqual(hash)
  const [variant, ...rest] = skill.variants
  if (variant === undefined) {
    throw new Error('no variant')
  }
  const { wasm: _, ...withoutWasm } = skill
  const others = [
    { ...skill, manifest: { ...skill.manifest, version: '1.0.1' } },
    { ...skill, variants: [{ ...variant, wgsl: `${variant.wgsl} ` }, ...rest] },
    { ...skill, variants: rest },
    withoutWasm
  ]
  for (const other of others) {
    expect(await kernelHash(other)).not.toEqual(hash)
  }
})
