import { padded } from '../matmul/grid.ts'

/**
 * The CPU twin. One double carries two rows of A: (a + a'·2^25)·b sums two products at once, exactly, while
 * each sum stays below 2^24: for 512 steps along K (512 · 2^14 = 2^23).
 */
const STEPS = 512
const HIGH = 2 ** 25
/** Rows of A that are widened at once: 1 MiB of doubles at most. */
const ROWS = 512
/** Counted operations between two yields: 2 to 8 ms. */
const SLICE = 16_000_000

/** Sums of one tile: two row pairs by four columns. */
const TILE = 8

/**
 * C = A × B from packed blocks (see `layout.ts`).
 *
 * @returns row-major int32, rows × columns
 */
export function* multiply(
  a: Int8Array,
  b: Int8Array,
  rows: number,
  k: number,
  columns: number
): Generator<number, Int32Array<ArrayBuffer>> {
  const c = new Int32Array(rows * columns)
  const wideRows = padded(Math.min(rows, ROWS))
  const depth = Math.min(padded(k), STEPS)
  const pairs = new Float64Array((wideRows / 2) * depth)
  const panel = new Float64Array(4 * depth)
  const sums = new Float64Array(TILE)
  const total = padded(rows) * padded(k) * padded(columns)
  let done = 0
  let yielded = 0
  for (let first = 0; first < padded(k); first += STEPS) {
    const steps = Math.min(STEPS, padded(k) - first)
    for (let top = 0; top < rows; top += ROWS) {
      const height = Math.min(ROWS, padded(rows) - top)
      widenRows(a, padded(rows), first, steps, top, height, pairs)
      for (let left = 0; left < columns; left += 4) {
        widenColumns(b, padded(columns), first, steps, left, panel)
        for (let row = 0; row < height; row += 4) {
          tile(pairs, (row / 2) * steps, panel, steps, sums)
          addTile(sums, c, top + row, left, rows, columns)
        }
        done += height * steps * 4
        if ((done - yielded) * 2 >= SLICE) {
          yielded = done
          yield done / total
        }
      }
    }
  }
  return c
}

/** pairs[(row / 2) · steps + i] = A[row, i] + A[row + 1, i] · 2^25 */
function widenRows(
  a: Int8Array,
  stride: number,
  first: number,
  steps: number,
  top: number,
  height: number,
  pairs: Float64Array
): void {
  for (let i = 0; i < steps; i++) {
    const step = first + i
    const at = ((step >> 2) * stride + top) * 4 + (step & 3)
    for (let row = 0; row < height; row += 2) {
      pairs[(row >> 1) * steps + i] = (a[at + row * 4] ?? 0) + (a[at + row * 4 + 4] ?? 0) * HIGH
    }
  }
}

/** panel[i · 4 + column] = B[i, left + column] */
function widenColumns(
  b: Int8Array,
  stride: number,
  first: number,
  steps: number,
  left: number,
  panel: Float64Array
): void {
  for (let i = 0; i < steps; i++) {
    const step = first + i
    const at = ((step >> 2) * stride + left) * 4 + (step & 3)
    panel[i * 4] = b[at] ?? 0
    panel[i * 4 + 1] = b[at + 4] ?? 0
    panel[i * 4 + 2] = b[at + 8] ?? 0
    panel[i * 4 + 3] = b[at + 12] ?? 0
  }
}

/** The hot loop. `?? 0` satisfies the type checker; the engine sees indices in range and drops it. */
function tile(
  pairs: Float64Array,
  start: number,
  panel: Float64Array,
  steps: number,
  sums: Float64Array
): void {
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  let t0 = 0
  let t1 = 0
  let t2 = 0
  let t3 = 0
  for (let i = 0; i < steps; i++) {
    const s = pairs[start + i] ?? 0
    const t = pairs[start + steps + i] ?? 0
    const b0 = panel[i * 4] ?? 0
    const b1 = panel[i * 4 + 1] ?? 0
    const b2 = panel[i * 4 + 2] ?? 0
    const b3 = panel[i * 4 + 3] ?? 0
    s0 += s * b0
    s1 += s * b1
    s2 += s * b2
    s3 += s * b3
    t0 += t * b0
    t1 += t * b1
    t2 += t * b2
    t3 += t * b3
  }
  sums[0] = s0
  sums[1] = s1
  sums[2] = s2
  sums[3] = s3
  sums[4] = t0
  sums[5] = t1
  sums[6] = t2
  sums[7] = t3
}

/** Takes each double apart into its two rows and adds them to C. */
function addTile(
  sums: Float64Array,
  c: Int32Array,
  row: number,
  column: number,
  rows: number,
  columns: number
): void {
  for (let index = 0; index < TILE; index++) {
    const low = row + (index >> 2) * 2
    const at = column + (index & 3)
    if (at >= columns || low >= rows) {
      continue
    }
    const sum = sums[index] ?? 0
    const high = Math.round(sum / HIGH)
    c[low * columns + at] = (c[low * columns + at] ?? 0) + sum - high * HIGH
    if (low + 1 < rows) {
      c[(low + 1) * columns + at] = (c[(low + 1) * columns + at] ?? 0) + high
    }
  }
}
