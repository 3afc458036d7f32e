import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type KnnInput, type KnnOutput, skillByName, type UnitInput } from '../../../src/skills/index.ts'
import { UNIT_BYTES_MAX } from '../../../src/wire/index.ts'
import { spread as random } from '../../fixtures/random.ts'
import { bothTwins, skillHouse } from '../../fixtures/skill-house.ts'
import { drain } from '../../fixtures/wasm-twin.ts'

const skill = skillByName('knn-i8')
const { wasm, twins, checks } = bothTwins(skill)
const { planned, onlyUnit } = skillHouse(skill)
const code = (expected: string) => expect.objectContaining({ name: 'SkillError', code: expected })

function noise(rows: number, queries: number, dims: number, rest: Partial<KnnInput> = {}): KnnInput {
  const next = random(rows + queries)
  const int8s = (length: number) => Int8Array.from({ length }, () => next() * 256 - 128)
  return { database: int8s(rows * dims), queries: int8s(queries * dims), dims, top: 5, metric: 'l2', ...rest }
}

/** The oracle: all scores, sorted. */
function neighbours({ database, queries, dims, top, metric }: KnnInput): KnnOutput {
  const rows = Array.from({ length: database.length / dims }, (_, row) => row)
  const lists = Array.from({ length: queries.length / dims }, (_, query) => {
    const score = (row: number) => {
      const pairs = Array.from({ length: dims }, (_, at) => [
        database[row * dims + at] ?? 0,
        queries[query * dims + at] ?? 0
      ])
      return pairs.reduce((sum, [x = 0, y = 0]) => sum + (metric === 'dot' ? x * y : (x - y) ** 2), 0)
    }
    const scored = rows.map((row) => ({ row, score: score(row) }))
    const sign = metric === 'dot' ? -1 : 1
    return scored.sort((x, y) => sign * (x.score - y.score) || x.row - y.row).slice(0, top)
  })
  return {
    ids: Uint32Array.from(lists.flatMap((list) => list.map(({ row }) => row))),
    scores: Int32Array.from(lists.flatMap((list) => list.map(({ score }) => score))),
    top
  }
}

/** Few values, so that there are many equal scores. */
const int8 = fc.oneof(fc.constantFrom(-128, 127, 0, 1), fc.integer({ min: -128, max: 127 }))
const matrix = (length: number) =>
  fc.array(int8, { minLength: length, maxLength: length }).map((values) => Int8Array.from(values))
const inputs: fc.Arbitrary<KnnInput> = fc
  .tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 35 }))
  .chain(([rows, queries, dims]) =>
    fc.record({
      database: matrix(rows * dims),
      queries: matrix(queries * dims),
      dims: fc.constant(dims),
      top: fc.integer({ min: 1, max: Math.min(rows, 32) }),
      metric: fc.constantFrom('dot', 'l2')
    })
  )
const units = fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined })

describe.each(twins)('the %s twin', (_, compute) => {
  test('finds what sorting all scores finds, for any shape and count of units', () => {
    fc.assert(
      fc.property(inputs, units, (input, count) => {
        const { plan, unitInputs } = planned(input, count)
        const assembler = plan.assembler()
        for (const [index, unit] of [...unitInputs.entries()].reverse()) {
          assembler.accept(index, compute(unit))
        }
        expect(assembler.finish()).toEqual(neighbours(input))
      })
    )
  })

  test.each(['dot', 'l2'] as const)('merges segments and shards by %s', (metric) => {
    const input = noise(2300, 3, 1000, { metric })
    const { plan, unitInputs } = planned(input)
    expect(plan.parts.length).toBe(2)
    const assembler = plan.assembler()
    for (const [index, unit] of unitInputs.entries()) {
      assembler.accept(index, compute(unit))
    }
    expect(assembler.finish()).toEqual(neighbours(input))
  })

  test('is exact at the largest scores', () => {
    const low = new Int8Array(2048).fill(-128)
    const high = new Int8Array(2048).fill(127)
    const input = { database: new Int8Array([...low, ...high]), queries: low, dims: 2048, top: 2 }
    for (const metric of ['dot', 'l2'] as const) {
      const { plan, unitInputs } = planned({ ...input, metric })
      const assembler = plan.assembler()
      assembler.accept(0, compute(unitInputs[0] as UnitInput)) // planned: there is one
      const scores = metric === 'dot' ? [2048 * 2 ** 14, -2048 * 127 * 128] : [0, 2048 * 255 ** 2]
      expect((assembler.finish() as KnnOutput).scores).toEqual(Int32Array.from(scores))
    }
  })
})

test('the twins give the same bytes, also where a segment has fewer rows than k', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1020, max: 1060 }), fc.constantFrom('dot', 'l2'), (rows, metric) => {
      const unit = onlyUnit(noise(rows, 5, 20, { metric, top: 32 }))
      expect(wasm.compute(unit)).toEqual(drain(skill.cpu(unit)))
    }),
    { numRuns: 20 }
  )
})

describe.each(checks)('the %s check', (_, check) => {
  test('accepts every right result', () => {
    fc.assert(
      fc.property(inputs, fc.nat(), (input, seed) => {
        const unit = onlyUnit(input)
        expect(check(unit, wasm.compute(unit), random(seed))).toBe(true)
      })
    )
  })

  test('refuses any changed byte', () => {
    fc.assert(
      fc.property(
        inputs,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        fc.nat(),
        (input, place, flip, seed) => {
          const unit = onlyUnit(input)
          const result = wasm.compute(unit)
          const at = place % result.length
          result[at] = (result[at] ?? 0) ^ flip
          expect(check(unit, result, random(seed))).toBe(false)
        }
      )
    )
  })

  const input = noise(3000, 64, 32, { top: 10 })
  const unit = onlyUnit(input)
  const right = wasm.compute(unit)

  test('refuses zeros, another unit’s answer, an entry twice, a wrong length', () => {
    const judge = (result: Uint8Array) => check(unit, result, random(1))
    expect(judge(right)).toBe(true)
    expect(judge(new Uint8Array(right.length))).toBe(false)
    expect(judge(right.subarray(8))).toBe(false)
    const { queries } = noise(3001, 64, 32)
    expect(judge(wasm.compute(onlyUnit({ ...input, queries })))).toBe(false)
    const twice = right.slice()
    twice.copyWithin(8, 0, 8)
    expect(judge(twice)).toBe(false)
  })

  test('refuses an answer that left out a tenth of the rows, all its own scores right', () => {
    const missing = (row: number) => row % 10 === 3
    const lazy = withoutRows(unit, right, missing)
    const refused = Array.from({ length: 30 }, (_, seed) => !check(unit, lazy, random(seed)))
    expect(refused.filter(Boolean).length).toBeGreaterThanOrEqual(28)
  })
})

/** An answer by a provider that takes some rows for worse than all others. */
function withoutRows(unit: UnitInput, right: Uint8Array, missing: (row: number) => boolean): Uint8Array {
  const [rows = 0, dims = 0, queries = 0, top = 0] = unit.params
  const depth = Math.ceil(dims / 16) * 16
  const database = new Int8Array(unit.parts[0]?.slice().buffer ?? [])
  const far = database.slice()
  for (let row = 0; row < rows; row++) {
    if (missing(row)) {
      far.fill(row % 2 === 0 ? 127 : -128, row * depth, row * depth + dims)
    }
  }
  const lazy = wasm.compute({ ...unit, parts: [new Uint8Array(far.buffer)] })
  const listed = new Uint32Array(lazy.buffer).filter((_, at) => at % 2 === 0)
  expect(listed.length).toBe(queries * Math.ceil(rows / 1024) * top)
  expect(listed.some(missing)).toBe(false)
  expect(lazy).not.toEqual(right)
  return lazy
}

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('the plan', () => {
  test('cuts a database into the same shards whatever is asked of it', () => {
    const many = planned(noise(40_000, 50, 128, { top: 1 }))
    const few = planned({ ...noise(40_000, 50, 128), queries: new Int8Array(128), metric: 'dot' })
    expect(many.plan.parts.length).toBe(3)
    expect(few.plan.parts.map(digest)).toEqual(many.plan.parts.map(digest))
  })

  test('makes units within the limits, which pass the check of strangers’ units', () => {
    const shapes = fc.record({
      rows: fc.constantFrom(1, 1024, 5000, 70_000),
      dims: fc.constantFrom(1, 16, 17, 100),
      queries: fc.constantFrom(1, 7, 1000, 4096),
      top: fc.constantFrom(1, 32)
    })
    fc.assert(
      fc.property(shapes, units, ({ rows, dims, queries, top }, count) => {
        const database = new Int8Array(rows * dims)
        const input = { database, queries: new Int8Array(queries * dims), dims, top: Math.min(top, rows) }
        for (const unit of planned({ ...input, metric: 'dot' }, count).unitInputs) {
          const partSizes = unit.parts.map((part) => part.length)
          const checked = skill.checkUnit({ params: unit.params, dataSize: unit.data.length, partSizes })
          expect(checked.cost).toBe(unit.cost)
          expect(checked.resultSize).toBeLessThanOrEqual(UNIT_BYTES_MAX)
          expect(unit.data.length).toBeLessThanOrEqual(UNIT_BYTES_MAX)
        }
      }),
      { numRuns: 20 }
    )
  })

  test('long units yield on the way', () => {
    const shares = wasm.shares(onlyUnit(noise(4096, 200, 128)))
    expect(shares.length).toBeGreaterThanOrEqual(4)
    expect(shares).toEqual([...shares].sort((x, y) => x - y))
  })
})

describe('bad input', () => {
  const good = skill.example() as KnnInput
  test.each([
    ['no database', { ...good, database: new Int8Array(0) }, /database: must hold 1 to/],
    ['unsigned bytes', { ...good, queries: new Uint8Array(3) }, /queries: must be an Int8Array/],
    ['half a row', { ...good, database: new Int8Array(4) }, /database: must hold/],
    ['no dimensions', { ...good, dims: 0 }, /dims: must be at least 1/],
    ['too many dimensions', { ...good, dims: 2049 }, /dims: must be at most 2048/],
    ['more neighbours than rows', { ...good, top: 5 }, /top: must be at most the rows/],
    ['too many neighbours', { ...good, top: 33 }, /top: must be at most 32/],
    [
      'too many rows',
      { ...good, database: new Int8Array(2 ** 20 + 1), dims: 1, top: 1 },
      /database: must hold/
    ],
    ['too many queries', { ...good, queries: new Int8Array(4097 * 3) }, /queries: must hold 1 to 4096/],
    ['another metric', { ...good, metric: 'cosine' }, /metric: must be 'dot' or 'l2'/]
  ])('%s is refused with a message that names it', (_, input, message) => {
    expect(() => skill.plan(input)).toThrow(code('BAD_INPUT'))
    expect(() => skill.plan(input)).toThrow(message)
  })

  test.each([
    ['no params', { params: [], dataSize: 16, partSizes: [16] }],
    ['an unknown metric', { params: [1, 1, 1, 1, 2], dataSize: 16, partSizes: [16] }],
    ['too many rows', { params: [65_537, 1, 1, 1, 0], dataSize: 16, partSizes: [65_537 * 16] }],
    ['a fraction', { params: [1.5, 1, 1, 1, 0], dataSize: 16, partSizes: [24] }],
    ['a shard that does not fit', { params: [2, 1, 1, 1, 0], dataSize: 16, partSizes: [16] }],
    ['two parts', { params: [1, 1, 1, 1, 0], dataSize: 16, partSizes: [16, 16] }],
    ['a result beyond 4 MiB', { params: [65_536, 1, 4096, 32, 0], dataSize: 65_536, partSizes: [2 ** 20] }]
  ])('a stranger’s unit with %s is refused', (_, unit) => {
    expect(() => skill.checkUnit(unit)).toThrow(code('BAD_UNIT'))
  })
})
