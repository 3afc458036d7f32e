/**
 * Sides of the tuner's sample, .15 s on a software adapter. So many steps that kernels which sum 1,024 of them at a time
 * begin anew: a device that does this wrong must not get such a kernel.
 */
const SIDE = 352
const INNER = 1_088
/** Numerical Recipes' generator. */
const STEP = 1_664_525
const ADD = 1_013_904_223

/** Two matrices of the seed's noise: `next` makes an element of 32 random bits (signed). */
export function sampleProduct<Matrix>(make: (length: number, next: () => number) => Matrix, seed = 1) {
  let state = seed
  const next = () => {
    state = (Math.imul(state, STEP) + ADD) | 0
    return state
  }
  return { a: make(SIDE * INNER, next), b: make(INNER * SIDE, next), m: SIDE, k: INNER, n: SIDE }
}
