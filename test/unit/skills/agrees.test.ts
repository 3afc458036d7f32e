import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type RenderInput, skillByName, type UnitInput } from '../../../src/skills/index.ts'
import { drain, wasmTwin } from '../../fixtures/wasm-twin.ts'

function onlyUnit(skill: string, input: unknown): UnitInput {
  const plan = skillByName(skill).plan(input, { units: 1 })
  const [unit] = plan.units
  if (unit === undefined) {
    throw new Error('no unit')
  }
  return { ...unit, parts: unit.parts.map((part) => plan.parts[part] ?? new Uint8Array(0)) }
}

/** Below the smallest normal number is zero, as in all kernels. */
const flushed = (value: number) => (Math.abs(value) < 2 ** -126 ? 0 : value)

const bytesOf = (values: Float32Array) => new Uint8Array(values.buffer)

describe('float32 products', () => {
  const skill = skillByName('matmul-f32')
  const wasm = wasmTwin(skill)
  const side = fc.integer({ min: 1, max: 24 })
  const value = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 }).map(flushed)
  const inputs = fc.tuple(side, fc.integer({ min: 1, max: 200 }), side).chain(([m, k, n]) =>
    fc.record({
      a: fc.array(value, { minLength: m * k, maxLength: m * k }).map((values) => Float32Array.from(values)),
      b: fc.array(value, { minLength: k * n, maxLength: k * n }).map((values) => Float32Array.from(values)),
      m: fc.constant(m),
      k: fc.constant(k),
      n: fc.constant(n)
    })
  )

  /** Float32 sums of float32 products, from the last step to the first. */
  function backwards({
    a,
    b,
    m,
    k,
    n
  }: {
    a: Float32Array
    b: Float32Array
    m: number
    k: number
    n: number
  }) {
    const c = new Float32Array(m * n)
    for (let step = k - 1; step >= 0; step--) {
      for (let at = 0; at < c.length; at++) {
        const row = Math.floor(at / n)
        c[at] = (c[at] ?? 0) + Math.fround((a[row * k + step] ?? 0) * (b[step * n + (at % n)] ?? 0))
      }
    }
    return c
  }

  test('of honest nodes agree, in whatever order they add', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const unit = onlyUnit('matmul-f32', input)
        const one = wasm.compute(unit)
        expect(skill.agrees?.(unit, one, drain(skill.cpu(unit)))).toBe(true)
        expect(skill.agrees?.(unit, one, bytesOf(backwards(input)))).toBe(true)
      })
    )
  })

  const atLeastOne = (each: number) => (Math.abs(each) < 1 ? 1 : each)

  test('do not where one element is off by a thousandth of what it may be, or is no number', () => {
    fc.assert(
      fc.property(inputs, fc.nat(), fc.boolean(), ({ a, b, m, k, n }, place, isNoNumber) => {
        // norms of at least 1, so that a thousandth is far above rounding
        const input = { a: a.map(atLeastOne), b: b.map(atLeastOne), m, k, n }
        const unit = onlyUnit('matmul-f32', input)
        const right = wasm.compute(unit)
        const wrong = new Float32Array(right.slice().buffer)
        const at = place % wrong.length
        const norm = (values: number[]) => Math.hypot(...values)
        const row = Array.from({ length: k }, (_, step) => input.a[Math.floor(at / n) * k + step] ?? 0)
        const column = Array.from({ length: k }, (_, step) => input.b[step * n + (at % n)] ?? 0)
        wrong[at] = isNoNumber ? Number.NaN : (wrong[at] ?? 0) + 1e-3 * norm(row) * norm(column)
        expect(skill.agrees?.(unit, right, bytesOf(wrong))).toBe(false)
        expect(skill.agrees?.(unit, bytesOf(wrong), right)).toBe(false)
      })
    )
  })
})

describe('pictures', () => {
  const skill = skillByName('render-tile')
  const unit = onlyUnit('render-tile', { ...(skill.example() as RenderInput), width: 40, height: 30 })
  const right = drain(skill.cpu(unit))

  /** Every so many pixels another light. */
  function changed(every: number): Uint8Array {
    const light = new Float32Array(right.slice().buffer)
    for (let at = 0; at < light.length; at += 3 * every) {
      light[at] = (light[at] ?? 0) * 1.02 + 0.05
    }
    return bytesOf(light)
  }

  test('agree but for a few pixels, and not where a tenth differs, or all by much', () => {
    expect(skill.agrees?.(unit, right, right)).toBe(true)
    expect(skill.agrees?.(unit, right, changed(40))).toBe(true)
    expect(skill.agrees?.(unit, right, changed(10))).toBe(false)
    expect(skill.agrees?.(unit, right, new Uint8Array(right.length))).toBe(false)
    expect(skill.agrees?.(unit, right, bytesOf(new Float32Array(right.length / 4).fill(Number.NaN)))).toBe(
      false
    )
  })
})
