import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createEngine, type Engine } from '../../../src/compute/index.ts'
import {
  type MandelbrotInput,
  type RenderInput,
  type Scene,
  skillByName,
  type UnitInput
} from '../../../src/skills/index.ts'

let gpu: Engine
let cpu: Engine
beforeAll(async () => {
  gpu = await createEngine({ backend: 'webgpu' })
  cpu = await createEngine({ backend: 'cpu', workers: 1 })
})
afterAll(() => {
  gpu.close()
  cpu.close()
})

function finish(work: Generator<number, Uint8Array>): Uint8Array {
  for (let step = work.next(); ; step = work.next()) {
    if (step.done) {
      return step.value
    }
  }
}

describe('mandelbrot', () => {
  const skill = skillByName('mandelbrot')
  const inputs: fc.Arbitrary<MandelbrotInput> = fc
    .record({
      x: fc.constantFrom('-0.743643887037158704752191506114774', '-1.7491', '0.2501', '-0.5'),
      y: fc.constantFrom('0.131825904205311970493132056385139', '0', '-0.3'),
      span: fc.integer({ min: 0, max: 54 }).map((zoom) => `3e-${zoom}`),
      width: fc.integer({ min: 1, max: 40 }),
      height: fc.integer({ min: 1, max: 40 }),
      iterations: fc.integer({ min: 1, max: 100 })
    })
    .filter(({ span, width, height }) => (Number(span) * height) / width <= 8)

  test('is the same on both backends as the readable twin, at every depth', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(inputs, async (input) => {
        for (const { params, data } of skill.plan(input).units) {
          const unit: UnitInput = { params, data, parts: [] }
          const right = finish(skill.cpu(unit))
          const task = { skill: 'mandelbrot', params, data, parts: [] }
          expect(await gpu.run(task)).toEqual(right)
          expect(await cpu.run(task)).toEqual(right)
        }
      }),
      { numRuns: 20 }
    )
  })

  test('a unit of many slices is whole', { timeout: 60_000 }, async () => {
    const [unit] = skill.plan(
      { x: '-0.6', y: '0', span: '3', width: 200, height: 150, iterations: 1500 },
      { units: 1 }
    ).units
    if (unit === undefined) {
      throw new Error('no unit')
    }
    const task = { skill: 'mandelbrot', params: unit.params, data: unit.data, parts: [] }
    const shares: number[] = []
    const results = [await gpu.run(task, { onProgress: (share) => shares.push(share) }), await cpu.run(task)]
    expect(results[0]).toEqual(results[1])
    expect(shares.length).toBeGreaterThan(1)
  })
})

describe('render-tile', () => {
  const skill = skillByName('render-tile')
  const example = skill.example() as RenderInput // the skill's own input

  function random(seed: number): () => number {
    let state = seed
    return () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return state / 2 ** 32
    }
  }

  /** The hardest that can be asked for: the last bit of a path grows tenfold from one ball to the next. */
  function mirrorBalls(): Scene {
    const next = random(5)
    const place = () => 6 * next() - 3
    return {
      ...example.scene,
      materials: [{ kind: 'metal', colour: [0.9, 0.8, 0.7], fuzz: 0 }],
      spheres: Array.from({ length: 40 }, () => ({
        centre: [place(), place(), place()],
        radius: 0.2 + 0.6 * next(),
        material: 0
      })),
      triangles: []
    }
  }

  async function tileOnGpu(input: RenderInput) {
    const plan = skill.plan(input, { units: 1 })
    const [unit] = plan.units
    if (unit === undefined) {
      throw new Error('no unit')
    }
    const parts = plan.parts.map((bytes, index) => ({
      hash: `${input.samples}/${index}/${bytes.length}`,
      bytes
    }))
    const result = await gpu.run({ skill: 'render-tile', params: unit.params, data: unit.data, parts })
    return { unit: { ...unit, parts: plan.parts } satisfies UnitInput, result }
  }

  /** Share of the pixels that are off by more than .3 %. */
  function outliers(result: Uint8Array, right: Uint8Array): number {
    const [found, wanted] = [result, right].map((bytes) => new Float32Array(bytes.slice().buffer))
    const off = new Set<number>()
    for (const [at, value] of wanted?.entries() ?? []) {
      if (Math.abs((found?.[at] ?? 0) - value) > 3e-3 * (0.1 + value)) {
        off.add(Math.floor(at / 3))
      }
    }
    return off.size / (right.length / 12)
  }

  test.each([
    ['the example', { ...example, width: 96, height: 64 }, 0.002],
    ['mirrors', { ...example, scene: mirrorBalls(), width: 64, height: 48, samples: 16, depth: 8 }, 0.02]
  ] as const)(
    '%s is on WebGPU what it is on the CPU, and passes the check',
    { timeout: 60_000 },
    async (_, input, share) => {
      const { unit, result } = await tileOnGpu(input)
      expect(outliers(result, finish(skill.cpu(unit)))).toBeLessThanOrEqual(share)
      for (let seed = 0; seed < 100; seed++) {
        expect(skill.verify(unit, result, random(seed))).toBe(true)
      }
    }
  )
})
