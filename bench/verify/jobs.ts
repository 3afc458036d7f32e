import { randomFrom } from '../../src/compute/worker/random.ts'
import {
  type KnnInput,
  type MandelbrotInput,
  type MatmulF32Input,
  type MatmulInput,
  type RenderInput,
  type Skill,
  skillByName,
  type UnitInput,
  type Vector
} from '../../src/skills/index.ts'

/** Units of each job, so that one can be answered with another's result. */
export const UNITS = 4

const M = 96
const K = 192
const N = 128
const ROWS = 2048
const QUERIES = 32
const DIMS = 48

/** A stream from a small seed: the same in Node and in the page. */
export function seeded(seed: number): () => number {
  const bytes = new Uint8Array(32)
  new DataView(bytes.buffer).setUint32(0, seed, true)
  return randomFrom(bytes)
}

const int8 = (length: number, random: () => number) =>
  Int8Array.from({ length }, () => Math.floor(random() * 256) - 128)
const floats = (length: number, random: () => number) => Float32Array.from({ length }, () => random() * 2 - 1)

/** Two matrices of that many a side. */
function square<Matrix>(
  side: number,
  make: (length: number, random: () => number) => Matrix,
  random: () => number
) {
  return { a: make(side * side, random), b: make(side * side, random), m: side, k: side, n: side }
}

/** Jobs of the same shape that differ by `seed`: small, so that thousands of results can be judged. */
const INPUTS: Readonly<Record<string, (random: () => number) => unknown>> = {
  'matmul-i8': (random): MatmulInput => ({
    a: int8(M * K, random),
    b: int8(K * N, random),
    m: M,
    k: K,
    n: N
  }),
  'matmul-f32': (random): MatmulF32Input => ({
    a: floats(M * K, random),
    b: floats(K * N, random),
    m: M,
    k: K,
    n: N
  }),
  'knn-i8': (random): KnnInput => ({
    database: int8(ROWS * DIMS, random),
    queries: int8(QUERIES * DIMS, random),
    dims: DIMS,
    top: 8,
    metric: 'l2'
  }),
  mandelbrot: (random): MandelbrotInput => ({
    x: `-0.7436${Math.floor(random() * 1e6)}`,
    y: `0.1318${Math.floor(random() * 1e6)}`,
    span: '0.001',
    width: 96,
    height: 64,
    iterations: 500
  }),
  'render-tile'(random): RenderInput {
    const example = skillByName('render-tile').example() as RenderInput // the skill's own input
    const { scene } = example
    const from: Vector = [random() * 4 - 2, 1 + random(), 6 + random()]
    const sky = { bottom: colour(random), top: colour(random) }
    return {
      scene: { ...scene, sky, camera: { ...scene.camera, from } },
      width: 96,
      height: 64,
      samples: 4,
      depth: 6,
      seed: Math.floor(random() * 2 ** 32)
    }
  }
}

const colour = (random: () => number): Vector => [0.2 + random(), 0.2 + random(), 0.2 + random()]

/** How a result's elements lie in its bytes. */
export const isFloat = (skill: string): boolean => ['matmul-f32', 'render-tile'].includes(skill)

/** True if there are inputs for this skill: a new one must be added above. */
export const hasJobs = (skill: string): boolean => Object.hasOwn(INPUTS, skill)

/** The units of job number `seed`. */
export function unitsOf(skill: Skill, seed: number): UnitInput[] {
  const input = INPUTS[skill.manifest.name]?.(seeded(seed))
  return unitInputs(skill, input, UNITS)
}

/** Jobs that fill the planner's units: what checking costs is told of these. Others: the skill's sample. */
const LARGE: Readonly<Record<string, (random: () => number) => unknown>> = {
  'matmul-i8': (random): MatmulInput => square(1024, int8, random),
  'matmul-f32': (random): MatmulF32Input => square(1024, floats, random),
  'knn-i8': (random): KnnInput => ({
    database: int8(2 ** 16 * 128, random),
    queries: int8(1024 * 128, random),
    dims: 128,
    top: 10,
    metric: 'l2'
  })
}

/** Products with a side of one. */
const THIN: Readonly<Record<string, (random: () => number) => unknown>> = {
  'matmul-i8': (random): MatmulInput => ({
    a: int8(4096, random),
    b: int8(2 ** 24, random),
    m: 1,
    k: 4096,
    n: 4096
  }),
  'matmul-f32': (random): MatmulF32Input => ({
    a: floats(4096, random),
    b: floats(2 ** 24, random),
    m: 1,
    k: 4096,
    n: 4096
  })
}

/** Jobs too small for a check to cost a tenth. */
const SMALL: Readonly<Record<string, (random: () => number) => unknown>> = {
  'matmul-i8': (random): MatmulInput => square(128, int8, random),
  'matmul-f32': (random): MatmulF32Input => square(128, floats, random),
  'knn-i8': (random): KnnInput => ({
    database: int8(2 ** 14 * 128, random),
    queries: int8(128, random),
    dims: 128,
    top: 10,
    metric: 'l2'
  }),
  mandelbrot: (): MandelbrotInput => ({
    x: '-0.743643',
    y: '0.131825',
    span: '0.001',
    width: 16,
    height: 16,
    iterations: 500
  }),
  'render-tile': (): RenderInput => ({
    ...(skillByName('render-tile').example() as RenderInput), // the skill's own input
    width: 16,
    height: 16
  })
}

/** One of a small job; and whether its check is weak, as the planner says. */
export function smallUnit(skill: Skill): { readonly unit: UnitInput; readonly isWeak: boolean } {
  const input = SMALL[skill.manifest.name]?.(seeded(0)) ?? skill.example()
  return { unit: middleUnit(skill, input), isWeak: skill.plan(input).units[0]?.check === 'weak' }
}

/** A unit of the planner's own choice, of a job that is large enough for one. */
export function typicalUnit(skill: Skill): UnitInput {
  const input = LARGE[skill.manifest.name]?.(seeded(0)) ?? skill.sample?.() ?? skill.example()
  return middleUnit(skill, input)
}

/** One of a thin job, for skills that have such; and whether its check is weak, as the planner says. */
export function thinUnit(skill: Skill): { readonly unit: UnitInput; readonly isWeak: boolean } | undefined {
  const input = THIN[skill.manifest.name]?.(seeded(0))
  return input === undefined
    ? undefined
    : { unit: middleUnit(skill, input), isWeak: skill.plan(input).units[0]?.check === 'weak' }
}

function middleUnit(skill: Skill, input: unknown): UnitInput {
  const units = unitInputs(skill, input)
  const unit = units[units.length >> 1]
  if (unit === undefined) {
    throw new Error(`The input for ${skill.manifest.name} plans no unit.`)
  }
  return unit
}

function unitInputs(skill: Skill, input: unknown, units?: number): UnitInput[] {
  const plan = skill.plan(input, units === undefined ? {} : { units })
  return plan.units.map(({ params, data, parts }) => ({
    params,
    data,
    parts: parts.map((part) => plan.parts[part] ?? new Uint8Array(0))
  }))
}
