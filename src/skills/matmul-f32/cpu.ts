import type { UnitShape } from '../matmul/blocks.ts'
import { padded } from '../matmul/grid.ts'

/** Counted operations between two yields: 4 to 8 ms. */
const SLICE = 8_000_000

/**
 * C = A × B from packed blocks (see `layout.ts`), a row of C at a time, with sums in float64: the most exact of
 * the twins.
 *
 * @returns row-major float32, rows × columns
 */
export function* multiply(
  a: Float32Array,
  b: Float32Array,
  { rows, k, columns }: UnitShape
): Generator<number, Float32Array<ArrayBuffer>> {
  const c = new Float32Array(rows * columns)
  const sums = new Float64Array(columns)
  const heightA = padded(rows)
  const widthB = padded(columns)
  let operations = 0
  for (let row = 0; row < rows; row++) {
    sums.fill(0)
    for (let step = 0; step < k; step++) {
      const factor = a[step * heightA + row] ?? 0
      for (let column = 0; column < columns; column++) {
        sums[column] = (sums[column] ?? 0) + factor * (b[step * widthB + column] ?? 0)
      }
    }
    c.set(sums, row * columns)
    operations += 2 * k * columns
    if (operations >= SLICE) {
      operations = 0
      yield (row + 1) / rows
    }
  }
  return c
}
