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
// and the size of sums of random signs, in float64.

/**
 * Σ value·r of each line for eight vectors, then Σ value², as float64: nine a line.
 *
 * @param columns values of a line, a multiple of four; `block`: how many of them to sum in float32, the same
 * @param r for each four columns ±1 of the first vector, then of the second, … as float32
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
    const end = from + columns * 4
    let signs = r
    let low = f64x2.splat(0)
    let mid = f64x2.splat(0)
    let next = f64x2.splat(0)
    let high = f64x2.splat(0)
    let squares = f64x2.splat(0)
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
        s0 = f32x4.add(s0, f32x4.mul(four, v128.load(signs)))
        s1 = f32x4.add(s1, f32x4.mul(four, v128.load(signs, 16)))
        s2 = f32x4.add(s2, f32x4.mul(four, v128.load(signs, 32)))
        s3 = f32x4.add(s3, f32x4.mul(four, v128.load(signs, 48)))
        s4 = f32x4.add(s4, f32x4.mul(four, v128.load(signs, 64)))
        s5 = f32x4.add(s5, f32x4.mul(four, v128.load(signs, 80)))
        s6 = f32x4.add(s6, f32x4.mul(four, v128.load(signs, 96)))
        s7 = f32x4.add(s7, f32x4.mul(four, v128.load(signs, 112)))
        const pair = f64x2.promote_low_f32x4(four)
        const other = upper(four)
        squares = f64x2.add(squares, f64x2.add(f64x2.mul(pair, pair), f64x2.mul(other, other)))
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
    store<f64>(to, f64x2.extract_lane(squares, 0) + f64x2.extract_lane(squares, 1), 64)
    to += 72
  }
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

/** Nine float64 a line as eight float32 and one float64: 40 bytes. */
export function narrow(from: usize, lines: usize, to: usize): void {
  for (let line: usize = 0; line < lines; line++) {
    for (let vector: usize = 0; vector < 8; vector++) {
      store<f32>(to + vector * 4, load<f64>(from + vector * 8) as f32)
    }
    store<f64>(to, load<f64>(from, 64), 32)
    from += 72
    to += 40
  }
}

/**
 * Adds, for each of `lines` rows of A, Σ a·x for eight vectors and Σ a²·β to nine float64.
 *
 * @param a the first step of the first line; `stride`: bytes from step to step; `lines`: a multiple of four
 * @param x 40 bytes a step, as `narrow` made them
 * @param block steps to sum in float32
 */
export function rowSums(
  a: usize,
  stride: usize,
  lines: usize,
  steps: usize,
  x: usize,
  block: usize,
  to: usize
): void {
  const end = x + steps * 40
  for (let line: usize = 0; line < lines; line += 4) {
    let from = a + line * 4
    let at = x
    while (at < end) {
      const stop = min(end, at + block * 40)
      let l0 = f32x4.splat(0)
      let l1 = f32x4.splat(0)
      let l2 = f32x4.splat(0)
      let l3 = f32x4.splat(0)
      let r0 = f32x4.splat(0)
      let r1 = f32x4.splat(0)
      let r2 = f32x4.splat(0)
      let r3 = f32x4.splat(0)
      let q0 = f64x2.splat(0)
      let q1 = f64x2.splat(0)
      for (; at < stop; at += 40) {
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
        const beta = v128.load64_splat(at, 32)
        const four = v128.load(from)
        const pair = f64x2.promote_low_f32x4(four)
        const other = upper(four)
        q0 = f64x2.add(q0, f64x2.mul(f64x2.mul(pair, pair), beta))
        q1 = f64x2.add(q1, f64x2.mul(f64x2.mul(other, other), beta))
        from += stride
      }
      add64(to, l0, r0, f64x2.extract_lane(q0, 0))
      add64(to + 72, l1, r1, f64x2.extract_lane(q0, 1))
      add64(to + 144, l2, r2, f64x2.extract_lane(q1, 0))
      add64(to + 216, l3, r3, f64x2.extract_lane(q1, 1))
    }
    to += 288
  }
}

function add64(to: usize, left: v128, right: v128, square: f64): void {
  v128.store(to, f64x2.add(v128.load(to), f64x2.promote_low_f32x4(left)))
  v128.store(to, f64x2.add(v128.load(to, 16), upper(left)), 16)
  v128.store(to, f64x2.add(v128.load(to, 32), f64x2.promote_low_f32x4(right)), 32)
  v128.store(to, f64x2.add(v128.load(to, 48), upper(right)), 48)
  store<f64>(to, load<f64>(to, 64) + square, 64)
}
