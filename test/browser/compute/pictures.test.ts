import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createEngine, type Engine } from '../../../src/compute/index.ts'
import { type MandelbrotInput, skillByName, type UnitInput } from '../../../src/skills/index.ts'

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
