import type { UnitShape } from '../matmul/blocks.ts'
import { padded } from '../matmul/grid.ts'
import { floatsOf, NORMAL_MIN } from './layout.ts'

/** Half an ulp of 1. */
const ROUNDING = 2 ** -24

/**
 * Whether two honest nodes could have computed both products: no element differs by more than rounding can make, in
 * whatever order each adds. A sum of k products is off by at most γ Σ |a·b| ≤ γ ‖a‖ ‖b‖, γ = k u / (1 − k u), u = 2^-24
 * (Higham, "Accuracy and Stability of Numerical Algorithms", section 3.1); two may be so to either side.
 */
export function productsAgree(
  a: Uint8Array,
  b: Uint8Array,
  { rows, k, columns }: UnitShape,
  result: Uint8Array,
  other: Uint8Array
): boolean {
  const ofRows = norms(floatsOf(a), rows, k)
  const ofColumns = norms(floatsOf(b), columns, k)
  const one = floatsOf(result)
  const two = floatsOf(other)
  const gamma = (k * ROUNDING) / (1 - k * ROUNDING)
  for (let row = 0; row < rows; row++) {
    const factor = 2 * gamma * (ofRows[row] ?? 0)
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column
      const limit = factor * (ofColumns[column] ?? 0) + NORMAL_MIN * k
      if (!(Math.abs((one[at] ?? 0) - (two[at] ?? 0)) <= limit)) {
        return false // also for NaN
      }
    }
  }
  return true
}

/** Euclidean norm of each line of a packed block. */
function norms(block: Float32Array, lines: number, k: number): Float64Array {
  const stride = padded(lines)
  const squares = new Float64Array(lines)
  for (let step = 0; step < k; step++) {
    for (let line = 0; line < lines; line++) {
      squares[line] = (squares[line] ?? 0) + (block[step * stride + line] ?? 0) ** 2
    }
  }
  return squares.map(Math.sqrt)
}
