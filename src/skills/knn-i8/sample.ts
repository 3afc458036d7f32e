import type { KnnInput } from './plan.ts'

const ROWS = 4096
const QUERIES = 128
const DIMS = 128

/** The seed's noise (Numerical Recipes' generator): 134 million operations. */
export function sampleSearch(seed = 1): KnnInput {
  let state = seed
  const noise = (length: number) =>
    Int8Array.from({ length }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
      return state >> 24
    })
  return { database: noise(ROWS * DIMS), queries: noise(QUERIES * DIMS), dims: DIMS, top: 10, metric: 'l2' }
}
