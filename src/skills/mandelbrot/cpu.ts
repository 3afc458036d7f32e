import { LIMB_BITS, splitWords } from './fixed.ts'
import type { View } from './view.ts'

const MASK = 2 ** LIMB_BITS - 1
/** Iterations, times limbs squared, between two yields: a few milliseconds. */
const SLICE = 4_000_000

/**
 * How many iterations of z → z² + c keep |z| below 2, for single points, at most `view.iterations`. This is the
 * definition that all kernels keep to, bit by bit: x² , y² and (x + y)² are each rounded down to the last limb,
 * 2xy is what they leave. A point whose z comes back to an earlier one, exactly, never leaves.
 */
export class Escape {
  readonly #limbs: number
  readonly #iterations: number
  readonly #left: Int32Array
  readonly #top: Int32Array
  readonly #step: Int32Array
  readonly #cx: Int32Array
  readonly #cy: Int32Array
  readonly #x: Int32Array
  readonly #y: Int32Array
  readonly #sum: Int32Array
  readonly #xx: Int32Array
  readonly #yy: Int32Array
  readonly #ss: Int32Array
  readonly #oldX: Int32Array
  readonly #oldY: Int32Array

  constructor({ x, y, step, words, iterations }: View) {
    const limbs = 2 * words + 1
    this.#limbs = limbs
    this.#iterations = iterations
    this.#left = splitWords(x)
    this.#top = splitWords(y)
    this.#step = splitWords(step)
    const number = () => new Int32Array(limbs)
    this.#cx = number()
    this.#cy = number()
    this.#x = number()
    this.#y = number()
    this.#sum = number()
    this.#xx = number()
    this.#yy = number()
    this.#ss = number()
    this.#oldX = number()
    this.#oldY = number()
  }

  at(column: number, row: number): number {
    const limbs = this.#limbs
    const x = this.#x
    const y = this.#y
    addSteps(this.#left, this.#step, column, this.#cx)
    addSteps(this.#top, this.#step, -row, this.#cy)
    x.set(this.#cx)
    y.set(this.#cy)
    this.#oldX.set(x)
    this.#oldY.set(y)
    let renewal = 8
    for (let iteration = 0; iteration < this.#iterations; iteration++) {
      square(x, this.#xx, limbs)
      square(y, this.#yy, limbs)
      add(x, y, this.#sum, limbs)
      square(this.#sum, this.#ss, limbs)
      if (this.#next(x, y, limbs) >= 4) {
        return iteration
      }
      if (x[0] === this.#oldX[0] && same(x, this.#oldX) && same(y, this.#oldY)) {
        return this.#iterations
      }
      if (iteration === renewal) {
        renewal *= 2
        this.#oldX.set(x)
        this.#oldY.set(y)
      }
    }
    return this.#iterations
  }

  /** The next z, from the squares; returns the whole part of |z|². */
  #next(x: Int32Array, y: Int32Array, limbs: number): number {
    let carryX = 0
    let carryY = 0
    let carrySize = 0
    for (let i = 0; i < limbs; i++) {
      const xx = this.#xx[i] ?? 0
      const yy = this.#yy[i] ?? 0
      carrySize += xx + yy
      carryX += xx - yy + (this.#cx[i] ?? 0)
      carryY += (this.#ss[i] ?? 0) - xx - yy + (this.#cy[i] ?? 0)
      if (i === limbs - 1) {
        x[i] = carryX
        y[i] = carryY
        break
      }
      x[i] = carryX & MASK
      y[i] = carryY & MASK
      carryX >>= LIMB_BITS
      carryY >>= LIMB_BITS
      carrySize >>= LIMB_BITS
    }
    return carrySize
  }
}

/** One pixel at a time, for the check. */
export function pixelCounter(view: View): (at: number) => number {
  const points = new Escape(view)
  return (at) => points.at(at % view.columns, Math.floor(at / view.columns))
}

/** All pixels of a unit, row by row. */
export function* escapeTimes(view: View): Generator<number, Uint32Array<ArrayBuffer>> {
  const { columns, rows, words } = view
  const points = new Escape(view)
  const counts = new Uint32Array(columns * rows)
  const weight = (2 * words + 1) ** 2
  let work = 0
  for (let at = 0; at < counts.length; at++) {
    const count = points.at(at % columns, Math.floor(at / columns))
    counts[at] = count
    work += (count + 1) * weight
    if (work >= SLICE) {
      work = 0
      yield (at + 1) / counts.length
    }
  }
  return counts
}

/** out = start + step · count */
function addSteps(start: Int32Array, step: Int32Array, count: number, out: Int32Array): void {
  let carry = 0
  for (let i = 0; i < out.length; i++) {
    carry += (start[i] ?? 0) + (step[i] ?? 0) * count
    out[i] = i < out.length - 1 ? carry & MASK : carry
    carry >>= LIMB_BITS
  }
}

/** out = a + b */
function add(a: Int32Array, b: Int32Array, out: Int32Array, limbs: number): void {
  let carry = 0
  for (let i = 0; i < limbs - 1; i++) {
    carry += (a[i] ?? 0) + (b[i] ?? 0)
    out[i] = carry & MASK
    carry >>= LIMB_BITS
  }
  out[limbs - 1] = carry + (a[limbs - 1] ?? 0) + (b[limbs - 1] ?? 0)
}

/**
 * out = a², rounded down. Columns stay below 17 · 2^26 < 2^31: `Math.imul` and `| 0` lose nothing, and keep the
 * engine in integers.
 */
function square(a: Int32Array, out: Int32Array, limbs: number): void {
  const fraction = limbs - 1
  let carry = 0
  for (let column = 0; column <= 2 * fraction; column++) {
    let low = Math.max(0, column - fraction)
    let high = column - low
    let twice = 0
    while (low < high) {
      twice = (twice + Math.imul(a[low] ?? 0, a[high] ?? 0)) | 0
      low++
      high--
    }
    carry = (carry + 2 * twice) | 0
    if (low === high) {
      carry = (carry + Math.imul(a[low] ?? 0, a[low] ?? 0)) | 0
    }
    if (column < 2 * fraction) {
      if (column >= fraction) {
        out[column - fraction] = carry & MASK
      }
      carry >>= LIMB_BITS
    }
  }
  out[fraction] = carry
}

function same(a: Int32Array, b: Int32Array): boolean {
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) {
      return false
    }
  }
  return true
}
