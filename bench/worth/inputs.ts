import { skillByName } from '../../src/skills/index.ts'

/** Jobs of growing size: what `size` means is each skill's own. */
interface Series {
  readonly sizes: readonly number[]
  input(size: number): unknown
}

const SIDES = [64, 128, 192, 256, 384, 512, 768, 1_024, 1_536, 2_048]

function noise(length: number): Int8Array {
  let state = length
  return Int8Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return state >> 24
  })
}

const floats = (length: number) => Float32Array.from(noise(length))

/** An example's fields with some changed: the skills' own inputs are checked when they are planned. */
const example = (skill: string, change: Readonly<Record<string, unknown>>) => ({
  ...(skillByName(skill).example() as object), // every input is an object
  ...change
})

export const SERIES: Readonly<Record<string, Series>> = {
  /** Sides of square matrices. */
  'matmul-i8': {
    sizes: SIDES,
    input: (side) => ({ a: noise(side * side), b: noise(side * side), m: side, k: side, n: side })
  },
  'matmul-f32': {
    sizes: SIDES,
    input: (side) => ({ a: floats(side * side), b: floats(side * side), m: side, k: side, n: side })
  },
  /** Vectors of 128 numbers in the database; a sixteenth as many queries, at most 4,096. */
  'knn-i8': {
    sizes: [1_024, 4_096, 16_384, 65_536, 262_144],
    input: (rows) => ({
      database: noise(rows * 128),
      queries: noise(Math.min(4_096, rows / 16) * 128),
      dims: 128,
      top: 10,
      metric: 'dot'
    })
  },
  /** Sides of square pictures. */
  mandelbrot: {
    sizes: [16, 32, 64, 128, 256, 512, 1_024],
    input: (side) => example('mandelbrot', { width: side, height: side, iterations: 1_000 })
  },
  'render-tile': {
    sizes: [16, 32, 64, 128, 256, 512, 1_024],
    input: (side) => example('render-tile', { width: side, height: side, samples: 8 })
  }
}
