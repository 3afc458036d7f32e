import { SkillError } from '../errors.ts'

/** Rows (of the database, of queries) lie one after the other, each padded with zeros to a multiple of this. */
const ROW_STEP = 16
/** Rows of which a unit reports the best k each: the results of parts of a shard. */
export const SEGMENT = 1024
/** Segments of one shard, and of one unit. */
export const SEGMENTS_MAX = 64
export const DIMS_MAX = 2048
export const ROWS_MAX = 2 ** 20
export const QUERIES_MAX = 4096
export const TOP_MAX = 32
/** An entry of a result: the row's number within the shard (uint32), its score (int32), little-endian. */
export const ENTRY_BYTES = 8
/** The row's number in an entry without a row (score 0): a segment has fewer rows than k. */
export const NOBODY = 0xffff_ffff

export const METRICS = ['dot', 'l2'] as const
/** `dot`: the dot product, largest first. `l2`: the squared distance, smallest first. */
export type Metric = (typeof METRICS)[number]

/** A unit: the best `top` of each segment of a shard for each query. */
export interface SearchShape {
  readonly rows: number
  readonly dims: number
  readonly queries: number
  readonly top: number
  readonly metric: Metric
}

/** Bytes of a row. */
export const depthOf = (dims: number): number => Math.ceil(dims / ROW_STEP) * ROW_STEP

export const segmentsOf = (rows: number): number => Math.ceil(rows / SEGMENT)

export const resultSize = ({ rows, queries, top }: SearchShape): number =>
  queries * segmentsOf(rows) * top * ENTRY_BYTES

/** Counted as all kernels read: dimensions in sixteens, two operations each. */
export const operations = ({ rows, dims, queries }: SearchShape): number => 2 * rows * depthOf(dims) * queries

/** With fewer queries a check reads more than it computes. */
export const QUERIES_MANY = 32
/** Measured: with less in a unit the check costs more than a tenth. */
const OPERATIONS_MANY = 2 ** 28
const PAIRS_MANY = 2 ** 19
const ENTRIES_MANY = 2 ** 20

/** True if a check of a unit of this shape as strict as others' would cost more than a tenth of computing it. */
export function isSmall(shape: SearchShape): boolean {
  const pairs = shape.rows * shape.queries
  return (
    shape.queries < QUERIES_MANY ||
    operations(shape) < OPERATIONS_MANY ||
    pairs < PAIRS_MANY ||
    pairs * shape.top < ENTRIES_MANY
  )
}

/** Rows [first, first + count) of row-major `values`, padded. */
export function packRows(values: Int8Array, dims: number, first: number, count: number): Uint8Array {
  const depth = depthOf(dims)
  const packed = new Int8Array(count * depth)
  for (let row = 0; row < count; row++) {
    packed.set(values.subarray((first + row) * dims, (first + row + 1) * dims), row * depth)
  }
  return new Uint8Array(packed.buffer)
}

/** The signed view of bytes. */
export const signedBytes = (bytes: Uint8Array): Int8Array =>
  new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)

export const isCount = (value: unknown, most: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most

/**
 * `params`: rows, dims, queries, top, metric (0: dot, 1: l2).
 *
 * @throws SkillError `BAD_UNIT`
 */
export function shapeOf(params: readonly number[]): SearchShape {
  const [rows, dims, queries, top, code = -1] = params
  const metric = METRICS[code]
  if (
    params.length !== 5 ||
    metric === undefined ||
    !isCount(rows, SEGMENT * SEGMENTS_MAX) ||
    !isCount(dims, DIMS_MAX) ||
    !isCount(queries, QUERIES_MAX) ||
    !isCount(top, TOP_MAX)
  ) {
    const ranges = `rows 1–${SEGMENT * SEGMENTS_MAX}, dims 1–${DIMS_MAX}, queries 1–${QUERIES_MAX}, top 1–${TOP_MAX}, metric 0–1`
    throw new SkillError('BAD_UNIT', `A unit needs five whole numbers: ${ranges}.`)
  }
  return { rows, dims, queries, top, metric }
}

export const paramsOf = ({ rows, dims, queries, top, metric }: SearchShape): number[] => [
  rows,
  dims,
  queries,
  top,
  METRICS.indexOf(metric)
]
