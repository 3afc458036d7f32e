/**
 * Real functions from + − × ÷ alone. IEEE 754 fixes the bits of those in every engine, and of no function of
 * `Math` that is not an integer's, so a split that only uses what stands here replays byte for byte.
 */

const INVERSE_ROOT_TWO_PI = 0.3989422804014327
/** Beyond so many standard deviations the normal integral is 0 or 1 to double precision. */
const TAIL = 8.5

/** √x for x ≥ 0 by Heron's rule, from a start within a factor of 2. */
export function squareRoot(x: number): number {
  if (!(x > 0)) {
    return 0
  }
  let start = 1
  for (let rest = x; rest > 4; rest /= 4) {
    start *= 2
  }
  for (let rest = x; rest < 1; rest *= 4) {
    start /= 2
  }
  let root = start
  for (let step = 0; step < 6; step++) {
    root = (root + x / root) / 2
  }
  return root
}

/** x^exponent for a whole exponent ≥ 0, by repeated squaring. */
export function power(x: number, exponent: number): number {
  let result = 1
  let square = x
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) {
      result *= square
    }
    square *= square
  }
  return result
}

/** 1/1 … 1/10: a product is several times as fast as a quotient. */
const RECIPROCALS = [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5, 1 / 6, 1 / 7, 1 / 8, 1 / 9, 1 / 10] as const

/** e^(−x) for 0 ≤ x ≤ 40: Taylor's series of x / 2^8, then 8 squarings. Relative error below 10^-13. */
export function exponentialDecay(x: number): number {
  const small = x / 256
  const [r1, r2, r3, r4, r5, r6, r7, r8, r9, r10] = RECIPROCALS
  let sum = 1 - small * r9 * (1 - small * r10)
  sum = 1 - small * r7 * (1 - small * r8 * sum)
  sum = 1 - small * r5 * (1 - small * r6 * sum)
  sum = 1 - small * r3 * (1 - small * r4 * sum)
  sum = 1 - small * r1 * (1 - small * r2 * sum)
  for (let i = 0; i < 8; i++) {
    sum *= sum
  }
  return sum
}

/** Normal density at x, and the normal integral up to x. */
export interface Normal {
  readonly density: number
  readonly integral: number
}

/**
 * The standard normal distribution. The integral is a rational approximation (J. F. Hart et al., Computer
 * Approximations, 1968, no. 5666, as in G. West, Better approximations to cumulative normal functions, 2005),
 * with an absolute error below 10^-14.
 */
export function normal(x: number): Normal {
  const z = x < 0 ? -x : x
  if (z > TAIL) {
    return { density: 0, integral: x < 0 ? 0 : 1 }
  }
  const decay = exponentialDecay((z * z) / 2)
  const tail = decay * tailRatio(z)
  return { density: decay * INVERSE_ROOT_TWO_PI, integral: x < 0 ? tail : 1 - tail }
}

function tailRatio(z: number): number {
  if (z >= 7.07106781186547) {
    return INVERSE_ROOT_TWO_PI / (z + 1 / (z + 2 / (z + 3 / (z + 4 / (z + 0.65)))))
  }
  let above = 3.52624965998911e-2 * z + 0.700383064443688
  above = above * z + 6.37396220353165
  above = above * z + 33.912866078383
  above = above * z + 112.079291497871
  above = above * z + 221.213596169931
  above = above * z + 220.206867912376
  let below = 8.83883476483184e-2 * z + 1.75566716318264
  below = below * z + 16.064177579207
  below = below * z + 86.7807322029461
  below = below * z + 296.564248779674
  below = below * z + 637.333633378831
  below = below * z + 793.826512519948
  below = below * z + 440.413735824752
  return above / below
}

/** A quadrature rule on [0, 1]: ∫ f ≈ Σ weights[i] · f(nodes[i]). */
export interface Quadrature {
  readonly nodes: Float64Array
  readonly weights: Float64Array
}

const rules = new Map<number, Quadrature>()
const RULES_KEPT = 32

/**
 * The Gauss–Legendre rule of `count` nodes on [0, 1], ascending: exact for polynomials up to degree
 * 2·count − 1. The roots are found by Newton's rule, O(count²), and kept.
 */
export function gaussLegendre(count: number): Quadrature {
  const known = rules.get(count)
  if (known) {
    return known
  }
  const nodes = new Float64Array(count)
  const weights = new Float64Array(count)
  for (let i = 0; i < Math.ceil(count / 2); i++) {
    const { root, slope } = legendreRoot(i, count)
    const weight = 1 / ((1 - root * root) * slope * slope)
    nodes[i] = (1 - root) / 2
    nodes[count - 1 - i] = (1 + root) / 2
    weights[i] = weight
    weights[count - 1 - i] = weight
  }
  if (rules.size >= RULES_KEPT) {
    rules.clear()
  }
  const rule = { nodes, weights }
  rules.set(count, rule)
  return rule
}

const NEWTON_STEPS = 5

/** The i-th greatest root of Legendre's polynomial of a degree, and the slope there. */
function legendreRoot(i: number, degree: number): { root: number; slope: number } {
  let root = cosine((Math.PI * (i + 0.75)) / (degree + 0.5)) // Tricomi's first term
  let slope = 1
  for (let step = 0; step < NEWTON_STEPS; step++) {
    let value = root
    let before = 1
    for (let k = 2; k <= degree; k++) {
      const next = ((2 * k - 1) * root * value - (k - 1) * before) / k
      before = value
      value = next
    }
    slope = (degree * (root * value - before)) / (root * root - 1)
    root -= value / slope
  }
  return { root, slope }
}

/** cos x for 0 ≤ x ≤ π/2 by Taylor's series. */
function cosine(x: number): number {
  let sum = 1
  for (let term = 10; term >= 1; term--) {
    sum = 1 - ((x * x) / ((2 * term - 1) * (2 * term))) * sum
  }
  return sum
}
