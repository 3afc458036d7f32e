// Escape times of z → z² + c in fixed point, with the same results as src/skills/mandelbrot/cpu.ts: words of 26
// bits in 64, least first, the last one signed. A column of a square stays below 9 · 2^52 < 2^63.
// Memory is the caller's: `numbers` is a byte offset of 13 slots of 9 words each.

const WORD: i64 = 26
const MASK: i64 = (1 << 26) - 1
const SLOT: usize = 72

// @ts-expect-error: decorator
@inline
function word(number: usize, index: usize): i64 {
  return load<i64>(number + (index << 3))
}

/** out = start + step · count */
function addSteps(start: usize, step: usize, count: i64, out: usize, words: usize): void {
  let carry: i64 = 0
  for (let i: usize = 0; i < words; i++) {
    carry += word(start, i) + word(step, i) * count
    store<i64>(out + (i << 3), carry & MASK)
    carry >>= WORD
  }
  store<i64>(out + (words << 3), carry + word(start, words) + word(step, words) * count)
}

/** out = a², rounded down */
function square(a: usize, out: usize, words: usize): void {
  let carry: i64 = 0
  for (let column: usize = 0; column < words; column++) {
    let low = a
    let high = a + (column << 3)
    let twice: i64 = 0
    while (low < high) {
      twice += load<i64>(low) * load<i64>(high)
      low += 8
      high -= 8
    }
    carry += twice << 1
    if (low == high) {
      const middle = load<i64>(low)
      carry += middle * middle
    }
    carry >>= WORD
  }
  let low = a
  for (let column: usize = 0; column < words; column++) {
    let from = low
    let high = a + (words << 3)
    let twice: i64 = 0
    while (from < high) {
      twice += load<i64>(from) * load<i64>(high)
      from += 8
      high -= 8
    }
    carry += twice << 1
    if (from == high) {
      const middle = load<i64>(from)
      carry += middle * middle
    }
    store<i64>(out + (column << 3), carry & MASK)
    carry >>= WORD
    low += 8
  }
  const top = word(a, words)
  store<i64>(out + (words << 3), carry + top * top)
}

/**
 * Iterations of the pixel at (column, row).
 *
 * @param numbers x, y and step of the view, then ten numbers of room
 */
function pixel(numbers: usize, words: usize, iterations: u32, column: i64, row: i64): u32 {
  const cx = numbers + 3 * SLOT
  const cy = cx + SLOT
  const x = cy + SLOT
  const y = x + SLOT
  const sum = y + SLOT
  const xx = sum + SLOT
  const yy = xx + SLOT
  const ss = yy + SLOT
  const oldX = ss + SLOT
  const oldY = oldX + SLOT
  addSteps(numbers, numbers + 2 * SLOT, column, cx, words)
  addSteps(numbers + SLOT, numbers + 2 * SLOT, -row, cy, words)
  memory.copy(x, cx, SLOT * 2)
  memory.copy(oldX, cx, SLOT * 2)
  const last = words << 3
  let renewal: u32 = 8
  for (let iteration: u32 = 0; iteration < iterations; iteration++) {
    let carry: i64 = 0
    for (let i: usize = 0; i < last; i += 8) {
      carry += load<i64>(x + i) + load<i64>(y + i)
      store<i64>(sum + i, carry & MASK)
      carry >>= WORD
    }
    store<i64>(sum + last, carry + load<i64>(x + last) + load<i64>(y + last))
    square(x, xx, words)
    square(y, yy, words)
    square(sum, ss, words)
    let size: i64 = 0
    let carryX: i64 = 0
    let carryY: i64 = 0
    let changed: i64 = 0
    for (let i: usize = 0; i < last; i += 8) {
      const a = load<i64>(xx + i)
      const b = load<i64>(yy + i)
      size = (size >> WORD) + a + b
      carryX = (carryX >> WORD) + a - b + load<i64>(cx + i)
      carryY = (carryY >> WORD) + load<i64>(ss + i) - a - b + load<i64>(cy + i)
      const newX = carryX & MASK
      const newY = carryY & MASK
      changed |= (newX ^ load<i64>(oldX + i)) | (newY ^ load<i64>(oldY + i))
      store<i64>(x + i, newX)
      store<i64>(y + i, newY)
    }
    const a = load<i64>(xx + last)
    const b = load<i64>(yy + last)
    if ((size >> WORD) + a + b >= 4) {
      return iteration
    }
    const newX = (carryX >> WORD) + a - b + load<i64>(cx + last)
    const newY = (carryY >> WORD) + load<i64>(ss + last) - a - b + load<i64>(cy + last)
    store<i64>(x + last, newX)
    store<i64>(y + last, newY)
    changed |= (newX ^ load<i64>(oldX + last)) | (newY ^ load<i64>(oldY + last))
    if (changed == 0) {
      return iterations
    }
    if (iteration == renewal) {
      renewal <<= 1
      memory.copy(oldX, x, SLOT * 2)
    }
  }
  return iterations
}

/** The same for two words after the point, all of it in registers: what most views need. */
function shallowPixel(numbers: usize, iterations: u32, column: i64, row: i64): u32 {
  const cx = numbers + 3 * SLOT
  const cy = cx + SLOT
  addSteps(numbers, numbers + 2 * SLOT, column, cx, 2)
  addSteps(numbers + SLOT, numbers + 2 * SLOT, -row, cy, 2)
  const cx0 = load<i64>(cx)
  const cx1 = load<i64>(cx, 8)
  const cx2 = load<i64>(cx, 16)
  const cy0 = load<i64>(cy)
  const cy1 = load<i64>(cy, 8)
  const cy2 = load<i64>(cy, 16)
  let x0 = cx0
  let x1 = cx1
  let x2 = cx2
  let y0 = cy0
  let y1 = cy1
  let y2 = cy2
  let oldX = cx0 | (cx1 << 26)
  let oldY = cy0 | (cy1 << 26)
  let oldTop = (cx2 << 32) | (cy2 & 0xffffffff)
  let renewal: u32 = 8
  for (let iteration: u32 = 0; iteration < iterations; iteration++) {
    let t = ((x0 * x0) >> WORD) + 2 * x0 * x1
    t = (t >> WORD) + 2 * x0 * x2 + x1 * x1
    const a0 = t & MASK
    t = (t >> WORD) + 2 * x1 * x2
    const a1 = t & MASK
    const a2 = (t >> WORD) + x2 * x2

    t = ((y0 * y0) >> WORD) + 2 * y0 * y1
    t = (t >> WORD) + 2 * y0 * y2 + y1 * y1
    const b0 = t & MASK
    t = (t >> WORD) + 2 * y1 * y2
    const b1 = t & MASK
    const b2 = (t >> WORD) + y2 * y2

    t = x0 + y0
    const s0 = t & MASK
    t = (t >> WORD) + x1 + y1
    const s1 = t & MASK
    const s2 = (t >> WORD) + x2 + y2
    t = ((s0 * s0) >> WORD) + 2 * s0 * s1
    t = (t >> WORD) + 2 * s0 * s2 + s1 * s1
    const d0 = t & MASK
    t = (t >> WORD) + 2 * s1 * s2
    const d1 = t & MASK
    const d2 = (t >> WORD) + s2 * s2

    t = (a0 + b0) >> WORD
    t = (t + a1 + b1) >> WORD
    if (t + a2 + b2 >= 4) {
      return iteration
    }
    t = a0 - b0 + cx0
    x0 = t & MASK
    t = (t >> WORD) + a1 - b1 + cx1
    x1 = t & MASK
    x2 = (t >> WORD) + a2 - b2 + cx2
    t = d0 - a0 - b0 + cy0
    y0 = t & MASK
    t = (t >> WORD) + d1 - a1 - b1 + cy1
    y1 = t & MASK
    y2 = (t >> WORD) + d2 - a2 - b2 + cy2

    const lowX = x0 | (x1 << 26)
    if (lowX == oldX && (y0 | (y1 << 26)) == oldY && ((x2 << 32) | (y2 & 0xffffffff)) == oldTop) {
      return iterations
    }
    if (iteration == renewal) {
      renewal <<= 1
      oldX = lowX
      oldY = y0 | (y1 << 26)
      oldTop = (x2 << 32) | (y2 & 0xffffffff)
    }
  }
  return iterations
}

/**
 * Pixels from `first` on, row by row, until about `budget` iterations are done.
 *
 * @param counts where the first pixel of the unit goes: 4 bytes each
 * @returns the first pixel that is not done
 */
export function escapeTimes(
  numbers: usize,
  words: usize,
  columns: u32,
  rows: u32,
  iterations: u32,
  counts: usize,
  first: u32,
  budget: i32
): u32 {
  const end = columns * rows
  let at = first
  while (at < end && budget > 0) {
    const column: i64 = at % columns
    const row: i64 = at / columns
    const count =
      words == 2
        ? shallowPixel(numbers, iterations, column, row)
        : pixel(numbers, words, iterations, column, row)
    store<u32>(counts + (at << 2), count)
    budget -= count + 1
    at++
  }
  return at
}
