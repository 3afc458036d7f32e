import { layOut, wasmFunction, wasmMemory } from '../wasm.ts'
import type { View } from './view.ts'

/** Words of 64 bits that the module keeps a number in, and how many numbers it needs. */
const SLOT_WORDS = 9
const SLOTS = 13
/** Iterations, times words squared, between two yields: a few milliseconds. */
const SLICE = 800_000

/** As `escapeTimes`, by `shaders/mandelbrot.as.ts`. */
export function* escapeTimesFast(exports: WebAssembly.Exports, view: View): Generator<number, Uint8Array> {
  const { words, columns, rows, iterations } = view
  const pixels = columns * rows
  const run = wasmFunction(exports, 'escapeTimes')
  const { memory, numbers, counts } = layOutView(exports, view, pixels)
  const budget = Math.ceil(SLICE / (words + 1) ** 2)
  for (let next = 0; next < pixels; ) {
    next = run(numbers, words, columns, rows, iterations, counts, next, budget) ?? pixels
    yield next / pixels
  }
  return new Uint8Array(memory, counts, pixels * 4).slice()
}

/** One pixel at a time, for the check. */
export function pixelCounter(exports: WebAssembly.Exports, view: View): (at: number) => number {
  const { words, columns, rows, iterations } = view
  const run = wasmFunction(exports, 'escapeTimes')
  const { memory, numbers, counts } = layOutView(exports, view, 1)
  const count = new Uint32Array(memory, counts, 1)
  return (at) => {
    run(numbers, words, columns, rows, iterations, counts - at * 4, at, 1)
    return count[0] ?? 0
  }
}

function layOutView(exports: WebAssembly.Exports, { x, y, step }: View, pixels: number) {
  const { offsets, size } = layOut([SLOTS * SLOT_WORDS * 8, pixels * 4])
  const [numbers = 0, counts = 0] = offsets
  const memory = wasmMemory(exports, size)
  const slots = new BigInt64Array(memory, numbers, SLOTS * SLOT_WORDS)
  for (const [index, number] of [x, y, step].entries()) {
    slots.set(number.map(BigInt), index * SLOT_WORDS)
  }
  return { memory, numbers, counts }
}
