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
export function multiply(
  a: usize,
  groups: usize,
  b: usize,
  steps: usize,
  c: usize,
  stride: usize
): void {
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

// The check: products with eight vectors of ±1 in float64, and a ninth channel for the rounding model.

/**
 * For each step of K: Σ b·r for eight vectors, then Σ b², in nine float64.
 *
 * @param r ±1 as float64: `columns` of the first vector, then of the second, …
 * @param columns a multiple of four
 */
export function signedSums(b: usize, columns: usize, steps: usize, r: usize, to: usize): void {
  const apart = columns * 8
  for (let step: usize = 0; step < steps; step++) {
    let s0 = f64x2.splat(0)
    let s1 = f64x2.splat(0)
    let s2 = f64x2.splat(0)
    let s3 = f64x2.splat(0)
    let s4 = f64x2.splat(0)
    let s5 = f64x2.splat(0)
    let s6 = f64x2.splat(0)
    let s7 = f64x2.splat(0)
    let squares = f64x2.splat(0)
    let at = r
    for (const end = b + columns * 4; b < end; b += 8) {
      const pair = f64x2.promote_low_f32x4(v128.load64_zero(b))
      let v = at
      s0 = f64x2.add(s0, f64x2.mul(pair, v128.load(v)))
      v += apart
      s1 = f64x2.add(s1, f64x2.mul(pair, v128.load(v)))
      v += apart
      s2 = f64x2.add(s2, f64x2.mul(pair, v128.load(v)))
      v += apart
      s3 = f64x2.add(s3, f64x2.mul(pair, v128.load(v)))
      v += apart
      s4 = f64x2.add(s4, f64x2.mul(pair, v128.load(v)))
      v += apart
      s5 = f64x2.add(s5, f64x2.mul(pair, v128.load(v)))
      v += apart
      s6 = f64x2.add(s6, f64x2.mul(pair, v128.load(v)))
      v += apart
      s7 = f64x2.add(s7, f64x2.mul(pair, v128.load(v)))
      squares = f64x2.add(squares, f64x2.mul(pair, pair))
      at += 16
    }
    v128.store(to, joined(s0, s1))
    v128.store(to, joined(s2, s3), 16)
    v128.store(to, joined(s4, s5), 32)
    v128.store(to, joined(s6, s7), 48)
    store<f64>(to, f64x2.extract_lane(squares, 0) + f64x2.extract_lane(squares, 1), 64)
    to += 72
  }
}

function joined(x: v128, y: v128): v128 {
  return f64x2.add(v128.shuffle<f64>(x, y, 0, 2), v128.shuffle<f64>(x, y, 1, 3))
}

/**
 * Adds, for each of `lines` rows of A, Σ a·x for eight vectors and Σ a²·β to nine float64.
 *
 * @param a the first step of the first line; `stride`: bytes from step to step
 * @param x nine float64 a step, as `signedSums` made them
 */
export function rowSums(a: usize, stride: usize, lines: usize, steps: usize, x: usize, to: usize): void {
  const end = x + steps * 72
  for (let line: usize = 0; line < lines; line += 2) {
    let s0 = v128.load(to)
    let s1 = v128.load(to, 16)
    let s2 = v128.load(to, 32)
    let s3 = v128.load(to, 48)
    let t0 = v128.load(to, 72)
    let t1 = v128.load(to, 88)
    let t2 = v128.load(to, 104)
    let t3 = v128.load(to, 120)
    let s4 = load<f64>(to, 64)
    let t4 = load<f64>(to, 136)
    let from = a + line * 4
    for (let at = x; at < end; at += 72) {
      const first = load<f32>(from) as f64
      const second = load<f32>(from, 4) as f64
      const row = f64x2.splat(first)
      const next = f64x2.splat(second)
      const x0 = v128.load(at)
      const x1 = v128.load(at, 16)
      const x2 = v128.load(at, 32)
      const x3 = v128.load(at, 48)
      const beta = load<f64>(at, 64)
      s0 = f64x2.add(s0, f64x2.mul(row, x0))
      s1 = f64x2.add(s1, f64x2.mul(row, x1))
      s2 = f64x2.add(s2, f64x2.mul(row, x2))
      s3 = f64x2.add(s3, f64x2.mul(row, x3))
      s4 += first * first * beta
      t0 = f64x2.add(t0, f64x2.mul(next, x0))
      t1 = f64x2.add(t1, f64x2.mul(next, x1))
      t2 = f64x2.add(t2, f64x2.mul(next, x2))
      t3 = f64x2.add(t3, f64x2.mul(next, x3))
      t4 += second * second * beta
      from += stride
    }
    v128.store(to, s0)
    v128.store(to, s1, 16)
    v128.store(to, s2, 32)
    v128.store(to, s3, 48)
    store<f64>(to, s4, 64)
    v128.store(to, t0, 72)
    v128.store(to, t1, 88)
    v128.store(to, t2, 104)
    v128.store(to, t3, 120)
    store<f64>(to, t4, 136)
    to += 144
  }
}
