import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SKILLS, type Skill, SkillError, skillByName, type UnitInput } from '../../../src/skills/index.ts'
import { UNIT_BYTES_MAX, UNITS_MAX } from '../../../src/wire/index.ts'

/** What every skill must bear, whatever it is for: what each refuses by name is in its own tests. */
const skills = [...SKILLS].map(([name, skill]) => ({ name, skill }))

const BAD = [
  undefined,
  null,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  -0,
  -1,
  -128,
  0.5,
  2 ** 31,
  2 ** 53,
  1e308,
  true,
  '',
  'NaN',
  '1e999',
  10n,
  [],
  {},
  new Int8Array(0),
  new Int8Array(1),
  new Uint8Array(6),
  new Float32Array(6).fill(Number.NaN),
  new Float64Array(6),
  new ArrayBuffer(8),
  () => 1,
  Symbol('x'),
  { length: 6 },
  { __proto__: null }
]

/** Paths of all members of plain objects and arrays, a few of each array. */
function pathsOf(value: unknown, path: readonly string[] = []): Array<readonly string[]> {
  const isPlain = typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)
  const inner = isPlain
    ? Object.entries(value)
        .slice(0, 8)
        .flatMap(([key, each]) => pathsOf(each, [...path, key]))
    : []
  return [path, ...inner]
}

function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) {
    return by
  }
  if (Array.isArray(value)) {
    return value.map((each, i) => (`${i}` === key ? replaced(each, rest, by) : each))
  }
  const from = value as Record<string, unknown> // the path was read off this value
  return { ...from, [key]: replaced(from[key], rest, by) }
}

/** Plans, or the typed refusal; anything else is thrown on. */
function planned(skill: Skill, input: unknown, units?: number) {
  try {
    return skill.plan(input, units === undefined ? {} : { units })
  } catch (error) {
    if (error instanceof SkillError && error.code === 'BAD_INPUT') {
      expect(error.message).toMatch(/^[\w.]+: .{5,}/)
      return undefined
    }
    throw error
  }
}

function expectSound(skill: Skill, plan: ReturnType<Skill['plan']>): void {
  expect(plan.units.length).toBeGreaterThan(0)
  expect(plan.units.length).toBeLessThanOrEqual(UNITS_MAX)
  for (const { params, data, parts, cost } of plan.units.slice(0, 50)) {
    const partSizes = parts.map((part) => plan.parts[part]?.byteLength ?? -1)
    const checked = skill.checkUnit({ params, dataSize: data.byteLength, partSizes })
    expect(checked.cost).toBe(cost)
    expect(data.byteLength).toBeLessThanOrEqual(UNIT_BYTES_MAX)
    expect(checked.resultSize).toBeLessThanOrEqual(UNIT_BYTES_MAX)
  }
}

describe.each(skills)('$name', ({ skill }) => {
  const good = skill.example()

  test('with any member of its input spoilt says which, or plans sound units', () => {
    for (const path of pathsOf(good)) {
      for (const bad of BAD) {
        const plan = planned(skill, replaced(good, path, bad))
        if (plan !== undefined) {
          expectSound(skill, plan)
        }
      }
    }
    expectSound(skill, skill.plan(good))
  })

  test('with a member missing or one too many is refused', () => {
    for (const key of Object.keys(good as object)) {
      const { [key]: _, ...rest } = good as Record<string, unknown> // every input is an object
      expect(planned(skill, rest)).toBeUndefined()
    }
    expect(planned(skill, { ...(good as object), extra: 1 })).toBeUndefined()
  })

  test('takes any wish for a count of units, or refuses it', () => {
    const counts = fc.oneof(fc.integer({ min: -2, max: 100_000 }), fc.double())
    fc.assert(
      fc.property(counts, (count) => {
        const plan = planned(skill, good, count)
        expect(plan === undefined).toBe(!(Number.isInteger(count) && count >= 1))
        if (plan !== undefined) {
          expectSound(skill, plan)
        }
      })
    )
  })

  test('judges any stranger’s unit by its sizes alone: a typed refusal, or a bounded result at a positive price', () => {
    const [unit] = skill.plan(good).units
    const real = unit?.params ?? []
    const wild = fc.oneof(
      fc.constantFrom(
        0,
        -1,
        1,
        4095,
        4096,
        4097,
        65_535,
        65_536,
        2 ** 31,
        2 ** 53,
        0.5,
        Number.NaN,
        Infinity
      ),
      fc.integer()
    )
    const params = fc.oneof(
      fc.array(wild, { maxLength: 64 }),
      // near the truth: some of a real unit's changed
      fc
        .array(fc.tuple(fc.nat(Math.max(0, real.length - 1)), wild), { maxLength: 3 })
        .map((changes) =>
          changes.reduce<readonly number[]>((made, [at, value]) => made.with(at, value), real)
        )
    )
    const size = fc.oneof(
      fc.constantFrom(0, 1, UNIT_BYTES_MAX, UNIT_BYTES_MAX + 1, 2 ** 40, -1, Number.NaN),
      fc.nat()
    )
    fc.assert(
      fc.property(params, size, fc.array(size, { maxLength: 4 }), (params, dataSize, partSizes) => {
        try {
          const { resultSize, cost } = skill.checkUnit({ params, dataSize, partSizes })
          expect(resultSize).toBeGreaterThan(0)
          expect(resultSize).toBeLessThanOrEqual(UNIT_BYTES_MAX)
          expect(cost).toBeGreaterThan(0n)
        } catch (error) {
          expect(error).toMatchObject({ name: 'SkillError', code: 'BAD_UNIT' })
        }
      })
    )
  })

  test('has no dispatch, and no stretch of the CPU, that runs long, however large the unit', () => {
    const plan = skill.plan(LARGEST[skill.manifest.name]?.() ?? good)
    const [unit] = plan.units
    expect(unit).toBeDefined()
    const input: UnitInput = {
      params: unit?.params ?? [],
      data: unit?.data ?? new Uint8Array(0),
      parts: (unit?.parts ?? []).map((part) => plan.parts[part] ?? new Uint8Array(0))
    }
    for (const { name } of skill.variants) {
      const { dispatches } = skill.gpu(input, name, 1e6)
      // half a second at 2 GOP/s, what the slowest adapters do
      expect(Math.max(...dispatches.map(({ operations }) => operations))).toBeLessThanOrEqual(1e9)
    }
    const started = performance.now()
    const first = skill.cpu(input).next()
    expect(first.done).toBe(false)
    expect(performance.now() - started).toBeLessThan(2_000)
  })
})

/** The example's scene: the skill's own input. */
const scene = () =>
  (skillByName('render-tile').example() as { scene: { spheres: object[]; triangles: object[] } }).scene

/** Units that count as much as a schema lets them. */
const LARGEST: Readonly<Record<string, () => unknown>> = {
  'matmul-i8': () => ({ a: new Int8Array(2 ** 24), b: new Int8Array(2 ** 24), m: 4096, k: 4096, n: 4096 }),
  'matmul-f32': () => ({
    a: new Float32Array(2 ** 24),
    b: new Float32Array(2 ** 24),
    m: 4096,
    k: 4096,
    n: 4096
  }),
  'knn-i8': () => ({
    database: new Int8Array(2 ** 24),
    queries: new Int8Array(2 ** 22),
    dims: 2048,
    top: 32,
    metric: 'l2'
  }),
  mandelbrot: () => ({ x: '-0.1', y: '0.1', span: '1e-50', width: 4096, height: 4096, iterations: 65_535 }),
  'render-tile'() {
    const { spheres, triangles, ...rest } = scene()
    return {
      scene: {
        ...rest,
        spheres: Array.from({ length: 256 }, () => spheres[0]),
        triangles: Array.from({ length: 1_024 }, () => triangles[0])
      },
      width: 4096,
      height: 4096,
      samples: 64,
      depth: 8,
      seed: 1
    }
  }
}
