import { layOut, wasmFunction, wasmMemory } from '../wasm.ts'
import { depthOf, type SearchShape } from './layout.ts'
import { scoresOfRows } from './simd.ts'
import type { Scores } from './verify.ts'

/** The scores that the check asks for, by `shaders/knn-i8.as.ts`. */
export function scoresSimd(
  exports: WebAssembly.Exports,
  database: Uint8Array,
  queries: Uint8Array,
  shape: SearchShape
): Scores {
  const depth = depthOf(shape.dims)
  return {
    ofPairs(pairs) {
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
      wasmFunction(exports, shape.metric === 'l2' ? 'distances' : 'dots')(fromPairs, count, depth, to)
      return new Int32Array(memory, to, count)
    },
    ofRows(rows) {
      if (rows.length === shape.rows) {
        return scoresOfRows(exports, database, queries, shape, rows.length)
      }
      const gathered = new Uint8Array(rows.length * depth)
      for (const [at, row] of rows.entries()) {
        gathered.set(database.subarray(row * depth, (row + 1) * depth), at * depth)
      }
      return scoresOfRows(exports, gathered, queries, shape, rows.length)
    }
  }
}
