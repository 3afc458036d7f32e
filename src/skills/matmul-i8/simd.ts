import type { UnitShape } from '../matmul/blocks.ts'
import { padded } from '../matmul/grid.ts'
import { withoutPadding } from '../matmul/rows.ts'
import { layOut, wasmFunction, wasmMemory } from '../wasm.ts'

/** Steps along K at a time, so that eight columns (16 KiB as int16) stay in a CPU's first cache. */
const STEPS = 512
/** Columns of one panel. */
const PANEL = 8
/** Counted operations between two yields: 1 to 3 ms. */
const SLICE = 32_000_000

/**
 * C = A × B from packed blocks (see `layout.ts`), by `shaders/matmul-i8.as.ts`. Exact: a pair of products is at
 * most 2^15 in size, a sum 2^26.
 *
 * @returns row-major int32, rows × columns, as bytes
 */
export function* multiplySimd(
  exports: WebAssembly.Exports,
  { a, b }: { readonly a: Uint8Array; readonly b: Uint8Array },
  { rows, k, columns }: UnitShape
): Generator<number, Uint8Array> {
  const widen = wasmFunction(exports, 'widen')
  const multiply = wasmFunction(exports, 'multiply')
  const depth = padded(k)
  const height = padded(rows)
  const width = Math.ceil(columns / PANEL) * PANEL
  const block = Math.min(depth, STEPS)
  const { offsets, size } = layOut([
    a.length,
    b.length,
    height * block * 2,
    block * PANEL * 2,
    height * width * 4
  ])
  const [fromA = 0, fromB = 0, wideA = 0, wideB = 0, sums = 0] = offsets
  const memory = wasmMemory(exports, size)
  new Uint8Array(memory, fromA).set(a)
  new Uint8Array(memory, fromB).set(b)
  new Uint8Array(memory, sums, height * width * 4).fill(0)
  const total = depth * width
  let done = 0
  let yielded = 0
  for (let first = 0; first < depth; first += STEPS) {
    const steps = Math.min(STEPS, depth - first)
    for (let row = 0; row < height; row += 4) {
      widen(fromA + first * height + row * 4, height * 4, steps / 4, wideA + row * steps * 2, 16)
    }
    for (let left = 0; left < width; left += PANEL) {
      for (let column = 0; column < PANEL && left + column < columns; column += 4) {
        const from = fromB + first * padded(columns) + (left + column) * 4
        widen(from, padded(columns) * 4, steps / 4, wideB + column * 4, PANEL * 4)
      }
      multiply(wideA, height / 4, wideB, steps / 2, sums + left * 4, width * 4)
      done += steps * PANEL
      if ((done - yielded) * height * 2 >= SLICE) {
        yielded = done
        yield done / total
      }
    }
  }
  return withoutPadding(new Uint8Array(memory, sums), rows, columns * 4, width * 4)
}
