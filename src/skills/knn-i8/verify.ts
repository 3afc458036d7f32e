import { ENTRY_BYTES, NOBODY, resultSize, SEGMENT, type SearchShape, segmentsOf } from './layout.ts'
import { comesBefore } from './top-list.ts'

/** Samples a unit, times `top`: a cheat on a tenth of the rows passes with e^-4.7. */
const SAMPLES = 47 * SEGMENT

/** Pairs of a row and a query: their numbers, side by side. */
export type Pairs = Uint32Array<ArrayBuffer>

/** Scores of pairs, by whatever computes them. */
export type ScorePairs = (pairs: Pairs) => Int32Array

/**
 * Checks a unit: every returned score is computed anew, and a random sample of rows must not beat the worst
 * entry of its segment.
 *
 * Catches with certainty: a wrong score, a row or an order that does not fit the scores, an entry too much or
 * too few, hence zeros, another unit's answer, a stale tile (unless it is the same). What it cannot see by
 * itself is a row that is missing and should be there; for that it samples 47 · 1024 / k of the pairs of row
 * and query (or looks at all if there are no more). A provider that leaves out a tenth of the rows, wherever
 * they are, passes with at most e^-4.7 < .01; one that computes only a tenth with e^-42 (it must fill each
 * list of k with worse rows, and each of the k that it misses betrays it). One missing neighbour is seen with
 * probability 47 · 1024 / (k · rows · queries), about .02 / k for a unit of a million pairs.
 *
 * Costs k/1024 of the work for the returned rows and 47 · 1024 / (k · rows · queries) for the sample: a tenth
 * at most for units of a million pairs or more, which the planner makes of jobs that are large enough. Smaller
 * ones are checked as strictly, and that takes a larger share of less work.
 *
 * @param random uniform in [0, 1)
 */
export function checkNeighbours(
  result: Uint8Array,
  shape: SearchShape,
  random: () => number,
  scores: ScorePairs
): boolean {
  if (result.byteLength !== resultSize(shape)) {
    return false
  }
  const lists = readLists(result, shape)
  if (lists === undefined) {
    return false
  }
  const returned = scores(returnedPairs(lists, shape))
  if (!scoresAreRight(lists, returned)) {
    return false
  }
  const sample = drawPairs(shape, random)
  return nobodyIsMissing(lists, shape, sample, scores(sample))
}

interface Lists {
  /** `top` each for query after query, segment after segment. */
  readonly ids: Uint32Array
  readonly scores: Int32Array
}

/** The entries, if rows are in range, lists full, and each in order. */
function readLists(result: Uint8Array, shape: SearchShape): Lists | undefined {
  const { rows, top, metric } = shape
  const count = result.byteLength / ENTRY_BYTES
  const ids = new Uint32Array(count)
  const scores = new Int32Array(count)
  const view = new DataView(result.buffer, result.byteOffset, result.byteLength)
  for (let at = 0; at < count; at++) {
    const id = view.getUint32(at * ENTRY_BYTES, true)
    const score = view.getInt32(at * ENTRY_BYTES + 4, true)
    const place = at % top
    const first = (Math.floor(at / top) % segmentsOf(rows)) * SEGMENT
    const size = Math.min(SEGMENT, rows - first)
    if (place >= size ? id !== NOBODY || score !== 0 : id < first || id >= first + size) {
      return undefined
    }
    const isFirst = place === 0 || place >= size
    if (!isFirst && !comesBefore(metric, scores[at - 1] ?? 0, ids[at - 1] ?? 0, score, id)) {
      return undefined
    }
    ids[at] = id
    scores[at] = score
  }
  return { ids, scores }
}

/** For each entry its row and query; row 0 for an entry without a row. */
function returnedPairs({ ids }: Lists, { rows, top }: SearchShape): Pairs {
  const aQuery = segmentsOf(rows) * top
  const pairs = new Uint32Array(ids.length * 2)
  for (let at = 0; at < ids.length; at++) {
    const id = ids[at] ?? 0
    pairs[at * 2] = id === NOBODY ? 0 : id
    pairs[at * 2 + 1] = Math.floor(at / aQuery)
  }
  return pairs
}

function scoresAreRight({ ids, scores }: Lists, right: Int32Array): boolean {
  for (let at = 0; at < ids.length; at++) {
    if (ids[at] !== NOBODY && scores[at] !== right[at]) {
      return false
    }
  }
  return true
}

function drawPairs({ rows, queries, top }: SearchShape, random: () => number): Pairs {
  const all = rows * queries
  const count = Math.ceil(SAMPLES / top)
  if (count >= all) {
    return Uint32Array.from({ length: all * 2 }, (_, at) =>
      at % 2 === 0 ? (at / 2) % rows : Math.floor(at / 2 / rows)
    )
  }
  return Uint32Array.from({ length: count * 2 }, (_, at) =>
    Math.floor(random() * (at % 2 === 0 ? rows : queries))
  )
}

/** True if each sampled row is in the list of its segment, or comes after its last entry. */
function nobodyIsMissing(
  { ids, scores }: Lists,
  { rows, top, metric }: SearchShape,
  sample: Pairs,
  sampled: Int32Array
): boolean {
  for (const [index, score] of sampled.entries()) {
    const row = sample[index * 2] ?? 0
    const query = sample[index * 2 + 1] ?? 0
    const from = (query * segmentsOf(rows) + Math.floor(row / SEGMENT)) * top
    const last = from + top - 1
    const lastId = ids[last] ?? NOBODY
    const isBetter = lastId === NOBODY || comesBefore(metric, score, row, scores[last] ?? 0, lastId)
    if (isBetter && !ids.subarray(from, last + 1).includes(row)) {
      return false
    }
  }
  return true
}
