import type { UnitShape } from './blocks.ts'

/** Elements of a sampled result: a tenth of wrong ones passes with .9^48 = .0064. */
const SAMPLES = 48
/** Values that a full check may read whatever its share: it takes about a millisecond. */
const READS_FREE = 2 ** 20

/**
 * True if the check is to compute a sample of elements anew. Freivalds' check reads every matrix once or more, and
 * costs as 1/rows + 1/k + 1/columns of the computing: for thin products (1 × K, or k small) as much as it. There it
 * gives way to a sample, unless it takes a millisecond anyway.
 *
 * @param slenderness 1/rows + 1/k + 1/columns of a product whose full check costs a tenth of computing it
 */
export function isSampled({ rows, k, columns }: UnitShape, slenderness: number): boolean {
  const reads = rows * k + k * columns + rows * columns
  return 1 / rows + 1 / k + 1 / columns > slenderness && reads > READS_FREE
}

/** Row and column of each sampled element, side by side. */
export function drawPlaces({ rows, columns }: UnitShape, random: () => number): Uint32Array {
  const places = new Uint32Array(2 * SAMPLES)
  for (let at = 0; at < places.length; at += 2) {
    places[at] = Math.floor(random() * rows)
    places[at + 1] = Math.floor(random() * columns)
  }
  return places
}
