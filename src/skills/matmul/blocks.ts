import * as z from 'zod/mini'
import { type MicroCredits, OPERATIONS_PER_MICROCREDIT, UNIT_BYTES_MAX } from '../../wire/index.ts'
import { SkillError } from '../errors.ts'
import type { Assembler, GpuBinding, Plan, PlanOptions, UnitInput, UnitSpec } from '../skill.ts'
import { weakIf } from '../weak.ts'
import { type Block, chooseGrid, cut, isSide, resultFits, SIDE_MAX } from './grid.ts'

/** C = A × B. `a` is m × k, `b` is k × n, both row-major. */
export interface ProductInput<Matrix> {
  readonly a: Matrix
  readonly b: Matrix
  readonly m: number
  readonly k: number
  readonly n: number
}

/** `c` is m × n, row-major. */
export interface ProductOutput<Result> {
  readonly c: Result
  readonly m: number
  readonly n: number
}

/** What differs between the number types. */
export interface Elements<Matrix, Result> {
  readonly matrix: z.ZodMiniType<Matrix>
  /** Counted operations. */
  operations(rows: number, k: number, columns: number): number
  /** A check takes more than a tenth of computing a unit of this shape. */
  isSmall(shape: UnitShape): boolean
  /** Bytes of a packed block of `lines` rows (or columns) of length `k`. */
  packedSize(lines: number, k: number): number
  /** Packs rows [first, first + lines) of row-major A (… × k). */
  packRows(a: Matrix, k: number, first: number, lines: number): Uint8Array
  /** Packs columns [first, first + lines) of row-major B (k × n). */
  packColumns(b: Matrix, k: number, n: number, first: number, lines: number): Uint8Array
  /** A result as numbers: bytes at a multiple of 4 of their buffer. */
  view(bytes: Uint8Array): Result
  create(length: number): Result
}

/** A unit's own part of the product. */
export interface UnitShape {
  readonly rows: number
  readonly k: number
  readonly columns: number
}

type TypedArray = Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer>

/** What a product in a pipeline is made of, too. */
export interface ChainParts<Matrix, Result> {
  readonly elements: Elements<Matrix, Result>
  /** @throws SkillError `BAD_INPUT` */
  parse(raw: unknown): ProductInput<Matrix>
  unitCost(rows: number, k: number, columns: number): MicroCredits
  assemble(m: number, n: number, blocks: readonly Block[]): Assembler<ProductOutput<Result>>
}

/** Schema, plan and checks of strangers' units for products of any type of number. */
export function blockProduct<Matrix extends { readonly length: number }, Result extends TypedArray>(
  elements: Elements<Matrix, Result>
) {
  const { matrix } = elements
  const input = z.strictObject({ a: matrix, b: matrix, m: side, k: side, n: side }).check(
    z.refine(({ a, m, k }) => a.length === m * k, { path: ['a'], message: 'must have m · k elements' }),
    z.refine(({ b, k, n }) => b.length === k * n, { path: ['b'], message: 'must have k · n elements' })
  )

  /**
   * 2 · rows · k · columns operations (see `operations`), rounded up to a whole µcr for each unit. A job's price
   * is the sum over its units.
   */
  function unitCost(rows: number, k: number, columns: number): MicroCredits {
    return BigInt(Math.ceil(elements.operations(rows, k, columns) / OPERATIONS_PER_MICROCREDIT))
  }

  function checkUnit(unit: { params: readonly number[]; dataSize: number; partSizes: readonly number[] }) {
    const { rows, k, columns } = shapeOf(unit.params)
    if (!resultFits(rows, columns)) {
      const message = `A unit of ${rows} × ${columns} results exceeds 4 MiB: send smaller ones.`
      throw new SkillError('BAD_UNIT', message)
    }
    const [columnBytes, rowBytes = unit.dataSize] = unit.partSizes
    const sizesFit =
      columnBytes === elements.packedSize(columns, k) && rowBytes === elements.packedSize(rows, k)
    const nothingElse = unit.partSizes.length === 1 || (unit.partSizes.length === 2 && unit.dataSize === 0)
    if (!sizesFit || !nothingElse) {
      throw new SkillError('BAD_UNIT', 'The sizes of data and parts do not fit rows, k and columns.')
    }
    return { resultSize: rows * columns * 4, cost: unitCost(rows, k, columns) }
  }

  function parse(raw: unknown): ProductInput<Matrix> {
    const parsed = input.safeParse(raw)
    if (!parsed.success) {
      const [issue] = parsed.error.issues
      throw new SkillError('BAD_INPUT', `${issue?.path.join('.') || 'input'}: ${issue?.message}.`)
    }
    return parsed.data
  }

  function plan(raw: ProductInput<Matrix>, options: PlanOptions = {}): Plan<ProductOutput<Result>> {
    const { a, b, m, k, n } = parse(raw)
    const { units: wanted } = options
    if (wanted !== undefined && (!Number.isInteger(wanted) || wanted < 1)) {
      throw new SkillError('BAD_INPUT', 'units: must be a whole number of at least 1.')
    }
    const grid = chooseGrid(m, n, elements.operations(m, k, n), wanted)
    const across = cut(n, grid.across)
    const parts = across.map(([left, end]) => elements.packColumns(b, k, n, left, end - left))
    const units: UnitSpec[] = []
    const blocks: Block[] = []
    for (const [top, bottom] of cut(m, grid.down)) {
      const rows = bottom - top
      const packed = elements.packRows(a, k, top, rows)
      // a block's own rows travel with the unit; rows that several units share are a part
      const own = grid.across === 1 && packed.byteLength <= UNIT_BYTES_MAX
      if (!own) {
        parts.push(packed)
      }
      for (const [part, [left, end]] of across.entries()) {
        const columns = end - left
        const place = { top, left, rows, columns }
        units.push({
          params: [rows, k, columns],
          parts: own ? [part] : [part, parts.length - 1],
          data: own ? packed : new Uint8Array(0),
          cost: unitCost(rows, k, columns),
          place,
          ...weakIf(elements.isSmall({ rows, k, columns }))
        })
        blocks.push(place)
      }
    }
    return { parts, units, assembler: () => assemble(m, n, blocks) }
  }

  function assemble(m: number, n: number, blocks: readonly Block[]): Assembler<ProductOutput<Result>> {
    const c = elements.create(m * n)
    const missing = new Set(blocks.keys())
    return {
      accept(unit, result) {
        const block = blocks[unit]
        const size = block && block.rows * block.columns * 4
        if (block === undefined || !missing.has(unit) || result.byteLength !== size) {
          throw new SkillError(
            'BAD_RESULT',
            `This is no result that unit ${unit} of the plan still waits for.`
          )
        }
        const values = elements.view(aligned(result))
        for (let row = 0; row < block.rows; row++) {
          const from = row * block.columns
          c.set(values.subarray(from, from + block.columns), (block.top + row) * n + block.left)
        }
        missing.delete(unit)
      },
      soFar: () => ({ c, m, n }),
      finish() {
        if (missing.size > 0) {
          throw new SkillError('INCOMPLETE', `${missing.size} of ${blocks.length} units are missing.`)
        }
        return { c, m, n }
      }
    }
  }

  const parts: ChainParts<Matrix, Result> = { elements, parse, unitCost, assemble }
  return { skill: { input, checkUnit, plan }, parts }
}

const side = z
  .int(`must be a whole number from 1 to ${SIDE_MAX}`)
  .check(z.gte(1, 'must be at least 1'), z.lte(SIDE_MAX, `must be at most ${SIDE_MAX}`))

/**
 * `params`: rows, k, columns.
 *
 * @throws SkillError `BAD_UNIT`
 */
export function shapeOf(params: readonly number[]): UnitShape {
  const [rows, k, columns] = params
  if (params.length !== 3 || !isSide(rows) || !isSide(k) || !isSide(columns)) {
    throw new SkillError('BAD_UNIT', `A unit needs three sizes from 1 to ${SIDE_MAX}: rows, k, columns.`)
  }
  return { rows, k, columns }
}

/**
 * `parts`: the columns of B, then the rows of A unless they are the unit's data.
 *
 * @throws SkillError `BAD_UNIT`
 */
export function matricesOf(unit: UnitInput): { a: Uint8Array; b: Uint8Array } {
  const [columns, rows = unit.data] = unit.parts
  if (columns === undefined) {
    throw new SkillError('BAD_UNIT', 'A unit needs the columns of B as its first part.')
  }
  return { a: rows, b: columns }
}

/** Rows of A, columns of B, shape, C. */
export const bindingsOf = (unit: UnitInput): readonly GpuBinding[] => [
  unit.parts.length > 1 ? { kind: 'part', part: 1 } : { kind: 'data' },
  { kind: 'part', part: 0 },
  { kind: 'uniform' },
  { kind: 'result' }
]

/** Bytes off the wire may lie at any offset; an array of words may not. */
export const aligned = (bytes: Uint8Array): Uint8Array => (bytes.byteOffset % 4 === 0 ? bytes : bytes.slice())
