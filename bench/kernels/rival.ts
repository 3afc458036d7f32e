/** One way to compute a case of the bench. */
export interface Rival {
  /** Such as `swarmharness`, `jax-js`. */
  readonly name: string
  /** Computes once and hands the result over, to be checked. */
  result(): Promise<Float32Array | Int32Array | Uint8Array>
  /** Computes once on inputs that are in place, and waits until it is done. */
  run(): Promise<void> | void
  /** As `run`, without waiting: for batches. */
  submit?(): void
  dispose(): void
}

/** Two square matrices, row-major. */
export interface Product<Matrix extends Float32Array | Int8Array> {
  readonly side: number
  readonly a: Matrix
  readonly b: Matrix
}

/** The same noise each time. */
export function noise(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return state
  }
}

export function floatProduct(side: number): Product<Float32Array> {
  const next = noise(side)
  const make = () => Float32Array.from({ length: side * side }, () => next() / 2 ** 31)
  return { side, a: make(), b: make() }
}

export function byteProduct(side: number): Product<Int8Array> {
  const next = noise(side)
  const make = () => Int8Array.from({ length: side * side }, () => next() >> 24)
  return { side, a: make(), b: make() }
}

/**
 * Compares 512 elements with sums in float64: within 4 · K · 2^-24 of the sum of sizes for floats, exact for bytes.
 *
 * @throws RangeError with the first element that is off
 */
export function checkProduct(
  { side, a, b }: Product<Float32Array | Int8Array>,
  c: Float32Array | Int32Array | Uint8Array
): void {
  if (c.length !== side * side) {
    throw new RangeError(`${c.length} elements, not ${side * side}.`)
  }
  const next = noise(7)
  const slack = a instanceof Float32Array ? 4 * side * 2 ** -24 : 0
  for (let sample = 0; sample < 512; sample++) {
    const i = (next() >>> 8) % side
    const j = (next() >>> 8) % side
    let sum = 0
    let size = 0
    for (let k = 0; k < side; k++) {
      const product = (a[i * side + k] ?? 0) * (b[k * side + j] ?? 0)
      sum += product
      size += Math.abs(product)
    }
    const off = Math.abs((c[i * side + j] ?? Number.NaN) - sum)
    if (!(off <= slack * size)) {
      throw new RangeError(`Element ${i}, ${j} is ${c[i * side + j]}, not ${sum}.`)
    }
  }
}
