// Nearest neighbours of int8 vectors on the CPU: scores as an int8 product (eight rows of the database by four
// queries in registers), then the best of a segment. Memory is the caller's, as in matmul-i8.as.ts.

export { multiply } from './matmul-i8.as'

/**
 * Four rows of int8 to a panel of int16 pairs: 16 bytes a pair of dimensions, `apart` bytes between two.
 *
 * @param from four rows of `depth` bytes, a multiple of 16; `shift`: doublings of each number
 */
export function widen(from: usize, depth: usize, shift: i32, to: usize, apart: usize): void {
  for (const end = from + depth; from < end; from += 8) {
    const r0 = i16x8.shl(v128.load_ext<i8>(from), shift)
    const r1 = i16x8.shl(v128.load_ext<i8>(from + depth), shift)
    const r2 = i16x8.shl(v128.load_ext<i8>(from + depth * 2), shift)
    const r3 = i16x8.shl(v128.load_ext<i8>(from + depth * 3), shift)
    const low = v128.shuffle<i32>(r0, r1, 0, 4, 1, 5)
    const high = v128.shuffle<i32>(r0, r1, 2, 6, 3, 7)
    const nextLow = v128.shuffle<i32>(r2, r3, 0, 4, 1, 5)
    const nextHigh = v128.shuffle<i32>(r2, r3, 2, 6, 3, 7)
    v128.store(to, v128.shuffle<i64>(low, nextLow, 0, 2))
    to += apart
    v128.store(to, v128.shuffle<i64>(low, nextLow, 1, 3))
    to += apart
    v128.store(to, v128.shuffle<i64>(high, nextHigh, 0, 2))
    to += apart
    v128.store(to, v128.shuffle<i64>(high, nextHigh, 1, 3))
    to += apart
  }
}

function sum(four: v128): i32 {
  const two = i32x4.add(four, v128.shuffle<i32>(four, four, 2, 3, 2, 3))
  return i32x4.extract_lane(two, 0) + i32x4.extract_lane(two, 1)
}

/** Σ (x − y)² over `depth` int8, a multiple of 16. */
function distance(x: usize, y: usize, depth: usize): i32 {
  let sums = i32x4.splat(0)
  for (const end = x + depth; x < end; x += 16) {
    const left = v128.load(x)
    const right = v128.load(y)
    const low = i16x8.sub(i16x8.extend_low_i8x16_s(left), i16x8.extend_low_i8x16_s(right))
    const high = i16x8.sub(i16x8.extend_high_i8x16_s(left), i16x8.extend_high_i8x16_s(right))
    sums = i32x4.add(sums, i32x4.add(i32x4.dot_i16x8_s(low, low), i32x4.dot_i16x8_s(high, high)))
    y += 16
  }
  return sum(sums)
}

/** Σ x·y over `depth` int8, a multiple of 16. */
export function dot(x: usize, y: usize, depth: usize): i32 {
  let sums = i32x4.splat(0)
  for (const end = x + depth; x < end; x += 16) {
    const left = v128.load(x)
    const right = v128.load(y)
    const low = i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(left), i16x8.extend_low_i8x16_s(right))
    const high = i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(left), i16x8.extend_high_i8x16_s(right))
    sums = i32x4.add(sums, i32x4.add(low, high))
    y += 16
  }
  return sum(sums)
}

/** −Σ x² of eight rows as the start of their eight columns, in each of `lines` lines of `stride` bytes. */
export function startWithNorms(rows: usize, depth: usize, to: usize, lines: usize, stride: usize): void {
  for (let column: usize = 0; column < 8; column++) {
    store<i32>(to + column * 4, -dot(rows, rows, depth))
    rows += depth
  }
  const left = v128.load(to)
  const right = v128.load(to, 16)
  for (let line: usize = 1; line < lines; line++) {
    to += stride
    v128.store(to, left)
    v128.store(to, right, 16)
  }
}

export function startWithZeros(to: usize, lines: usize, stride: usize): void {
  for (let line: usize = 0; line < lines; line++) {
    v128.store(to, i32x4.splat(0))
    v128.store(to, i32x4.splat(0), 16)
    to += stride
  }
}

/**
 * The `top` largest of `count` ranks, largest first, the earlier of two equal ones first: entries of a number
 * from `first` on and a score, base + sign · rank.
 */
export function select(
  ranks: usize,
  count: usize,
  top: usize,
  first: u32,
  base: i32,
  sign: i32,
  to: usize
): void {
  const last = to + (top - 1) * 8
  for (let at = to; at <= last; at += 8) {
    store<i32>(at, -1)
    store<i32>(at, i32.MIN_VALUE, 4)
  }
  let worst = i32.MIN_VALUE
  let index: usize = 0
  for (; index + 4 <= count; index += 4) {
    const four = v128.load(ranks + index * 4)
    if (v128.any_true(i32x4.gt_s(four, i32x4.splat(worst)))) {
      for (let lane: usize = 0; lane < 4; lane++) {
        worst = offer(load<i32>(ranks + (index + lane) * 4), first + (index as u32) + (lane as u32), to, last)
      }
    }
  }
  for (; index < count; index++) {
    worst = offer(load<i32>(ranks + index * 4), first + (index as u32), to, last)
  }
  for (let at = to; at <= last; at += 8) {
    const isEmpty = load<i32>(at) === -1
    store<i32>(at, isEmpty ? 0 : base + sign * load<i32>(at, 4), 4)
  }
}

/** Puts a rank in its place. Returns the worst of the list. */
function offer(rank: i32, id: u32, to: usize, last: usize): i32 {
  const worst = load<i32>(last, 4)
  if (rank <= worst) {
    return worst
  }
  let at = last
  while (at > to && load<i32>(at - 4) < rank) {
    store<u64>(at, load<u64>(at - 8))
    at -= 8
  }
  store<u32>(at, id)
  store<i32>(at, rank, 4)
  return load<i32>(last, 4)
}

/**
 * The check of the lists of one segment: each full, in order, of its rows, with their scores.
 *
 * @param list entries of the first query; `stride`: bytes from one query's list to the next
 * @param rows the segment's `count` rows of `depth` bytes, numbered from `first` on
 * @param isDistance 1: squared distances, the least first; 0: dot products, the largest first
 * @returns 1 if all is right, else 0
 */
export function checkLists(
  list: usize,
  stride: usize,
  top: usize,
  queries: usize,
  rows: usize,
  first: u32,
  count: u32,
  query: usize,
  depth: usize,
  isDistance: i32
): i32 {
  const full = list + min(top, count as usize) * 8
  for (let done: usize = 0; done < queries; done++) {
    const offset = stride * done
    let lastScore = 0
    let lastId: u32 = 0
    let at = list + offset
    for (const end = full + offset; at < end; at += 8) {
      const id = load<u32>(at)
      const score = load<i32>(at, 4)
      // below `first` wraps around
      if (id - first >= count) {
        return 0
      }
      if (at > list + offset) {
        const isWorse = isDistance ? score > lastScore : score < lastScore
        if (!isWorse && !(score === lastScore && id > lastId)) {
          return 0
        }
      }
      const row = rows + ((id - first) as usize) * depth
      if (score !== (isDistance ? distance(row, query, depth) : dot(row, query, depth))) {
        return 0
      }
      lastScore = score
      lastId = id
    }
    for (const end = list + offset + top * 8; at < end; at += 8) {
      if (load<i32>(at) !== -1 || load<i32>(at, 4) !== 0) {
        return 0
      }
    }
    query += depth
  }
  return 1
}
