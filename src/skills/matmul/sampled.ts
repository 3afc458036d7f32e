import type { UnitShape } from './blocks.ts'

/** Elements of a sampled result: a tenth of wrong ones passes with .9^48 = .0064. */
const SAMPLES = 48
/** Values that a full check may read whatever its share: it takes about a millisecond. */
const READS_FREE = 2 ** 20
/** Values that a processor's caches mostly hold: computing is then as fast as a thin product can be. */
const CACHED = 2 ** 22

/**
 * True if the check is to compute a sample of elements anew. Freivalds' check reads every matrix once or more, and
 * costs as 1/rows + 1/k + 1/columns of the computing: for thin products (1 × K, or k small) as much as it. There it
 * gives way to a sample, unless it takes a millisecond anyway.
 *
 * @param slenderness 1/rows + 1/k + 1/columns of a product whose full check costs a tenth of computing it
 */
export function isSampled(shape: UnitShape, slenderness: number): boolean {
  return isSlender(shape, slenderness) && reads(shape) > READS_FREE
}

const isSlender = ({ rows, k, columns }: UnitShape, slenderness: number) =>
  1 / rows + 1 / k + 1 / columns > slenderness

const reads = ({ rows, k, columns }: UnitShape) => rows * k + k * columns + rows * columns

/**
 * True if checking a unit of this shape takes more than a tenth of computing it: the full check of a small one, and a
 * sample of a thin one of which a processor's cache holds most.
 */
export function isWeak(shape: UnitShape, slenderness: number): boolean {
  return isSlender(shape, slenderness) && reads(shape) < CACHED
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
