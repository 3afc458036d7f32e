import { layOut, wasmFunction, wasmMemory } from '../wasm.ts'
import { depthOf, resultSize, SEGMENT, type SearchShape, segmentsOf } from './layout.ts'
import type { Pairs } from './verify.ts'

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
  const { rows, top, metric } = shape
  const depth = depthOf(shape.dims)
  const lines = Math.ceil(shape.queries / 4) * 4
  const stride = SEGMENT * 4
  const { offsets, size } = layOut([
    (rows + PANEL) * depth,
    lines * depth,
    lines * depth * 2,
    PANEL * depth * 2,
    lines * stride,
    resultSize(shape)
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
  let operations = 0
  for (let first = 0; first < rows; first += SEGMENT) {
    const count = Math.min(SEGMENT, rows - first)
    for (let row = 0; row < count; row += PANEL) {
      const from = fromRows + (first + row) * depth
      const to = ranks + row * 4
      if (metric === 'l2') {
        start(from, depth, to, lines, stride)
      } else {
        start(to, lines, stride)
      }
      widen(from, depth, 0, panel, PANEL * 4)
      widen(from + 4 * depth, depth, 0, panel + 16, PANEL * 4)
      multiply(panels, lines / 4, panel, depth / 2, to, stride)
      operations += 2 * PANEL * depth * lines
      if (operations >= SLICE) {
        operations = 0
        yield Math.min(rows, first + row + PANEL) / rows
      }
    }
    for (let query = 0; query < shape.queries; query++) {
      const to = results + (query * segmentsOf(rows) + first / SEGMENT) * top * 8
      const sign = metric === 'l2' ? -1 : 1
      select(ranks + query * stride, count, top, first, bases[query] ?? 0, sign, to)
    }
  }
  return new Uint8Array(memory, results, resultSize(shape)).slice()
}

/** |q|² of each query. */
function norms(exports: WebAssembly.Exports, from: number, queries: number, depth: number): number[] {
  const dot = wasmFunction(exports, 'dot')
  return Array.from({ length: queries }, (_, query) => {
    const at = from + query * depth
    return dot(at, at, depth) ?? 0
  })
}

/** The scores of pairs. */
export function scoresSimd(
  exports: WebAssembly.Exports,
  database: Uint8Array,
  queries: Uint8Array,
  { dims, metric }: SearchShape,
  pairs: Pairs
): Int32Array {
  const depth = depthOf(dims)
  const count = pairs.length / 2
  const { offsets, size } = layOut([database.length, queries.length, pairs.byteLength, count * 4])
  const [fromRows = 0, fromQueries = 0, fromPairs = 0, to = 0] = offsets
  const memory = wasmMemory(exports, size)
  new Uint8Array(memory, fromRows).set(database)
  new Uint8Array(memory, fromQueries).set(queries)
  const places = new Uint32Array(memory, fromPairs, pairs.length)
  for (let at = 0; at < pairs.length; at += 2) {
    places[at] = fromRows + (pairs[at] ?? 0) * depth
    places[at + 1] = fromQueries + (pairs[at + 1] ?? 0) * depth
  }
  wasmFunction(exports, metric === 'l2' ? 'distances' : 'dots')(fromPairs, count, depth, to)
  return new Int32Array(memory, to, count)
}
