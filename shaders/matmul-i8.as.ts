// C += A × B for int8 on the CPU: pairs along K as int16, four rows by eight columns of C in registers.
// Memory is the caller's: pointers are byte offsets, each a multiple of 16 with no overlap.

/**
 * Packed int8 to panels of int16 pairs: 16 bytes a pair of steps, `apart` bytes from one pair to the next.
 *
 * @param from first K-quad of four packed lines
 * @param stride bytes from one K-quad to the next
 */
export function widen(from: usize, stride: usize, quads: usize, to: usize, apart: usize): void {
  for (let quad: usize = 0; quad < quads; quad++) {
    const bytes = v128.load(from)
    const low = i16x8.extend_low_i8x16_s(bytes)
    const high = i16x8.extend_high_i8x16_s(bytes)
    v128.store(to, v128.shuffle<i32>(low, high, 0, 2, 4, 6))
    v128.store(to + apart, v128.shuffle<i32>(low, high, 1, 3, 5, 7))
    from += stride
    to += apart * 2
  }
}

/**
 * Adds the products of `pairs` pairs of steps to `groups` groups of four rows by eight columns of C.
 *
 * @param a groups of four rows: `pairs` times 16 bytes each, one after the other
 * @param b eight columns: `pairs` times 32 bytes
 * @param stride bytes of a row of C
 */
export function multiply(a: usize, groups: usize, b: usize, pairs: usize, c: usize, stride: usize): void {
  const end = b + pairs * 32
  for (let group: usize = 0; group < groups; group++) {
    const c1 = c + stride
    const c2 = c1 + stride
    const c3 = c2 + stride
    let s00 = v128.load(c)
    let s01 = v128.load(c, 16)
    let s10 = v128.load(c1)
    let s11 = v128.load(c1, 16)
    let s20 = v128.load(c2)
    let s21 = v128.load(c2, 16)
    let s30 = v128.load(c3)
    let s31 = v128.load(c3, 16)
    for (let at = b; at < end; at += 32) {
      const left = v128.load(at)
      const right = v128.load(at, 16)
      let row = v128.load32_splat(a)
      s00 = i32x4.add(s00, i32x4.dot_i16x8_s(row, left))
      s01 = i32x4.add(s01, i32x4.dot_i16x8_s(row, right))
      row = v128.load32_splat(a, 4)
      s10 = i32x4.add(s10, i32x4.dot_i16x8_s(row, left))
      s11 = i32x4.add(s11, i32x4.dot_i16x8_s(row, right))
      row = v128.load32_splat(a, 8)
      s20 = i32x4.add(s20, i32x4.dot_i16x8_s(row, left))
      s21 = i32x4.add(s21, i32x4.dot_i16x8_s(row, right))
      row = v128.load32_splat(a, 12)
      s30 = i32x4.add(s30, i32x4.dot_i16x8_s(row, left))
      s31 = i32x4.add(s31, i32x4.dot_i16x8_s(row, right))
      a += 16
    }
    v128.store(c, s00)
    v128.store(c, s01, 16)
    v128.store(c1, s10)
    v128.store(c1, s11, 16)
    v128.store(c2, s20)
    v128.store(c2, s21, 16)
    v128.store(c3, s30)
    v128.store(c3, s31, 16)
    c += stride * 4
  }
}

// The check: B·r, A·x and C·r for numbers below 2^31, as three planes of int16 digits (base 2^11, −1024 to 1024).
// Sums of 4096 products stay below 2^30.

/** The prime of the check, 2^31 − 1. */
const P: i64 = 2147483647

/**
 * B·r: three planes of int32, `plane` bytes apart.
 *
 * @param r digits of a number for each column, `digits` bytes from plane to plane
 * @param stride bytes of a K-quad of B
 */
export function dotColumns(
  b: usize,
  stride: usize,
  quads: usize,
  r: usize,
  digits: usize,
  to: usize,
  plane: usize
): void {
  for (let quad: usize = 0; quad < quads; quad++) {
    let s0 = i32x4.splat(0)
    let s1 = i32x4.splat(0)
    let s2 = i32x4.splat(0)
    let at = r
    for (const end = b + stride; b < end; b += 16) {
      const bytes = v128.load(b)
      const pairs = v128.shuffle<i8>(bytes, bytes, 0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15)
      const left = i16x8.extend_low_i8x16_s(pairs)
      const right = i16x8.extend_high_i8x16_s(pairs)
      s0 = i32x4.add(s0, i32x4.dot_i16x8_s(left, v128.load32_splat(at)))
      s0 = i32x4.add(s0, i32x4.dot_i16x8_s(right, v128.load32_splat(at, 4)))
      s1 = i32x4.add(s1, i32x4.dot_i16x8_s(left, v128.load32_splat(at + digits)))
      s1 = i32x4.add(s1, i32x4.dot_i16x8_s(right, v128.load32_splat(at + digits, 4)))
      s2 = i32x4.add(s2, i32x4.dot_i16x8_s(left, v128.load32_splat(at + digits * 2)))
      s2 = i32x4.add(s2, i32x4.dot_i16x8_s(right, v128.load32_splat(at + digits * 2, 4)))
      at += 8
    }
    v128.store(to, s0)
    v128.store(to + plane, s1)
    v128.store(to + plane * 2, s2)
    to += 16
  }
}

/**
 * A·x: three planes of int32, `plane` bytes apart.
 *
 * @param x digits of a number for each step of K, `digits` bytes from plane to plane
 * @param stride bytes of a K-quad of A
 */
export function dotRows(
  a: usize,
  stride: usize,
  quads: usize,
  x: usize,
  digits: usize,
  to: usize,
  plane: usize
): void {
  for (const last = a + stride; a < last; a += 16) {
    let l0 = i32x4.splat(0)
    let l1 = i32x4.splat(0)
    let l2 = i32x4.splat(0)
    let h0 = i32x4.splat(0)
    let h1 = i32x4.splat(0)
    let h2 = i32x4.splat(0)
    let from = a
    for (let at = x, end = x + quads * 8; at < end; at += 8) {
      const bytes = v128.load(from)
      const low = i16x8.extend_low_i8x16_s(bytes)
      const high = i16x8.extend_high_i8x16_s(bytes)
      let factor = v128.load64_splat(at)
      l0 = i32x4.add(l0, i32x4.dot_i16x8_s(low, factor))
      h0 = i32x4.add(h0, i32x4.dot_i16x8_s(high, factor))
      factor = v128.load64_splat(at + digits)
      l1 = i32x4.add(l1, i32x4.dot_i16x8_s(low, factor))
      h1 = i32x4.add(h1, i32x4.dot_i16x8_s(high, factor))
      factor = v128.load64_splat(at + digits * 2)
      l2 = i32x4.add(l2, i32x4.dot_i16x8_s(low, factor))
      h2 = i32x4.add(h2, i32x4.dot_i16x8_s(high, factor))
      from += stride
    }
    v128.store(to, pairSums(l0, h0))
    v128.store(to + plane, pairSums(l1, h1))
    v128.store(to + plane * 2, pairSums(l2, h2))
    to += 16
  }
}

function pairSums(low: v128, high: v128): v128 {
  return i32x4.add(v128.shuffle<i32>(low, high, 0, 2, 4, 6), v128.shuffle<i32>(low, high, 1, 3, 5, 7))
}

/** Terms of |c| ≤ 2^26 and r < 2^31 whose sum stays in 64 bits, after one that is less than 2^33. */
const TERMS = 16

/**
 * C·r mod p, a number from −p to p for each row.
 *
 * @param r below 2^31, for each column
 * @returns 0 if an element is beyond ±limit, else 1
 */
export function dotResult(c: usize, rows: usize, columns: usize, r: usize, limit: i32, to: usize): i32 {
  let least = i32x4.splat(0)
  let most = i32x4.splat(0)
  const p = i64x2.splat(P)
  for (let row: usize = 0; row < rows; row++) {
    let even = i64x2.splat(0)
    let odd = i64x2.splat(0)
    const end = c + columns * 4
    const whole = c + (columns & ~3) * 4
    let at = r
    while (c < whole) {
      for (const stop = min(whole, c + TERMS * 16); c < stop; c += 16) {
        const values = v128.load(c)
        const factors = v128.load(at)
        least = i32x4.min_s(least, values)
        most = i32x4.max_s(most, values)
        even = i64x2.add(even, i64x2.extmul_low_i32x4_s(values, factors))
        odd = i64x2.add(odd, i64x2.extmul_high_i32x4_s(values, factors))
        at += 16
      }
      // 2^31 is 1 modulo p
      even = i64x2.add(v128.and(even, p), i64x2.shr_s(even, 31))
      odd = i64x2.add(v128.and(odd, p), i64x2.shr_s(odd, 31))
    }
    const both = i64x2.add(even, odd)
    let sum = i64x2.extract_lane(both, 0) + i64x2.extract_lane(both, 1)
    for (; c < end; c += 4) {
      const value = load<i32>(c)
      least = i32x4.min_s(least, i32x4.splat(value))
      most = i32x4.max_s(most, i32x4.splat(value))
      sum += (value as i64) * (load<i32>(at) as i64)
      at += 4
    }
    store<i32>(to, (sum % P) as i32)
    to += 4
  }
  const beyond = v128.or(i32x4.gt_s(most, i32x4.splat(limit)), i32x4.lt_s(least, i32x4.splat(-limit)))
  return v128.any_true(beyond) ? 0 : 1
}
