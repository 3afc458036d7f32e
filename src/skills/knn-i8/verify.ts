import { NOBODY, QUERIES_MANY, resultSize, SEGMENT, type SearchShape, segmentsOf } from './layout.ts'
import { comesBefore } from './top-list.ts'

/** Pairs of a row and a query in the sample of a unit, times `top`: a cheat on a tenth of the rows passes with e^-4.7. */
const SAMPLES = 47 * SEGMENT
/** The most that is sampled of a unit with few queries, as a share of its rows. */
const SHARE_MAX = 1 / 24

/** What the check needs to have computed. */
export interface Scores {
  /** True if every list is full and in order, its rows are of its segment, and its scores are theirs. */
  listsAreRight(lists: Lists): boolean
  /** For each query the scores of these rows. */
  ofRows(rows: Uint32Array): Int32Array
}

/** A result: `top` entries each for query after query, segment after segment, two words each: a row and its score. */
export type Lists = Int32Array

/**
 * Checks a unit: every returned score is computed anew, and a random sample of rows must not beat the worst
 * entry of its segment, for any query.
 *
 * Catches with certainty: a wrong score, a row or an order that does not fit the scores, an entry too much or
 * too few, hence zeros, another unit's answer, a stale tile (unless it is the same). What it cannot see by
 * itself is a row that is missing and should be there; for that it samples so many rows that they make
 * 47 · 1024 / k pairs with the queries (or all rows). A provider that leaves out a tenth of the rows, wherever
 * they are, passes with at most e^-4.7 < .01 where neighbours of different queries are different rows, as for
 * most data; one that computes only a tenth with e^-42 (it must fill each list of k with worse rows, and each
 * of the k that it misses betrays it). One missing neighbour is seen with probability
 * 47 · 1024 / (k · rows · queries), about .05 / k for a unit of a million pairs.
 *
 * Costs k/1024 of the work for the returned rows (some times more, since they lie apart), and
 * 47 · 1024 / (k · rows · queries) of it for the sample: for k up to 16 a tenth in all for the units that the planner
 * makes of jobs that are large enough. Others (`isSmall`) it marks as weak: they are checked as strictly, which takes a
 * larger share of less work, but of units with fewer than 32 queries a 24th of the rows is sampled at most: of one
 * query's answer a whole tenth that is missing mostly stays unseen.
 *
 * @param random uniform in [0, 1)
 */
export function checkNeighbours(
  result: Uint8Array,
  shape: SearchShape,
  random: () => number,
  scores: Scores
): boolean {
  if (result.byteLength !== resultSize(shape)) {
    return false
  }
  const lists = listsOf(result)
  if (!scores.listsAreRight(lists)) {
    return false
  }
  const sample = drawRows(shape, random)
  return nobodyIsMissing(lists, shape, sample, scores.ofRows(sample))
}

/** Bytes off the wire may lie at any offset; words may not. */
function listsOf(result: Uint8Array): Lists {
  const { buffer, byteOffset, byteLength } = result.byteOffset % 4 === 0 ? result : result.slice()
  return new Int32Array(buffer, byteOffset, byteLength / 4)
}

/** `Scores.listsAreRight`, readable: `score` of a row and a query. */
export function listsAreRight(
  lists: Lists,
  { rows, top, metric }: SearchShape,
  score: (row: number, query: number) => number
): boolean {
  const segments = segmentsOf(rows)
  for (let at = 0; at * 2 < lists.length; at++) {
    const list = Math.floor(at / top)
    const place = at % top
    const first = (list % segments) * SEGMENT
    const size = Math.min(SEGMENT, rows - first)
    const id = (lists[at * 2] ?? 0) >>> 0
    const found = lists[at * 2 + 1] ?? 0
    if (place >= size) {
      if (id !== NOBODY || found !== 0) {
        return false
      }
      continue
    }
    const lastScore = lists[at * 2 - 1] ?? 0
    const lastId = (lists[at * 2 - 2] ?? 0) >>> 0
    const inOrder = place === 0 || comesBefore(metric, lastScore, lastId, found, id)
    const inSegment = id >= first && id < first + size
    if (!inOrder || !inSegment || found !== score(id, Math.floor(list / segments))) {
      return false
    }
  }
  return true
}

function drawRows({ rows, queries, top }: SearchShape, random: () => number): Uint32Array {
  const strict = Math.ceil(SAMPLES / top / queries)
  const count = queries < QUERIES_MANY ? Math.min(strict, Math.ceil(rows * SHARE_MAX)) : strict
  const drawn = new Uint32Array(Math.min(count, rows))
  for (let at = 0; at < drawn.length; at++) {
    drawn[at] = count < rows ? Math.floor(random() * rows) : at
  }
  return drawn
}

/** True if each sampled row is in the list of its segment, or comes after its last entry. The lists are right. */
function nobodyIsMissing(
  lists: Lists,
  { rows, queries, top, metric }: SearchShape,
  sample: Uint32Array,
  sampled: Int32Array
): boolean {
  const aQuery = segmentsOf(rows) * top * 2
  const sign = metric === 'dot' ? 1 : -1
  // where the list of each row's segment begins, of the first query
  const begins = sample.map((row) => Math.floor(row / SEGMENT) * top * 2)
  const isFull = (row: number) => rows - Math.floor(row / SEGMENT) * SEGMENT >= top
  const mayCompare = Uint8Array.from(sample, (row) => (isFull(row) ? 1 : 0))
  for (let query = 0; query < queries; query++) {
    for (let at = 0; at < sample.length; at++) {
      const row = sample[at] ?? 0
      const from = query * aQuery + (begins[at] ?? 0)
      const last = from + top * 2 - 2
      const lead = sign * ((sampled[query * sample.length + at] ?? 0) - (lists[last + 1] ?? 0))
      const isAfter = lead < 0 || (lead === 0 && row > (lists[last] ?? 0))
      if (!(isAfter && mayCompare[at] === 1) && !holds(lists, from, last, row)) {
        return false
      }
    }
  }
  return true
}

function holds(lists: Lists, first: number, last: number, row: number): boolean {
  for (let at = first; at <= last; at += 2) {
    if (lists[at] === row) {
      return true
    }
  }
  return false
}
