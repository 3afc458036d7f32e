import { layOut, wasmFunction, wasmMemory } from '../wasm.ts'
import { depthOf, ENTRY_BYTES, SEGMENT, type SearchShape, segmentsOf } from './layout.ts'
import { scoresOfRows } from './simd.ts'
import type { Lists, Scores } from './verify.ts'

/** What the check needs, by `shaders/knn-i8.as.ts`. */
export function scoresSimd(
  exports: WebAssembly.Exports,
  database: Uint8Array,
  queries: Uint8Array,
  shape: SearchShape
): Scores {
  const { rows, top } = shape
  const depth = depthOf(shape.dims)
  const segments = segmentsOf(rows)
  return {
    listsAreRight(lists) {
      // a segment at a time, so that its rows are still in a CPU's second cache when they are read
      const { offsets, size } = layOut([SEGMENT * depth, queries.length, lists.byteLength])
      const [fromRows = 0, fromQueries = 0, fromLists = 0] = offsets
      const memory = wasmMemory(exports, size)
      const room = new Uint8Array(memory, fromRows, SEGMENT * depth)
      new Uint8Array(memory, fromQueries).set(queries)
      new Int32Array(memory, fromLists, lists.length).set(lists)
      const check = wasmFunction(exports, 'checkLists')
      const isDistance = shape.metric === 'l2' ? 1 : 0
      for (let first = 0; first < rows; first += SEGMENT) {
        const count = Math.min(SEGMENT, rows - first)
        const list = fromLists + (first / SEGMENT) * top * ENTRY_BYTES
        const stride = segments * top * ENTRY_BYTES
        if (shape.queries * top < count / 2) {
          for (const row of rowsOf(lists, (first / SEGMENT) * top, segments * top, top)) {
            if (row >= first && row < first + count) {
              room.set(database.subarray(row * depth, (row + 1) * depth), (row - first) * depth)
            }
          }
        } else {
          room.set(database.subarray(first * depth, (first + count) * depth))
        }
        const isRight = check(
          list,
          stride,
          top,
          shape.queries,
          fromRows,
          first,
          count,
          fromQueries,
          depth,
          isDistance
        )
        if (isRight !== 1) {
          return false
        }
      }
      return true
    },
    ofRows(sample) {
      if (sample.length === rows) {
        return scoresOfRows(exports, database, queries, shape, sample.length)
      }
      const gathered = new Uint8Array(sample.length * depth)
      for (const [at, row] of sample.entries()) {
        gathered.set(database.subarray(row * depth, (row + 1) * depth), at * depth)
      }
      return scoresOfRows(exports, gathered, queries, shape, sample.length)
    }
  }
}

/** The rows that the lists of one segment name: `top` entries from `begin` on, of each query, `stride` entries apart. */
function* rowsOf(lists: Lists, begin: number, stride: number, top: number): Generator<number> {
  for (let list = begin; list * 2 < lists.length; list += stride) {
    for (let entry = list; entry < list + top; entry++) {
      yield (lists[entry * 2] ?? 0) >>> 0
    }
  }
}
