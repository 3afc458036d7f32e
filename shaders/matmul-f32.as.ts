// C += A × B for f32 on the CPU: four rows by eight columns of C in registers. Memory is the caller's: pointers
// are byte offsets, each a multiple of 16 with no overlap. Blocks are k-major: the lines of one step of K lie
// side by side.

/**
 * Four lines of a block, step by step, to 16 bytes each.
 *
 * @param stride bytes from one step to the next; `apart`: the same in the panel
 */
export function gather(from: usize, stride: usize, steps: usize, to: usize, apart: usize): void {
  for (let step: usize = 0; step < steps; step++) {
    v128.store(to, v128.load(from))
    from += stride
    to += apart
  }
}

/**
 * Adds the products of `steps` steps to `groups` groups of four rows by eight columns of C.
 *
 * @param a groups of four rows: `steps` times 16 bytes each, one after the other
 * @param b eight columns: `steps` times 32 bytes
 * @param stride bytes of a row of C
 */
export function multiply(a: usize, groups: usize, b: usize, steps: usize, c: usize, stride: usize): void {
  const end = b + steps * 32
  for (let group: usize = 0; group < groups; group++) {
    let s00 = f32x4.splat(0)
    let s01 = f32x4.splat(0)
    let s10 = f32x4.splat(0)
    let s11 = f32x4.splat(0)
    let s20 = f32x4.splat(0)
    let s21 = f32x4.splat(0)
    let s30 = f32x4.splat(0)
    let s31 = f32x4.splat(0)
    for (let at = b; at < end; at += 32) {
      const left = v128.load(at)
      const right = v128.load(at, 16)
      let row = v128.load32_splat(a)
      s00 = f32x4.add(s00, f32x4.mul(row, left))
      s01 = f32x4.add(s01, f32x4.mul(row, right))
      row = v128.load32_splat(a, 4)
      s10 = f32x4.add(s10, f32x4.mul(row, left))
      s11 = f32x4.add(s11, f32x4.mul(row, right))
      row = v128.load32_splat(a, 8)
      s20 = f32x4.add(s20, f32x4.mul(row, left))
      s21 = f32x4.add(s21, f32x4.mul(row, right))
      row = v128.load32_splat(a, 12)
      s30 = f32x4.add(s30, f32x4.mul(row, left))
      s31 = f32x4.add(s31, f32x4.mul(row, right))
      a += 16
    }
    add(c, s00, s01)
    add(c + stride, s10, s11)
    add(c + stride * 2, s20, s21)
    add(c + stride * 3, s30, s31)
    c += stride * 4
  }
}

function add(c: usize, left: v128, right: v128): void {
  v128.store(c, f32x4.add(v128.load(c), left))
  v128.store(c, f32x4.add(v128.load(c, 16), right), 16)
}

// The check: products with eight vectors of ±1, summed in float32 over short blocks and in float64 over these,
// and the size of sums of random signs, whose squares are summed in float32 where it holds them.

/** Sums of squares from here to `SQUARES_MAX` are right to 2^-20 in float32: what underflows does not count. */
const SQUARES_MIN: f32 = 8.0e-28
const SQUARES_MAX: f32 = 1.0e38

/**
 * Σ value·r of each line for eight vectors, then Σ value², as float64: nine a line.
 *
 * @param columns values of a line, a multiple of four; `block`: how many of them to sum in float32, the same
 * @param r for each four columns the sign bits of the first vector, then of the second, …
 */
export function signedSums(
  from: usize,
  columns: usize,
  lines: usize,
  r: usize,
  block: usize,
  to: usize
): void {
  for (let line: usize = 0; line < lines; line++) {
    const begin = from
    const end = from + columns * 4
    let signs = r
    let low = f64x2.splat(0)
    let mid = f64x2.splat(0)
    let next = f64x2.splat(0)
    let high = f64x2.splat(0)
    let squares = f32x4.splat(0)
    while (from < end) {
      const stop = min(end, from + block * 4)
      let s0 = f32x4.splat(0)
      let s1 = f32x4.splat(0)
      let s2 = f32x4.splat(0)
      let s3 = f32x4.splat(0)
      let s4 = f32x4.splat(0)
      let s5 = f32x4.splat(0)
      let s6 = f32x4.splat(0)
      let s7 = f32x4.splat(0)
      for (; from < stop; from += 16) {
        const four = v128.load(from)
        s0 = f32x4.add(s0, v128.xor(four, v128.load(signs)))
        s1 = f32x4.add(s1, v128.xor(four, v128.load(signs, 16)))
        s2 = f32x4.add(s2, v128.xor(four, v128.load(signs, 32)))
        s3 = f32x4.add(s3, v128.xor(four, v128.load(signs, 48)))
        s4 = f32x4.add(s4, v128.xor(four, v128.load(signs, 64)))
        s5 = f32x4.add(s5, v128.xor(four, v128.load(signs, 80)))
        s6 = f32x4.add(s6, v128.xor(four, v128.load(signs, 96)))
        s7 = f32x4.add(s7, v128.xor(four, v128.load(signs, 112)))
        squares = f32x4.add(squares, f32x4.mul(four, four))
        signs += 128
      }
      const first = lanes(s0, s1, s2, s3)
      const second = lanes(s4, s5, s6, s7)
      low = f64x2.add(low, f64x2.promote_low_f32x4(first))
      mid = f64x2.add(mid, upper(first))
      next = f64x2.add(next, f64x2.promote_low_f32x4(second))
      high = f64x2.add(high, upper(second))
    }
    v128.store(to, low)
    v128.store(to, mid, 16)
    v128.store(to, next, 32)
    v128.store(to, high, 48)
    const sum = f32x4.extract_lane(lanes(squares, squares, squares, squares), 0)
    store<f64>(to, sum > SQUARES_MIN && sum < SQUARES_MAX ? (sum as f64) : squareSum(begin, end), 64)
    to += 72
  }
}

function squareSum(from: usize, end: usize): f64 {
  let sum: f64 = 0
  for (; from < end; from += 4) {
    const value = load<f32>(from) as f64
    sum += value * value
  }
  return sum
}

/** The upper two of four float32 as float64. */
function upper(four: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i32>(four, four, 2, 3, 2, 3))
}

/** The sums over the lanes of each of four vectors. */
function lanes(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<i32>(a, b, 0, 1, 4, 5), v128.shuffle<i32>(a, b, 2, 3, 6, 7))
  const cd = f32x4.add(v128.shuffle<i32>(c, d, 0, 1, 4, 5), v128.shuffle<i32>(c, d, 2, 3, 6, 7))
  return f32x4.add(v128.shuffle<i32>(ab, cd, 0, 2, 4, 6), v128.shuffle<i32>(ab, cd, 1, 3, 5, 7))
}

/**
 * Nine float64 a line as eight float32, the ninth times 2^-k as float32, and the ninth: 48 bytes.
 *
 * @returns 2^k, at least as large as every ninth one
 */
export function narrow(from: usize, lines: usize, to: usize): f64 {
  let most: f64 = 0
  for (let line: usize = 0; line < lines; line++) {
    most = max(most, load<f64>(from + line * 72, 64))
  }
  // the bits of the exponent, one more: a power of two above
  const scale = reinterpret<f64>((reinterpret<i64>(most) & 0x7ff0000000000000) + 0x0010000000000000)
  for (let line: usize = 0; line < lines; line++) {
    for (let vector: usize = 0; vector < 8; vector++) {
      store<f32>(to + vector * 4, load<f64>(from + vector * 8) as f32)
    }
    const square = load<f64>(from, 64)
    store<f32>(to, (square / scale) as f32, 32)
    store<f64>(to, square, 40)
    from += 72
    to += 48
  }
  return scale
}

/**
 * Adds, for each of `lines` rows of A, Σ a·x for eight vectors and Σ a²·β to ten float64, and keeps in the last
 * one the largest mean square of the first eight so far.
 *
 * @param a the first step of the first line; `stride`: bytes from step to step; `lines`: a multiple of four
 * @param x 48 bytes a step, as `narrow` made them; `scale`: what it returned
 * @param block steps to sum in float32
 */
export function rowSums(
  a: usize,
  stride: usize,
  lines: usize,
  steps: usize,
  x: usize,
  scale: f64,
  block: usize,
  to: usize
): void {
  const end = x + steps * 48
  for (let line: usize = 0; line < lines; line += 4) {
    let from = a + line * 4
    let at = x
    let squares = f32x4.splat(0)
    while (at < end) {
      const stop = min(end, at + block * 48)
      let l0 = f32x4.splat(0)
      let l1 = f32x4.splat(0)
      let l2 = f32x4.splat(0)
      let l3 = f32x4.splat(0)
      let r0 = f32x4.splat(0)
      let r1 = f32x4.splat(0)
      let r2 = f32x4.splat(0)
      let r3 = f32x4.splat(0)
      for (; at < stop; at += 48) {
        const left = v128.load(at)
        const right = v128.load(at, 16)
        let row = v128.load32_splat(from)
        l0 = f32x4.add(l0, f32x4.mul(row, left))
        r0 = f32x4.add(r0, f32x4.mul(row, right))
        row = v128.load32_splat(from, 4)
        l1 = f32x4.add(l1, f32x4.mul(row, left))
        r1 = f32x4.add(r1, f32x4.mul(row, right))
        row = v128.load32_splat(from, 8)
        l2 = f32x4.add(l2, f32x4.mul(row, left))
        r2 = f32x4.add(r2, f32x4.mul(row, right))
        row = v128.load32_splat(from, 12)
        l3 = f32x4.add(l3, f32x4.mul(row, left))
        r3 = f32x4.add(r3, f32x4.mul(row, right))
        const four = v128.load(from)
        squares = f32x4.add(squares, f32x4.mul(f32x4.mul(four, four), v128.load32_splat(at, 32)))
        from += stride
      }
      add64(to, l0, r0)
      add64(to + 80, l1, r1)
      add64(to + 160, l2, r2)
      add64(to + 240, l3, r3)
    }
    const few = f32x4.lt(squares, f32x4.splat(SQUARES_MIN))
    const many = f32x4.ge(squares, f32x4.splat(SQUARES_MAX))
    if (v128.any_true(v128.or(few, many))) {
      for (let row: usize = 0; row < 4; row++) {
        addSquare(to + row * 80, weightedSquares(a + (line + row) * 4, stride, x, end))
      }
    } else {
      addSquare(to, (f32x4.extract_lane(squares, 0) as f64) * scale)
      addSquare(to + 80, (f32x4.extract_lane(squares, 1) as f64) * scale)
      addSquare(to + 160, (f32x4.extract_lane(squares, 2) as f64) * scale)
      addSquare(to + 240, (f32x4.extract_lane(squares, 3) as f64) * scale)
    }
    to += 320
  }
}

function weightedSquares(from: usize, stride: usize, x: usize, end: usize): f64 {
  let sum: f64 = 0
  for (; x < end; x += 48) {
    const value = load<f32>(from) as f64
    sum += value * value * load<f64>(x, 40)
    from += stride
  }
  return sum
}

function add64(to: usize, left: v128, right: v128): void {
  v128.store(to, f64x2.add(v128.load(to), f64x2.promote_low_f32x4(left)))
  v128.store(to, f64x2.add(v128.load(to, 16), upper(left)), 16)
  v128.store(to, f64x2.add(v128.load(to, 32), f64x2.promote_low_f32x4(right)), 32)
  v128.store(to, f64x2.add(v128.load(to, 48), upper(right)), 48)
}

function addSquare(to: usize, square: f64): void {
  store<f64>(to, load<f64>(to, 64) + square, 64)
  let sums = f64x2.splat(0)
  for (let at = to; at < to + 64; at += 16) {
    const two = v128.load(at)
    sums = f64x2.add(sums, f64x2.mul(two, two))
  }
  const mean = (f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1)) / 8
  store<f64>(to, max(load<f64>(to, 72), mean), 72)
}
