import type { UnitShape } from '../matmul/blocks.ts'
import { padded } from '../matmul/grid.ts'
import { withoutPadding } from '../matmul/rows.ts'
import { layOut, wasmFunction, wasmMemory } from '../wasm.ts'
import { packedSize } from './layout.ts'

/** Steps along K at a time, so that eight columns (8 KiB) stay in a CPU's first cache. */
const STEPS = 256
/** Columns of one panel. */
const PANEL = 8
/** Counted operations between two yields: 1 to 3 ms. */
const SLICE = 32_000_000

/**
 * C = A × B from packed blocks (see `layout.ts`), by `shaders/matmul-f32.as.ts`: float32 sums over blocks of K.
 *
 * @returns row-major float32, rows × columns, as bytes
 */
export function* multiplySimd(
  exports: WebAssembly.Exports,
  { a, b }: { readonly a: Uint8Array; readonly b: Uint8Array },
  { rows, k, columns }: UnitShape
): Generator<number, Uint8Array> {
  const gather = wasmFunction(exports, 'gather')
  const multiply = wasmFunction(exports, 'multiply')
  const height = padded(rows)
  const width = Math.ceil(columns / PANEL) * PANEL
  const block = Math.min(k, STEPS)
  const { offsets, size } = layOut([
    packedSize(rows, k),
    packedSize(columns, k),
    height * block * 4,
    block * PANEL * 4,
    height * width * 4
  ])
  const [fromA = 0, fromB = 0, panelsA = 0, panelB = 0, sums = 0] = offsets
  const memory = wasmMemory(exports, size)
  new Uint8Array(memory, fromA).set(a)
  new Uint8Array(memory, fromB).set(b)
  new Uint8Array(memory, sums, height * width * 4).fill(0)
  const total = k * width
  let done = 0
  let yielded = 0
  for (let first = 0; first < k; first += STEPS) {
    const steps = Math.min(STEPS, k - first)
    for (let row = 0; row < height; row += 4) {
      gather(fromA + (first * height + row) * 4, height * 4, steps, panelsA + row * steps * 4, 16)
    }
    for (let left = 0; left < width; left += PANEL) {
      for (let column = 0; column < PANEL && left + column < columns; column += 4) {
        const from = fromB + (first * padded(columns) + left + column) * 4
        gather(from, padded(columns) * 4, steps, panelB + column * 4, PANEL * 4)
      }
      multiply(panelsA, height / 4, panelB, steps, sums + left * 4, width * 4)
      done += steps * PANEL
      if ((done - yielded) * height * 2 >= SLICE) {
        yielded = done
        yield done / total
      }
    }
  }
  return withoutPadding(new Uint8Array(memory, sums), rows, columns * 4, width * 4)
}
