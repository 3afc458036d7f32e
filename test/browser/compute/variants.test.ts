import { describe, expect, test } from 'vitest'
import { WebGpuBackend } from '../../../src/compute/worker/webgpu-backend.ts'
import { SKILLS, type Skill, type UnitInput } from '../../../src/skills/index.ts'
import { drain } from '../../fixtures/wasm-twin.ts'

let state = 1
const next = () => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
  return state
}
const random = () => (next() >>> 0) / 2 ** 32
const int8s = (length: number) => Int8Array.from({ length }, () => next() >> 24)
const floats = (length: number) => Float32Array.from({ length }, () => next() / 2 ** 31)

/** Shapes that fit no tile, thin ones, and one of several workgroups. */
const SHAPES = [
  [1, 1, 1],
  [1, 300, 1],
  [3, 5, 130],
  [67, 129, 45],
  [129, 65, 200]
] as const
const INPUTS: Readonly<Record<string, readonly unknown[]>> = {
  'matmul-i8': SHAPES.map(([m, k, n]) => ({ a: int8s(m * k), b: int8s(k * n), m, k, n })),
  'matmul-f32': SHAPES.map(([m, k, n]) => ({ a: floats(m * k), b: floats(k * n), m, k, n })),
  'knn-i8': [
    [1, 1, 1, 1, 'l2'],
    [1030, 70, 20, 32, 'dot'],
    [2500, 3, 130, 7, 'l2']
  ].map(([rows, queries, dims, top, metric]) => ({
    database: int8s(Number(rows) * Number(dims)),
    queries: int8s(Number(queries) * Number(dims)),
    dims,
    top,
    metric
  }))
}
const variants = Object.keys(INPUTS).flatMap((name) =>
  (SKILLS.get(name)?.variants ?? []).map((variant) => ({ name, variant: variant.name, needs: variant.needs }))
)
const adapter = await navigator.gpu?.requestAdapter()
const isOffered = (need: string) =>
  adapter?.features.has(need) === true || navigator.gpu.wgslLanguageFeatures.has(need)

function onlyUnit(skill: Skill, input: unknown): UnitInput {
  const { parts, units } = skill.plan(input, { units: 1 })
  const [unit] = units
  if (unit === undefined) {
    throw new Error('nothing planned')
  }
  return { ...unit, parts: unit.parts.map((part) => parts[part] ?? new Uint8Array(0)) }
}

describe('on WebGPU', () => {
  test.for(variants)(
    '$name in variant $variant passes the check, and integers equal the CPU twin',
    async ({ name, variant, needs }, { skip }) => {
      const missing = needs.filter((need) => !isOffered(need))
      skip(missing.length > 0, `not run: this adapter has no ${missing.join(', ')}`)
      const skill = SKILLS.get(name)
      const kernel = skill?.variants.find((each) => each.name === variant)
      if (skill === undefined || kernel === undefined) {
        throw new Error(`no ${name}/${variant}`)
      }
      const features = new Set(kernel.needs)
      const backend = new WebGpuBackend({ name: 'test', share: 1, needs: features, features })
      for (const [index, input] of (INPUTS[name] ?? []).entries()) {
        const unit = onlyUnit(skill, input)
        const hashes = unit.parts.map((_, part) => `${index}/${part}`)
        const result = await backend.run(
          { ...skill, variants: [kernel] },
          { ...unit, hashes },
          { signal: new AbortController().signal, onProgress: () => {} }
        )
        expect(skill.verify(unit, result, random)).toBe(true)
        if (name.endsWith('-i8')) {
          expect(result).toEqual(drain(skill.cpu(unit)))
        }
      }
    }
  )
})
