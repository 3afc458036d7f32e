import { depthOf, ENTRY_BYTES, type Metric, NOBODY, resultSize, SEGMENT, type SearchShape } from './layout.ts'
import { TopList } from './top-list.ts'

/** Counted operations between two yields: 2 to 8 ms. */
const SLICE = 8_000_000

/** The score of a database row and a query, each `depth` numbers long. */
export function scoreOf(
  metric: Metric,
  database: Int8Array,
  row: number,
  queries: Int8Array,
  query: number,
  depth: number
): number {
  let sum = 0
  for (let at = 0; at < depth; at++) {
    const x = database[row * depth + at] ?? 0
    const y = queries[query * depth + at] ?? 0
    sum += metric === 'dot' ? x * y : (x - y) * (x - y)
  }
  return sum
}

/**
 * The best rows of each segment for each query.
 *
 * @returns entries of `layout.ts`: query by query, segment by segment, best first
 */
export function* search(
  database: Int8Array,
  queries: Int8Array,
  shape: SearchShape
): Generator<number, Uint8Array> {
  const { rows, dims, top, metric } = shape
  const depth = depthOf(dims)
  const result = new Uint8Array(resultSize(shape))
  const entries = new DataView(result.buffer)
  let at = 0
  let operations = 0
  for (let query = 0; query < shape.queries; query++) {
    for (let first = 0; first < rows; first += SEGMENT) {
      const end = Math.min(rows, first + SEGMENT)
      const best = new TopList(top, metric)
      for (let row = first; row < end; row++) {
        best.offer(row, scoreOf(metric, database, row, queries, query, depth))
      }
      for (let place = 0; place < top; place++) {
        entries.setUint32(at, best.ids[place] ?? NOBODY, true)
        entries.setInt32(at + 4, best.scores[place] ?? 0, true)
        at += ENTRY_BYTES
      }
      operations += 2 * (end - first) * depth
      if (operations >= SLICE) {
        operations = 0
        yield at / result.length
      }
    }
  }
  return result
}
