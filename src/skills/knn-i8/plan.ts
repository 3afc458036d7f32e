import * as z from 'zod/mini'
import { type MicroCredits, OPERATIONS_PER_MICROCREDIT, UNIT_BYTES_MAX } from '../../wire/index.ts'
import { SkillError } from '../errors.ts'
import type { Assembler, Plan, PlanOptions, UnitSpec } from '../skill.ts'
import { weakIf } from '../weak.ts'
import {
  DIMS_MAX,
  depthOf,
  ENTRY_BYTES,
  isSmall,
  METRICS,
  type Metric,
  NOBODY,
  operations,
  packRows,
  paramsOf,
  QUERIES_MAX,
  ROWS_MAX,
  resultSize,
  SEGMENT,
  SEGMENTS_MAX,
  type SearchShape,
  TOP_MAX
} from './layout.ts'
import { TopList } from './top-list.ts'

/** The `top` nearest rows of `database` for each of `queries`: both row-major, `dims` numbers a row. */
export interface KnnInput {
  readonly database: Int8Array
  readonly queries: Int8Array
  readonly dims: number
  readonly top: number
  readonly metric: Metric
}

/** `top` a query, best first; of equal scores the lower row first. */
export interface KnnOutput {
  /** Numbers of rows, from 0. */
  readonly ids: Uint32Array<ArrayBuffer>
  /** Dot products or squared distances, exact. */
  readonly scores: Int32Array<ArrayBuffer>
  readonly top: number
}

/**
 * Bytes of a shard, at most. It depends on the database alone, so that another job on the same database finds
 * its shards at the providers.
 */
const SHARD_BYTES = 2 ** 21
/** All shards together: what a session may bring. */
const DATABASE_BYTES_MAX = 2 ** 27
/** Counted operations of a unit by default: .3 s at 1.8 GOP/s. */
const UNIT_OPERATIONS = 2 ** 29

const int8s = z.custom<Int8Array>((value) => value instanceof Int8Array, 'must be an Int8Array')
const whole = (most: number) =>
  z
    .int(`must be a whole number from 1 to ${most}`)
    .check(z.gte(1, 'must be at least 1'), z.lte(most, `must be at most ${most}`))
const holds = ({ length }: Int8Array, dims: number, most: number) =>
  length > 0 && length % dims === 0 && length / dims <= most

export const input = z
  .strictObject({
    database: int8s,
    queries: int8s,
    dims: whole(DIMS_MAX),
    top: whole(TOP_MAX),
    metric: z.enum(METRICS, "must be 'dot' or 'l2'")
  })
  .check(
    z.refine(({ database, dims }) => holds(database, dims, ROWS_MAX), {
      path: ['database'],
      message: `must hold 1 to ${ROWS_MAX} rows of dims numbers`
    }),
    z.refine(({ database, dims }) => (database.length / dims) * depthOf(dims) <= DATABASE_BYTES_MAX, {
      path: ['database'],
      message: `must take at most ${DATABASE_BYTES_MAX} bytes with rows padded to a multiple of 16`
    }),
    z.refine(({ queries, dims }) => holds(queries, dims, QUERIES_MAX), {
      path: ['queries'],
      message: `must hold 1 to ${QUERIES_MAX} rows of dims numbers`
    }),
    z.refine(({ database, dims, top }) => top <= database.length / dims, {
      path: ['top'],
      message: 'must be at most the rows of the database'
    })
  )

/** The operations of `layout.ts`, rounded up to a whole µcr for each unit. */
export const unitCost = (shape: SearchShape): MicroCredits =>
  BigInt(Math.ceil(operations(shape) / OPERATIONS_PER_MICROCREDIT))

/** Where the rows and the queries of a unit begin. */
export interface Place {
  readonly firstRow: number
  readonly firstQuery: number
  readonly shape: SearchShape
}

/** @throws SkillError `BAD_INPUT` */
export function parse(raw: unknown): KnnInput {
  const parsed = input.safeParse(raw)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new SkillError('BAD_INPUT', `${issue?.path.join('.') || 'input'}: ${issue?.message}.`)
  }
  return parsed.data
}

export function plan(raw: KnnInput, { units: wanted }: PlanOptions = {}): Plan<KnnOutput> {
  const { database, queries, dims, top, metric } = parse(raw)
  if (wanted !== undefined && (!Number.isInteger(wanted) || wanted < 1)) {
    throw new SkillError('BAD_INPUT', 'units: must be a whole number of at least 1.')
  }
  const shards = ranges(database.length / dims, shardRows(dims))
  const [[, firstEnd] = [0, 1]] = shards
  const full = { rows: firstEnd, dims, queries: queries.length / dims, top, metric }
  const blocks = ranges(full.queries, blockQueries(full, shards.length, wanted))
  const parts = shards.map(([first, end]) => packRows(database, dims, first, end - first))
  const packed = blocks.map(([first, end]) => packRows(queries, dims, first, end - first))
  const units: UnitSpec[] = []
  const places: Place[] = []
  for (const [part, [firstRow, endRow]] of shards.entries()) {
    for (const [block, [firstQuery, endQuery]] of blocks.entries()) {
      const shape = { ...full, rows: endRow - firstRow, queries: endQuery - firstQuery }
      const data = packed[block] ?? new Uint8Array(0)
      units.push({
        params: paramsOf(shape),
        parts: [part],
        data,
        cost: unitCost(shape),
        place: { firstRow, rows: shape.rows, firstQuery, queries: shape.queries },
        ...weakIf(isSmall(shape))
      })
      places.push({ firstRow, firstQuery, shape })
    }
  }
  return { parts, units, assembler: () => assemble(full, places) }
}

/** By whole segments. */
export function shardRows(dims: number): number {
  const segments = Math.floor(SHARD_BYTES / depthOf(dims) / SEGMENT)
  return Math.min(SEGMENTS_MAX, Math.max(1, segments)) * SEGMENT
}

/** How many queries a unit takes, so that it counts what it should and its bytes fit. */
function blockQueries(full: SearchShape, shards: number, wanted: number | undefined): number {
  const one = { ...full, queries: 1 }
  const bySize = Math.floor(UNIT_BYTES_MAX / Math.max(resultSize(one), depthOf(full.dims)))
  const byWork =
    wanted === undefined
      ? Math.round(UNIT_OPERATIONS / operations(one))
      : Math.ceil(full.queries / Math.max(1, Math.round(wanted / shards)))
  const most = Math.max(1, Math.min(bySize, byWork))
  return Math.ceil(full.queries / Math.ceil(full.queries / most)) // blocks of one size
}

/** [0, total) in pieces of `size`; the last may be smaller. */
export function ranges(total: number, size: number): Array<readonly [number, number]> {
  return Array.from({ length: Math.ceil(total / size) }, (_, index) => [
    index * size,
    Math.min(total, (index + 1) * size)
  ])
}

export function assemble(
  { queries, top, metric }: SearchShape,
  places: readonly Place[]
): Assembler<KnnOutput> {
  const lists = Array.from({ length: queries }, () => new TopList(top, metric))
  const missing = new Set(places.keys())
  return {
    accept(unit, result) {
      const place = places[unit]
      if (place === undefined || !missing.has(unit) || result.byteLength !== resultSize(place.shape)) {
        throw new SkillError('BAD_RESULT', `This is no result that unit ${unit} of the plan still waits for.`)
      }
      const view = new DataView(result.buffer, result.byteOffset, result.byteLength)
      const aQuery = result.byteLength / place.shape.queries
      for (let at = 0; at < result.byteLength; at += ENTRY_BYTES) {
        const id = view.getUint32(at, true)
        const list = lists[place.firstQuery + Math.floor(at / aQuery)]
        if (id !== NOBODY) {
          list?.offer(place.firstRow + id, view.getInt32(at + 4, true))
        }
      }
      missing.delete(unit)
    },
    finish() {
      if (missing.size > 0) {
        throw new SkillError('INCOMPLETE', `${missing.size} of ${places.length} units are missing.`)
      }
      const ids = Uint32Array.from(lists.flatMap((list) => list.ids))
      return { ids, scores: Int32Array.from(lists.flatMap((list) => list.scores)), top }
    }
  }
}
