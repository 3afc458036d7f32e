import type { UnitShape } from '../matmul/blocks.ts'
import { padded } from '../matmul/grid.ts'
import { layOut, wasmFunction, wasmMemory } from '../wasm.ts'
import { drawVector, limitOf, modulo } from './verify.ts'

/** Numbers below 2^31 as three balanced digits. */
const BASE = 2 ** 11
const PLANES = 3

/** `checkProduct` (see there) by `shaders/matmul-i8.as.ts`: the same decision for the same random numbers. */
export function checkProductSimd(
  exports: WebAssembly.Exports,
  { a, b }: { readonly a: Uint8Array; readonly b: Uint8Array },
  result: Uint8Array,
  { rows, k, columns }: UnitShape,
  random: () => number
): boolean {
  if (result.byteLength !== rows * columns * 4) {
    return false
  }
  const depth = padded(k)
  const width = padded(columns)
  const height = padded(rows)
  const digits = Math.max(width, depth)
  const { offsets, size } = layOut([
    a.length,
    b.length,
    result.length,
    digits * 2 * PLANES,
    Math.max(depth, height) * 4 * PLANES,
    width * 4,
    rows * 4
  ])
  const [atA = 0, atB = 0, atC = 0, atDigits = 0, atSums = 0, atR = 0, atRows = 0] = offsets
  const memory = wasmMemory(exports, size)
  const bytes = new Uint8Array(memory)
  bytes.set(a, atA)
  bytes.set(b, atB)
  bytes.set(result, atC)
  const r = drawVector(columns, random)
  new Int32Array(memory, atR, width).set(r)
  const dotResult = wasmFunction(exports, 'dotResult')
  if (dotResult(atC, rows, columns, atR, limitOf(k), atRows) === 0) {
    return false
  }
  const planes = new Int16Array(memory, atDigits, digits * PLANES)
  writeDigits(r, planes, digits)
  const dotColumns = wasmFunction(exports, 'dotColumns')
  dotColumns(atB, width * 4, depth / 4, atDigits, digits * 2, atSums, depth * 4)
  const x = join(new Int32Array(memory, atSums, depth * PLANES), depth)
  writeDigits(x, planes, digits)
  const dotRows = wasmFunction(exports, 'dotRows')
  dotRows(atA, height * 4, depth / 4, atDigits, digits * 2, atSums, height * 4)
  const wanted = join(new Int32Array(memory, atSums, height * PLANES), height)
  const found = new Int32Array(memory, atRows, rows)
  return found.every((value, row) => modulo(value) === wanted[row])
}

/** value = d₀ + d₁ · 2^11 + d₂ · 2^22 with digits from −1024 to 1024. */
function writeDigits(values: Float64Array, planes: Int16Array, plane: number): void {
  for (let index = 0; index < values.length; index++) {
    let rest = values[index] ?? 0
    for (let at = index; at < planes.length; at += plane) {
      const high = Math.round(rest / BASE)
      planes[at] = rest - high * BASE
      rest = high
    }
  }
}

/** The sums of the three planes as one number modulo p each. */
function join(sums: Int32Array, length: number): Float64Array {
  const joined = new Float64Array(length)
  for (let index = 0; index < length; index++) {
    const low = (sums[index] ?? 0) + (sums[index + length] ?? 0) * BASE
    joined[index] = modulo(low + (sums[index + 2 * length] ?? 0) * BASE ** 2)
  }
  return joined
}
