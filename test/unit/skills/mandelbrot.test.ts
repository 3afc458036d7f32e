import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { wasmBytes } from '../../../shaders/generated.ts'
import {
  type MandelbrotInput,
  type MandelbrotOutput,
  skillByName,
  type UnitInput
} from '../../../src/skills/index.ts'
import { UNIT_BYTES_MAX } from '../../../src/wire/index.ts'
import { seeded as random } from '../../fixtures/random.ts'
import { skillHouse } from '../../fixtures/skill-house.ts'
import { drain } from '../../fixtures/wasm-twin.ts'

const skill = skillByName('mandelbrot')
const instance = await WebAssembly.instantiate(await WebAssembly.compile(wasmBytes('mandelbrot')))

const SEAHORSE = { x: '-0.743643887037158704752191506114774', y: '0.131825904205311970493132056385139' }

/** A decimal of up to 40 places around one of the places where the set is intricate. */
const coordinate = (centre: string) => fc.stringMatching(/^\d{0,20}$/).map((digits) => `${centre}${digits}`)
const inputs: fc.Arbitrary<MandelbrotInput> = fc
  .record({
    x: fc.oneof(coordinate(SEAHORSE.x), coordinate('-1.749'), coordinate('0.25'), coordinate('-0.5')),
    y: fc.oneof(coordinate(SEAHORSE.y), coordinate('-0.0'), coordinate('0.3')),
    span: fc
      .tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 0, max: 54 }))
      .map(([d, e]) => `${d}e-${e}`),
    width: fc.integer({ min: 5, max: 12 }),
    height: fc.integer({ min: 1, max: 12 }),
    iterations: fc.oneof(fc.constantFrom(1, 2, 9, 10), fc.integer({ min: 1, max: 120 }))
  })
  .filter(({ span, width, height }) => (Number(span) * height) / width <= 8)
const units = fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined })

/** The oracle: whole numbers of any size, and no code in common with the kernels. */
function oracle(unit: UnitInput): number[] {
  const [words = 0, columns = 0, rows = 0, iterations = 0, ...rest] = unit.params
  const bits = BigInt(26 * words)
  const number = (index: number) =>
    rest
      .slice(index * (words + 1), (index + 1) * (words + 1))
      .reduce((sum, word, at) => sum + (BigInt(word) << BigInt(26 * at)), 0n)
  const [left, top, step] = [number(0), number(1), number(2)]
  const counts: number[] = []
  for (let row = 0n; row < rows; row++) {
    for (let column = 0n; column < columns; column++) {
      const cx = left + column * step
      const cy = top - row * step
      let [x, y] = [cx, cy]
      let count = 0
      while (count < iterations) {
        const xx = (x * x) >> bits
        const yy = (y * y) >> bits
        const ss = ((x + y) * (x + y)) >> bits
        if (xx + yy >= 4n << bits) {
          break
        }
        x = xx - yy + cx
        y = ss - xx - yy + cy
        count++
      }
      counts.push(count)
    }
  }
  return counts
}

const { compute, planned } = skillHouse(skill)
const fast = (unit: UnitInput): Uint8Array =>
  drain(skill.wasm?.cpu(unit, instance.exports) ?? skill.cpu(unit))
const counts = (bytes: Uint8Array): number[] => [...new Uint32Array(bytes.slice().buffer)]

function assembled(input: MandelbrotInput, count?: number): MandelbrotOutput {
  const { plan, unitInputs } = planned(input, count)
  const assembler = plan.assembler()
  for (const [index, unit] of [...unitInputs.entries()].reverse()) {
    assembler.accept(index, fast(unit))
  }
  return assembler.finish() as MandelbrotOutput // plans of this skill make this output
}

const code = (expected: string) => expect.objectContaining({ name: 'SkillError', code: expected })
const whole: MandelbrotInput = { x: '-0.5', y: '0', span: '3', width: 96, height: 64, iterations: 200 }

describe('the twins', () => {
  test('count as the oracle does, at every depth', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        for (const unit of planned(input).unitInputs) {
          const right = oracle(unit)
          expect(counts(compute(unit))).toEqual(right)
          expect(counts(fast(unit))).toEqual(right)
        }
      })
    )
  })

  test('agree with doubles where doubles are enough', () => {
    const { counts: found } = assembled({ ...whole, iterations: 40 })
    let different = 0
    for (let row = 0; row < 64; row++) {
      for (let column = 0; column < 96; column++) {
        const cx = -0.5 + (column - 95 / 2) * (3 / 96)
        const cy = -(row - 63 / 2) * (3 / 96)
        let [x, y, count] = [cx, cy, 0]
        while (count < 40 && x * x + y * y < 4) {
          ;[x, y] = [x * x - y * y + cx, 2 * x * y + cy]
          count++
        }
        different += count === found[row * 96 + column] ? 0 : 1
      }
    }
    expect(different).toBeLessThan(20) // rounding may move single points of the border
  })

  test('make the same picture, however it is cut', () => {
    const one = assembled(whole, 1)
    expect(one.counts.some((count) => count === 200)).toBe(true)
    fc.assert(
      fc.property(units, (count) => {
        expect(assembled(whole, count).counts).toEqual(one.counts)
      }),
      { numRuns: 10 }
    )
  })

  test('long units yield on the way', () => {
    const [unit] = planned({ ...whole, iterations: 5000 }, 1).unitInputs
    if (unit === undefined) {
      throw new Error('no unit')
    }
    for (const twin of [skill.cpu(unit), skill.wasm?.cpu(unit, instance.exports) ?? []]) {
      const shares = [...twin]
      expect(shares.length).toBeGreaterThanOrEqual(4)
      expect(shares).toEqual([...shares].sort((x, y) => x - y))
      expect(shares.every((share) => share > 0 && share <= 1)).toBe(true)
    }
  })
})

describe('plan', () => {
  test('units pass the check of strangers’ units, in the size and at the cost that it names', () => {
    fc.assert(
      fc.property(inputs, units, (input, count) => {
        const { plan, unitInputs } = planned(input, count)
        for (const [index, { params, data }] of unitInputs.entries()) {
          const checked = skill.checkUnit({ params, dataSize: data.length, partSizes: [] })
          expect(checked.resultSize).toBe((params[1] ?? 0) * (params[2] ?? 0) * 4)
          expect(checked.cost).toBe(plan.units[index]?.cost)
        }
      })
    )
  })

  test('no picture makes a unit beyond 4 MiB or too many of them', () => {
    const side = fc.oneof(fc.constantFrom(1, 4095, 4096), fc.integer({ min: 1, max: 4096 }))
    const iterations = fc.oneof(fc.constantFrom(1, 65_535), fc.integer({ min: 1, max: 65_535 }))
    fc.assert(
      fc.property(side, side, iterations, units, (width, height, limit, count) => {
        fc.pre(height / width < 2)
        const { plan } = planned({ ...SEAHORSE, span: '1e-10', width, height, iterations: limit }, count)
        const pixels = plan.units.map(({ params }) => (params[1] ?? 0) * (params[2] ?? 0))
        expect(pixels.reduce((sum, each) => sum + each)).toBe(width * height)
        expect(Math.max(...pixels) * 4).toBeLessThanOrEqual(UNIT_BYTES_MAX)
        expect(pixels.length).toBeLessThanOrEqual(65_536)
      }),
      { numRuns: 30 }
    )
  })
})

describe('verify', () => {
  test('accepts every right result, of both twins', () => {
    fc.assert(
      fc.property(inputs, units, fc.nat(), (input, count, seed) => {
        for (const unit of planned(input, count).unitInputs) {
          expect(skill.verify(unit, compute(unit), random(seed))).toBe(true)
          expect(skill.wasm?.verify?.(unit, fast(unit), random(seed), instance.exports)).toBe(true)
        }
      }),
      { numRuns: 30 }
    )
  })

  test('sees a tenth of the pixels off by one with .99, and one pixel as often as its docstring says', () => {
    const [unit] = planned(whole, 1).unitInputs
    if (unit === undefined) {
      throw new Error('no unit')
    }
    const right = compute(unit)
    const pixels = right.length / 4
    const seen = (spoilt: number, tries: number) => {
      const next = random(spoilt)
      let found = 0
      for (let i = 0; i < tries; i++) {
        const result = new Uint32Array(right.slice().buffer)
        for (let k = 0; k < spoilt; k++) {
          const at = Math.floor(next() * pixels)
          result[at] = (result[at] ?? 0) === 0 ? 1 : (result[at] ?? 0) - 1
        }
        const check = i % 2 === 0 ? skill.verify : skill.wasm?.verify
        found += check?.(unit, new Uint8Array(result.buffer), next, instance.exports) ? 0 : 1
      }
      return found / tries
    }
    expect(seen(Math.ceil(pixels / 9), 300)).toBeGreaterThan(0.97)
    expect(seen(1, 600)).toBeLessThan(0.05)
  })

  test('refuses zeros, another tile, a wrong length, counts beyond the limit', () => {
    const { unitInputs } = planned({ ...whole, ...SEAHORSE, span: '0.001' }, 4)
    const [first, second] = unitInputs
    if (first === undefined || second === undefined) {
      throw new Error('two units expected')
    }
    const right = compute(first)
    const judge = (result: Uint8Array) => skill.verify(first, result, random(7))
    expect(judge(right)).toBe(true)
    expect(judge(new Uint8Array(right.length))).toBe(false)
    expect(judge(right.subarray(4))).toBe(false)
    expect(judge(right.subarray(1))).toBe(false)
    expect(judge(new Uint8Array(0))).toBe(false)
    expect(judge(compute(second))).toBe(false)
    const beyond = right.slice()
    new DataView(beyond.buffer).setUint32(beyond.length - 4, 201, true)
    expect(judge(beyond)).toBe(false)
  })
})

describe('bad input', () => {
  test.each([
    ['a number for text', { ...whole, x: -0.5 }, /x: must be a decimal number as text/],
    ['NaN as text', { ...whole, y: 'NaN' }, /y: must be a decimal number as text/],
    ['infinity', { ...whole, span: '1e999' }, /span: must be at most 8/],
    ['an endless number', { ...whole, x: '1'.repeat(1000) }, /x: must be a decimal number/],
    ['hexadecimal', { ...whole, x: '0x1' }, /x: must be a decimal number/],
    ['far out', { ...whole, x: '2.1' }, /x: must be from -2 to 2/],
    ['no span', { ...whole, span: '0' }, /span: must be above 0/],
    ['too deep', { ...whole, span: '1e-60' }, /span: must be at least/],
    ['too wide', { ...whole, span: '8.1' }, /span: must be at most 8/],
    ['too high', { ...whole, width: 1, height: 4096 }, /height: must not make the view higher/],
    ['no pixels', { ...whole, width: 0 }, /width: must be at least 1/],
    ['one pixel too many', { ...whole, height: 4097 }, /height: must be at most 4096/],
    ['too many iterations', { ...whole, iterations: 65_536 }, /iterations: must be at most 65535/],
    ['half an iteration', { ...whole, iterations: 0.5 }, /iterations: must be a whole number/],
    ['something unknown', { ...whole, z: 1 }, /nrecognized|input/],
    ['nothing', undefined, /input/]
  ])('%s is refused with a message that says what is wrong', (_, input, message) => {
    expect(() => skill.plan(input)).toThrow(code('BAD_INPUT'))
    expect(() => skill.plan(input)).toThrow(message)
  })

  test('strangers’ units out of range are refused', () => {
    const { params } = planned({ ...whole, width: 8, height: 8 }).unitInputs[0] ?? { params: [] }
    const unit = { params, dataSize: 0, partSizes: [] }
    expect(skill.checkUnit(unit).resultSize).toBe(256)
    const changed = (at: number, value: number) => params.map((each, index) => (index === at ? value : each))
    for (const bad of [
      { ...unit, params: [] },
      { ...unit, params: params.slice(1) },
      { ...unit, params: [...params, 0] },
      { ...unit, params: changed(0, 9) },
      { ...unit, params: changed(1, 4097) },
      { ...unit, params: changed(2, 0) },
      { ...unit, params: changed(3, 65_536) },
      { ...unit, params: changed(3, Number.NaN) },
      { ...unit, params: changed(4, -1) },
      { ...unit, params: changed(5, 2 ** 26) },
      { ...unit, params: changed(6, 9) },
      { ...unit, params: changed(12, 9) },
      { ...unit, params: changed(1, 4096).with(2, 4096) },
      { ...unit, dataSize: 1 },
      { ...unit, partSizes: [4] }
    ]) {
      expect(() => skill.checkUnit(bad)).toThrow(code('BAD_UNIT'))
    }
  })

  test('the assembler takes each unit once, in the right size, and all of them', () => {
    const { plan, unitInputs } = planned(whole, 4)
    const assembler = plan.assembler()
    const [first] = unitInputs.map(fast)
    if (first === undefined) {
      throw new Error('no unit')
    }
    assembler.accept(0, first)
    expect(() => assembler.accept(0, first)).toThrow(code('BAD_RESULT'))
    expect(() => assembler.accept(1, first.subarray(1))).toThrow(code('BAD_RESULT'))
    expect(() => assembler.accept(99, first)).toThrow(code('BAD_RESULT'))
    expect(() => assembler.finish()).toThrow(code('INCOMPLETE'))
  })
})
