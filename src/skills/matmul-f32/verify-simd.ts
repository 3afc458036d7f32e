import type { UnitShape } from '../matmul/blocks.ts'
import { padded } from '../matmul/grid.ts'
import { setWithPadding } from '../matmul/rows.ts'
import { layOut, wasmFunction, wasmMemory } from '../wasm.ts'
import { packedSize } from './layout.ts'
import { agrees, CHANNELS, drawSigns } from './verify.ts'

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
    r.byteLength,
    k * line,
    rows * line,
    height * line
  ])
  const [fromA = 0, fromB = 0, fromC = 0, signs = 0, x = 0, ofC = 0, ofRows = 0] = offsets
  const memory = wasmMemory(exports, size)
  new Uint8Array(memory, fromA).set(a)
  new Uint8Array(memory, fromB).set(b)
  setWithPadding(new Uint8Array(memory, fromC), result, rows, columns * 4, width * 4)
  new Float64Array(memory, signs).set(r)
  const running = new Float64Array(memory, ofRows, height * CHANNELS)
  running.fill(0)
  const signedSums = wasmFunction(exports, 'signedSums')
  const rowSums = wasmFunction(exports, 'rowSums')
  signedSums(fromB, width, k, signs, x)
  signedSums(fromC, width, rows, signs, ofC)
  return agrees(shape, {
    ofResult: new Float64Array(memory, ofC, rows * CHANNELS),
    addSteps(first, steps) {
      rowSums(fromA + first * height * 4, height * 4, height, steps, x + first * line, ofRows)
      return running
    }
  })
}
