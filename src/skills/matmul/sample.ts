/** Sides of the tuner's sample: a unit of typical shape, .15 s on a software adapter. */
const SIDE = 512
/** Numerical Recipes' generator. */
const STEP = 1_664_525
const ADD = 1_013_904_223

/** Two square matrices of the same noise each time: `next` makes an element of 32 random bits (signed). */
export function sampleProduct<Matrix>(make: (length: number, next: () => number) => Matrix) {
  let state = 1
  const next = () => {
    state = (Math.imul(state, STEP) + ADD) | 0
    return state
  }
  return { a: make(SIDE * SIDE, next), b: make(SIDE * SIDE, next), m: SIDE, k: SIDE, n: SIDE }
}
