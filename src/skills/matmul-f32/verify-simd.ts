import type { UnitShape } from '../matmul/blocks.ts'
import { padded } from '../matmul/grid.ts'
import { setWithPadding } from '../matmul/rows.ts'
import { layOut, wasmFunction, wasmMemory } from '../wasm.ts'
import { packedSize } from './layout.ts'
import { agrees, CHANNELS, drawSigns, VECTORS } from './verify.ts'

/** Columns, and steps, that are summed in float32 before float64 takes over: its error is far below the model's. */
const BLOCK_COLUMNS = 32
const BLOCK_STEPS = 16
/** Bytes of a step of B·r: eight float32 and a float64. */
const NARROW = 40

/** `checkProduct` (see there) by `shaders/matmul-f32.as.ts`. */
export function checkProductSimd(
  exports: WebAssembly.Exports,
  { a, b }: { readonly a: Uint8Array; readonly b: Uint8Array },
  result: Uint8Array,
  shape: UnitShape,
  random: () => number
): boolean {
  const { rows, k, columns } = shape
  if (result.byteLength !== rows * columns * 4) {
    return false
  }
  const height = padded(rows)
  const width = padded(columns)
  const r = drawSigns(columns, random)
  const line = CHANNELS * 8
  const { offsets, size } = layOut([
    packedSize(rows, k),
    packedSize(columns, k),
    rows * width * 4,
    r.length * 4,
    k * line,
    k * NARROW,
    rows * line,
    height * line
  ])
  const [fromA = 0, fromB = 0, fromC = 0, signs = 0, wide = 0, x = 0, ofC = 0, ofRows = 0] = offsets
  const memory = wasmMemory(exports, size)
  new Uint8Array(memory, fromA).set(a)
  new Uint8Array(memory, fromB).set(b)
  setWithPadding(new Uint8Array(memory, fromC), result, rows, columns * 4, width * 4)
  new Float32Array(memory, signs).set(interleaved(r, width))
  const running = new Float64Array(memory, ofRows, height * CHANNELS)
  running.fill(0)
  const signedSums = wasmFunction(exports, 'signedSums')
  const rowSums = wasmFunction(exports, 'rowSums')
  signedSums(fromB, width, k, signs, BLOCK_COLUMNS, wide)
  signedSums(fromC, width, rows, signs, BLOCK_COLUMNS, ofC)
  wasmFunction(exports, 'narrow')(wide, k, x)
  return agrees(shape, {
    ofResult: new Float64Array(memory, ofC, rows * CHANNELS),
    addSteps(first, steps) {
      const from = fromA + first * height * 4
      rowSums(from, height * 4, height, steps, x + first * NARROW, BLOCK_STEPS, ofRows)
      return running
    }
  })
}

/** Vector after vector to four columns of each vector in turn. */
function interleaved(r: Float64Array, columns: number): Float32Array {
  const signs = new Float32Array(r.length)
  for (let at = 0; at < r.length; at++) {
    const vector = Math.floor(at / columns)
    const column = at % columns
    signs[((column >> 2) * VECTORS + vector) * 4 + (column & 3)] = r[at] ?? 0
  }
  return signs
}
