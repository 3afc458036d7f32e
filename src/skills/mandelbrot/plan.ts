import { limbsOf } from './fixed.ts'

export const ITERATIONS_MAX = 65_535
/** Counted operations of a unit by default. An upper limit: most points leave long before the last iteration. */
export const UNIT_OPERATIONS = 2 ** 29

/**
 * Operations of one pixel: three squares of L(L + 1)/2 multiply-adds and 12 sums, carries and comparisons a
 * limb, for each iteration that is allowed. An upper limit, so that the cost follows from the input alone.
 */
export function pixelOperations(words: number, iterations: number): number {
  const limbs = limbsOf(words)
  return (3 * limbs * limbs + 15 * limbs) * iterations
}
