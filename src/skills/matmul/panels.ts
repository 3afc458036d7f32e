import { layOut, wasmFunction, wasmMemory } from '../wasm.ts'
import type { UnitShape } from './blocks.ts'
import { padded } from './grid.ts'
import { withoutPadding } from './rows.ts'

/** How a kernel in WebAssembly works: it unpacks words of four bytes into panels, and multiplies those. */
export interface PanelKind {
  /** The function that unpacks. */
  readonly unpack: string
  /** Along K, in a packed word. */
  readonly stepsAWord: number
  /** Along K at a time, so that eight columns stay in a CPU's first cache. A multiple of `stepsAWord`. */
  readonly stepsAPanel: number
  /** Of an element in a panel. */
  readonly elementBytes: number
}

/** Columns of one panel. */
const PANEL = 8
/** Counted operations between two yields: 1 to 3 ms. */
const SLICE = 32_000_000

/**
 * C = A × B from packed blocks, their lines side by side, padded to fours.
 *
 * @returns row-major, four bytes an element, rows × columns, as bytes
 */
export function* multiplyPanels(
  exports: WebAssembly.Exports,
  { a, b }: { readonly a: Uint8Array; readonly b: Uint8Array },
  { rows, k, columns }: UnitShape,
  { unpack: name, stepsAWord, stepsAPanel, elementBytes }: PanelKind
): Generator<number, Uint8Array> {
  const unpack = wasmFunction(exports, name)
  const multiply = wasmFunction(exports, 'multiply')
  const depth = Math.ceil(k / stepsAWord) * stepsAWord
  const height = padded(rows)
  const width = Math.ceil(columns / PANEL) * PANEL
  const block = Math.min(depth, stepsAPanel)
  const { offsets, size } = layOut([
    a.length,
    b.length,
    height * block * elementBytes,
    block * PANEL * elementBytes,
    height * width * 4
  ])
  const [fromA = 0, fromB = 0, panelsA = 0, panelB = 0, sums = 0] = offsets
  const memory = wasmMemory(exports, size)
  new Uint8Array(memory, fromA).set(a)
  new Uint8Array(memory, fromB).set(b)
  new Uint8Array(memory, sums, height * width * 4).fill(0)
  const total = depth * width
  let done = 0
  let yielded = 0
  for (let first = 0; first < depth; first += stepsAPanel) {
    const steps = Math.min(stepsAPanel, depth - first)
    const words = steps / stepsAWord
    for (let row = 0; row < height; row += 4) {
      const from = fromA + ((first / stepsAWord) * height + row) * 4
      unpack(from, height * 4, words, panelsA + row * steps * elementBytes, 16)
    }
    for (let left = 0; left < width; left += PANEL) {
      for (let column = 0; column < PANEL && left + column < columns; column += 4) {
        const from = fromB + ((first / stepsAWord) * padded(columns) + left + column) * 4
        unpack(from, padded(columns) * 4, words, panelB + column * 4, PANEL * 4)
      }
      multiply(panelsA, height / 4, panelB, (steps * elementBytes) / 4, sums + left * 4, width * 4)
      done += steps * PANEL
      if ((done - yielded) * height * 2 >= SLICE) {
        yielded = done
        yield done / total
      }
    }
  }
  return withoutPadding(new Uint8Array(memory, sums), rows, columns * 4, width * 4)
}
