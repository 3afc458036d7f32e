import * as z from 'zod/mini'
import { type MicroCredits, OPERATIONS_PER_MICROCREDIT } from '../../wire/index.ts'
import { SkillError } from '../errors.ts'
import type { Assembler, GpuProgram, Plan, PlanOptions, Skill, UnitInput, UnitSpec } from '../skill.ts'
import { multiply } from './cpu.ts'
import { dispatches, VARIANTS } from './gpu.ts'
import { packColumns, packedSize, packRows, SIDE_MAX, signedBytes } from './layout.ts'
import { type Block, chooseGrid, cut, isSide, operations, resultFits, rowsAreOwn } from './plan.ts'
import { multiplySimd } from './simd.ts'
import { checkProduct } from './verify.ts'

/** C = A × B. `a` is m × k, `b` is k × n, both row-major. */
export interface MatmulInput {
  readonly a: Int8Array
  readonly b: Int8Array
  readonly m: number
  readonly k: number
  readonly n: number
}

/** `c` is m × n, row-major, exact. */
export interface MatmulOutput {
  readonly c: Int32Array<ArrayBuffer>
  readonly m: number
  readonly n: number
}

const side = z
  .int(`must be a whole number from 1 to ${SIDE_MAX}`)
  .check(z.gte(1, 'must be at least 1'), z.lte(SIDE_MAX, `must be at most ${SIDE_MAX}`))
const matrix = z.custom<Int8Array>((value) => value instanceof Int8Array, 'must be an Int8Array')

const input = z.strictObject({ a: matrix, b: matrix, m: side, k: side, n: side }).check(
  z.refine(({ a, m, k }) => a.length === m * k, { path: ['a'], message: 'must have m · k elements' }),
  z.refine(({ b, k, n }) => b.length === k * n, { path: ['b'], message: 'must have k · n elements' })
)

/**
 * 2 · rows · k · columns operations, k in fours, rounded up to a whole µcr for each unit. A job's price is the
 * sum over its units: 1024³ costs 2,148 µcr in one unit and 2,160 in 16.
 */
function unitCost(rows: number, k: number, columns: number): MicroCredits {
  return BigInt(Math.ceil(operations(rows, k, columns) / OPERATIONS_PER_MICROCREDIT))
}

/** `params`: rows, k, columns. `parts`: the columns of B, then the rows of A unless they are the unit's data. */
function shapeOf(params: readonly number[]): readonly [number, number, number] {
  const [rows, k, columns] = params
  if (params.length !== 3 || !isSide(rows) || !isSide(k) || !isSide(columns)) {
    throw new SkillError('BAD_UNIT', `A unit needs three sizes from 1 to ${SIDE_MAX}: rows, k, columns.`)
  }
  return [rows, k, columns]
}

function matricesOf(unit: UnitInput): { a: Int8Array; b: Int8Array } {
  const [columns, rows = unit.data] = unit.parts
  if (columns === undefined) {
    throw new SkillError('BAD_UNIT', 'A unit needs the columns of B as its first part.')
  }
  return { a: signedBytes(rows), b: signedBytes(columns) }
}

function checkUnit(unit: { params: readonly number[]; dataSize: number; partSizes: readonly number[] }) {
  const [rows, k, columns] = shapeOf(unit.params)
  if (!resultFits(rows, columns)) {
    throw new SkillError(
      'BAD_UNIT',
      `A unit of ${rows} × ${columns} results exceeds 4 MiB: send smaller ones.`
    )
  }
  const [columnBytes, rowBytes = unit.dataSize] = unit.partSizes
  const sizesFit = columnBytes === packedSize(columns, k) && rowBytes === packedSize(rows, k)
  const nothingElse = unit.partSizes.length === 1 || (unit.partSizes.length === 2 && unit.dataSize === 0)
  if (!sizesFit || !nothingElse) {
    throw new SkillError('BAD_UNIT', 'The sizes of data and parts do not fit rows, k and columns.')
  }
  return { resultSize: rows * columns * 4, cost: unitCost(rows, k, columns) }
}

function plan(raw: MatmulInput, options: PlanOptions = {}): Plan<MatmulOutput> {
  const parsed = input.safeParse(raw)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new SkillError('BAD_INPUT', `${issue?.path.join('.') || 'input'}: ${issue?.message}.`)
  }
  const { units: wanted } = options
  if (wanted !== undefined && (!Number.isInteger(wanted) || wanted < 1)) {
    throw new SkillError('BAD_INPUT', 'units: must be a whole number of at least 1.')
  }
  const { a, b, m, k, n } = parsed.data
  const grid = chooseGrid(m, k, n, wanted)
  const across = cut(n, grid.across)
  const parts = across.map(([left, end]) => packColumns(b, k, n, left, end - left))
  const units: UnitSpec[] = []
  const blocks: Block[] = []
  for (const [top, bottom] of cut(m, grid.down)) {
    const rows = bottom - top
    const packed = packRows(a, k, top, rows)
    const own = rowsAreOwn(grid, rows, k)
    if (!own) {
      parts.push(packed)
    }
    for (const [part, [left, end]] of across.entries()) {
      units.push({
        params: [rows, k, end - left],
        parts: own ? [part] : [part, parts.length - 1],
        data: own ? packed : new Uint8Array(0),
        cost: unitCost(rows, k, end - left)
      })
      blocks.push({ top, rows, left, columns: end - left })
    }
  }
  return { parts, units, assembler: () => assemble(m, n, blocks) }
}

function assemble(m: number, n: number, blocks: readonly Block[]): Assembler<MatmulOutput> {
  const c = new Int32Array(m * n)
  const missing = new Set(blocks.keys())
  return {
    accept(unit, result) {
      const block = blocks[unit]
      if (block === undefined || !missing.has(unit) || result.byteLength !== block.rows * block.columns * 4) {
        throw new SkillError('BAD_RESULT', `This is no result that unit ${unit} of the plan still waits for.`)
      }
      const values = wordsOf(result)
      for (let row = 0; row < block.rows; row++) {
        const from = row * block.columns
        c.set(values.subarray(from, from + block.columns), (block.top + row) * n + block.left)
      }
      missing.delete(unit)
    },
    finish() {
      if (missing.size > 0) {
        throw new SkillError('INCOMPLETE', `${missing.size} of ${blocks.length} units are missing.`)
      }
      return { c, m, n }
    }
  }
}

/** Bytes off the wire may lie at any offset; an Int32Array may not. */
function wordsOf(bytes: Uint8Array): Int32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice()
  return new Int32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4)
}

export const matmulI8: Skill<MatmulInput, MatmulOutput> = {
  manifest: {
    name: 'matmul-i8',
    version: '1.0.0',
    description: 'Product of two int8 matrices with exact int32 results, any shape up to 4096 a side.',
    tags: ['linear-algebra', 'int8'],
    license: 'MIT',
    timeout_secs: 60,
    check: 'strong'
  },
  input,
  example: () => ({
    a: Int8Array.of(1, 2, 3, 4, 5, 6),
    b: Int8Array.of(1, 0, -1, 2, 1, -128),
    m: 2,
    k: 3,
    n: 2
  }),
  variants: VARIANTS,
  plan,
  checkUnit,
  *cpu(unit) {
    const [rows, k, columns] = shapeOf(unit.params)
    const { a, b } = matricesOf(unit)
    const c = yield* multiply(a, b, rows, k, columns)
    return new Uint8Array(c.buffer)
  },
  wasm: {
    module: 'matmul-i8',
    *cpu(unit, exports) {
      const [rows, k, columns] = shapeOf(unit.params)
      const [b = unit.data, a = unit.data] = unit.parts
      return yield* multiplySimd(exports, a, b, rows, k, columns)
    }
  },
  gpu(unit, _variant, grain): GpuProgram {
    const [rows, k, columns] = shapeOf(unit.params)
    return {
      bindings: [
        unit.parts.length > 1 ? { kind: 'part', part: 1 } : { kind: 'data' },
        { kind: 'part', part: 0 },
        { kind: 'uniform' },
        { kind: 'result' }
      ],
      resultSize: rows * columns * 4,
      dispatches: dispatches(rows, k, columns, grain)
    }
  },
  verify(unit, result, random) {
    const [rows, k, columns] = shapeOf(unit.params)
    if (result.byteLength !== rows * columns * 4) {
      return false
    }
    const { a, b } = matricesOf(unit)
    return checkProduct(a, b, wordsOf(result), rows, k, columns, random)
  }
}
