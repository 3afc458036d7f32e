import { layOut, wasmFunction, wasmMemory } from '../wasm.ts'
import { depthOf, ENTRY_BYTES, resultSize, SEGMENT, type SearchShape, segmentsOf } from './layout.ts'

/** Database rows of one panel. */
const PANEL = 8
/** Counted operations between two yields: 1 to 3 ms. */
const SLICE = 32_000_000

/**
 * `search` of `cpu.ts` by `shaders/knn-i8.as.ts`. Ranks grow with closeness: x·q, or 2·x·q − |x|², which is
 * |q|² less the squared distance.
 */
export function* searchSimd(
  exports: WebAssembly.Exports,
  database: Uint8Array,
  queries: Uint8Array,
  shape: SearchShape
): Generator<number, Uint8Array> {
  const { rows, top } = shape
  const search = prepare(exports, database, queries, shape, rows, resultSize(shape))
  let operations = 0
  for (let first = 0; first < rows; first += SEGMENT) {
    const count = Math.min(SEGMENT, rows - first)
    for (let row = 0; row < count; row += PANEL) {
      search.rank(first + row, row)
      operations += 2 * PANEL * search.depth * search.lines
      if (operations >= SLICE) {
        operations = 0
        yield Math.min(rows, first + row + PANEL) / rows
      }
    }
    for (let query = 0; query < shape.queries; query++) {
      const to = search.results + (query * segmentsOf(rows) + first / SEGMENT) * top * ENTRY_BYTES
      search.select(query, count, first, to)
    }
  }
  return new Uint8Array(search.memory, search.results, resultSize(shape)).slice()
}

/** For each query the scores of `count` rows that lie one after the other in `rows`. */
export function scoresOfRows(
  exports: WebAssembly.Exports,
  rows: Uint8Array,
  queries: Uint8Array,
  shape: SearchShape,
  count: number
): Int32Array {
  const search = prepare(exports, rows, queries, shape, count, 0)
  const scores = new Int32Array(shape.queries * count)
  for (let first = 0; first < count; first += SEGMENT) {
    const piece = Math.min(SEGMENT, count - first)
    for (let row = 0; row < piece; row += PANEL) {
      search.rank(first + row, row)
    }
    for (let query = 0; query < shape.queries; query++) {
      const ranks = new Int32Array(search.memory, search.ranks + query * SEGMENT * 4, piece)
      const base = search.bases[query] ?? 0
      for (let row = 0; row < piece; row++) {
        const rank = ranks[row] ?? 0
        scores[query * count + first + row] = shape.metric === 'l2' ? base - rank : rank
      }
    }
  }
  return scores
}

/** Rows and queries in memory, with room for the ranks of a segment and `resultBytes`. */
function prepare(
  exports: WebAssembly.Exports,
  database: Uint8Array,
  queries: Uint8Array,
  shape: SearchShape,
  rows: number,
  resultBytes: number
) {
  const { top, metric } = shape
  const depth = depthOf(shape.dims)
  const lines = Math.ceil(shape.queries / 4) * 4
  const stride = SEGMENT * 4
  const { offsets, size } = layOut([
    (rows + PANEL) * depth,
    lines * depth,
    lines * depth * 2,
    PANEL * depth * 2,
    lines * stride,
    resultBytes
  ])
  const [fromRows = 0, fromQueries = 0, panels = 0, panel = 0, ranks = 0, results = 0] = offsets
  const memory = wasmMemory(exports, size)
  new Uint8Array(memory, fromRows).set(database)
  new Uint8Array(memory, fromQueries).set(queries)
  const widen = wasmFunction(exports, 'widen')
  const multiply = wasmFunction(exports, 'multiply')
  const start = wasmFunction(exports, metric === 'l2' ? 'startWithNorms' : 'startWithZeros')
  const select = wasmFunction(exports, 'select')
  const bases = metric === 'l2' ? norms(exports, fromQueries, shape.queries, depth) : []
  for (let line = 0; line < lines; line += 4) {
    widen(fromQueries + line * depth, depth, metric === 'l2' ? 1 : 0, panels + line * depth * 2, 16)
  }
  return {
    memory,
    depth,
    lines,
    ranks,
    results,
    bases,
    /** Ranks of the eight rows from `row` on, to the columns from `column` on. */
    rank(row: number, column: number): void {
      const from = fromRows + row * depth
      const to = ranks + column * 4
      if (metric === 'l2') {
        start(from, depth, to, lines, stride)
      } else {
        start(to, lines, stride)
      }
      widen(from, depth, 0, panel, PANEL * 4)
      widen(from + 4 * depth, depth, 0, panel + 16, PANEL * 4)
      multiply(panels, lines / 4, panel, depth / 2, to, stride)
    },
    /** The best of the first `count` ranks of a query: rows from `first` on. */
    select(query: number, count: number, first: number, to: number): void {
      const sign = metric === 'l2' ? -1 : 1
      select(ranks + query * stride, count, top, first, bases[query] ?? 0, sign, to)
    }
  }
}

/** |q|² of each query. */
function norms(exports: WebAssembly.Exports, from: number, queries: number, depth: number): number[] {
  const dot = wasmFunction(exports, 'dot')
  return Array.from({ length: queries }, (_, query) => {
    const at = from + query * depth
    return dot(at, at, depth) ?? 0
  })
}
