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
