import { ENTRY_BYTES, NOBODY, resultSize, SEGMENT, type SearchShape, segmentsOf } from './layout.ts'
import { comesBefore } from './top-list.ts'

/** Pairs of a row and a query in the sample of a unit, times `top`: a cheat on a tenth of the rows passes with e^-4.7. */
const SAMPLES = 47 * SEGMENT

/** Pairs of a row and a query: their numbers, side by side. */
export type Pairs = Uint32Array<ArrayBuffer>

/** What the check needs to have computed. */
export interface Scores {
  /** A score a pair. */
  ofPairs(pairs: Pairs): Int32Array
  /** For each query the scores of these rows. */
  ofRows(rows: Uint32Array): Int32Array
}

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
 * 47 · 1024 / (k · rows · queries) of it for the sample: a tenth in all for the units that the planner makes of
 * jobs that are large enough. Smaller ones are checked as strictly, which takes a larger share of less work.
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
  const lists = readLists(result, shape)
  if (lists === undefined || !scoresAreRight(lists, scores.ofPairs(returnedPairs(lists, shape)))) {
    return false
  }
  const sample = drawRows(shape, random)
  return nobodyIsMissing(lists, shape, sample, scores.ofRows(sample))
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

function drawRows({ rows, queries, top }: SearchShape, random: () => number): Uint32Array {
  const count = Math.ceil(SAMPLES / top / queries)
  const drawn = new Uint32Array(Math.min(count, rows))
  for (let at = 0; at < drawn.length; at++) {
    drawn[at] = count < rows ? Math.floor(random() * rows) : at
  }
  return drawn
}

/** True if each sampled row is in the list of its segment, or comes after its last entry. */
function nobodyIsMissing(
  { ids, scores }: Lists,
  { rows, queries, top, metric }: SearchShape,
  sample: Uint32Array,
  sampled: Int32Array
): boolean {
  const segments = segmentsOf(rows)
  for (let query = 0; query < queries; query++) {
    for (let at = 0; at < sample.length; at++) {
      const row = sample[at] ?? 0
      const score = sampled[query * sample.length + at] ?? 0
      const from = (query * segments + Math.floor(row / SEGMENT)) * top
      const last = from + top - 1
      const lastId = ids[last] ?? NOBODY
      const isBetter = lastId === NOBODY || comesBefore(metric, score, row, scores[last] ?? 0, lastId)
      if (isBetter && !ids.subarray(from, last + 1).includes(row)) {
        return false
      }
    }
  }
  return true
}
