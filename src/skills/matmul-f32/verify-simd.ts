import type { UnitShape } from '../matmul/blocks.ts'
import { padded } from '../matmul/grid.ts'
import { setWithPadding } from '../matmul/rows.ts'
import { layOut, wasmFunction, wasmMemory } from '../wasm.ts'
import { agrees, CHANNELS, drawBits, RUNNING, VECTORS } from './verify.ts'

/**
 * Columns, and steps, that are summed in float32 before float64 takes over. Sums over n values are off by about
 * .2 · √n times the size that the model's 2 (or, for steps, √K) stands for: four lanes halve that for columns.
 */
const BLOCK_COLUMNS = 64
const BLOCK_STEPS = 64
/** Bytes of a step of B·r: nine float32 and a float64. */
const NARROW = 48
const SIGN_BIT = 2 ** 31

/** Bytes that are copied at a time, so that they are still in a CPU's second cache when they are read. */
const CHUNK = 2 ** 17

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
  const { offsets, size } = layOut([
    CHUNK,
    VECTORS * width * 4,
    k * CHANNELS * 8,
    k * NARROW,
    rows * CHANNELS * 8,
    height * RUNNING * 8
  ])
  const [chunk = 0, signs = 0, wide = 0, x = 0, ofC = 0, ofRows = 0] = offsets
  const memory = wasmMemory(exports, size)
  const room = new Uint8Array(memory, chunk, CHUNK)
  writeSigns(new Uint32Array(memory, signs, VECTORS * width), width, random)
  const signedSums = wasmFunction(exports, 'signedSums')
  const rowSums = wasmFunction(exports, 'rowSums')
  for (const [first, lines] of pieces(0, k, width * 4)) {
    room.set(b.subarray(first * width * 4, (first + lines) * width * 4))
    signedSums(chunk, width, lines, signs, BLOCK_COLUMNS, wide + first * CHANNELS * 8)
  }
  for (const [first, lines] of pieces(0, rows, width * 4)) {
    setWithPadding(room, result.subarray(first * columns * 4), lines, columns * 4, width * 4)
    signedSums(chunk, width, lines, signs, BLOCK_COLUMNS, ofC + first * CHANNELS * 8)
  }
  const scale = wasmFunction(exports, 'narrow')(wide, k, x) ?? 0
  const running = new Float64Array(memory, ofRows, height * RUNNING)
  running.fill(0)
  return agrees(shape, {
    ofResult: new Float64Array(memory, ofC, rows * CHANNELS),
    addSteps(from, count) {
      for (const [first, steps] of pieces(from, count, height * 4)) {
        room.set(a.subarray(first * height * 4, (first + steps) * height * 4))
        rowSums(chunk, height * 4, height, steps, x + first * NARROW, scale, BLOCK_STEPS, ofRows)
      }
      return running
    }
  })
}

/** Lines [from, from + count) in pieces [first, lines] of at most `CHUNK` bytes. */
function pieces(from: number, count: number, lineBytes: number): Array<readonly [number, number]> {
  const most = Math.floor(CHUNK / lineBytes)
  return Array.from({ length: Math.ceil(count / most) }, (_, index) => {
    const first = index * most
    return [from + first, Math.min(most, count - first)] as const
  })
}

/** The signs of `drawSigns` as sign bits: for each four columns those of the first vector, then of the second, … */
function writeSigns(signs: Uint32Array, columns: number, random: () => number): void {
  for (let column = 0; column < columns; column++) {
    const bits = drawBits(random)
    const at = (column >> 2) * VECTORS * 4 + (column & 3)
    for (let vector = 0; vector < VECTORS; vector++) {
      signs[at + vector * 4] = (bits >> vector) & 1 ? 0 : SIGN_BIT
    }
  }
}
