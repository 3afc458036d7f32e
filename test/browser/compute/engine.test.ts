import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { Engine, EngineInit, EngineUnit } from '../../../src/compute/index.ts'
import { createEngine } from '../../../src/compute/index.ts'
import { fromWebWorker } from '../../../src/compute/platform.ts'
import { createPool } from '../../../src/compute/pool.ts'
import { type MatmulInput, type Plan, skillByName } from '../../../src/skills/index.ts'
import { BEHAVIOURS, type Behaviour } from '../../unit/compute/faulty.skills.ts'

const engines: Engine[] = []
const kept = (engine: Engine): Engine => {
  engines.push(engine)
  return engine
}
afterEach(() => {
  for (const engine of engines.splice(0)) {
    engine.close()
  }
})

async function losingEngine(init: EngineInit): Promise<Engine> {
  const spawn = () =>
    fromWebWorker(new Worker(new URL('./losing.worker.ts', import.meta.url), { type: 'module' }))
  return kept(await createPool({ spawn }, init))
}

const skill = skillByName('matmul-i8')
const seed = new Uint8Array(32).fill(5)
const code = (expected: string) => expect.objectContaining({ name: 'ComputeError', code: expected })

function product({ a, b, m, k, n }: MatmulInput): Int32Array {
  const c = new Int32Array(m * n)
  for (let i = 0; i < m; i++) {
    for (let x = 0; x < k; x++) {
      for (let j = 0; j < n; j++) {
        c[i * n + j] = (c[i * n + j] ?? 0) + (a[i * k + x] ?? 0) * (b[x * n + j] ?? 0)
      }
    }
  }
  return c
}

function matmulInput(m: number, k: number, n: number, seedling = 1): MatmulInput {
  let state = seedling
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return state >> 24
  }
  return { a: new Int8Array(m * k).map(next), b: new Int8Array(k * n).map(next), m, k, n }
}

let job = 0
function unitsOf(plan: Plan<unknown>): EngineUnit[] {
  job++
  return plan.units.map(({ params, data, parts }) => ({
    skill: 'matmul-i8',
    params,
    data,
    parts: parts.map((part) => ({ hash: `${job}/${part}`, bytes: plan.parts[part] ?? new Uint8Array(0) }))
  }))
}

async function compute(engine: Engine, input: MatmulInput, units?: number): Promise<Int32Array> {
  const plan = skill.plan(input, units === undefined ? {} : { units })
  const assembler = plan.assembler()
  const results = await Promise.all(unitsOf(plan).map((unit) => engine.run(unit)))
  for (const [index, result] of results.entries()) {
    assembler.accept(index, result)
  }
  return (assembler.finish() as { c: Int32Array }).c
}

/** Two seconds or so of SwiftShader. */
const longUnit = () => unitsOf(skill.plan(matmulInput(1024, 2048, 1024), { units: 1 }))[0] as EngineUnit

const int8 = fc.oneof(fc.constantFrom(-128, 127), fc.integer({ min: -128, max: 127 }))
const side = fc.oneof(fc.constantFrom(1, 31, 32, 33), fc.integer({ min: 1, max: 70 }))
const inputs = fc.tuple(side, side, side).chain(([m, k, n]) =>
  fc.record({
    a: fc.array(int8, { minLength: m * k, maxLength: m * k }).map((values) => Int8Array.from(values)),
    b: fc.array(int8, { minLength: k * n, maxLength: k * n }).map((values) => Int8Array.from(values)),
    m: fc.constant(m),
    k: fc.constant(k),
    n: fc.constant(n)
  })
)

describe.each(['webgpu', 'cpu'] as const)('the %s backend', (backend) => {
  test('gives what the oracle gives, for any shape', { timeout: 60_000 }, async () => {
    const engine = kept(await createEngine({ backend, workers: 1 }))
    expect(engine.device.backend).toBe(backend)
    expect(engine.device.class).toMatch(/^(webgpu-[a-z0-9-]+|cpu-1)$/)
    await fc.assert(
      fc.asyncProperty(inputs, fc.integer({ min: 1, max: 6 }), async (input, units) => {
        expect(await compute(engine, input, units)).toEqual(product(input))
      }),
      { numRuns: 30 }
    )
  })

  test('is exact at the largest sums and in several slices', async () => {
    const engine = kept(await createEngine({ backend, workers: 1 }))
    const extreme = {
      a: new Int8Array(5 * 4096).fill(-128),
      b: new Int8Array(4096 * 3).fill(-128),
      m: 5,
      k: 4096,
      n: 3
    }
    expect(new Set(await compute(engine, extreme))).toEqual(new Set([2 ** 26]))
    const large = matmulInput(300, 500, 310)
    expect(await compute(engine, large, 1)).toEqual(product(large))
  })

  test('cancels a long unit within a slice, and goes on with the next', async () => {
    const engine = kept(await createEngine({ backend, workers: 1 }))
    const small = matmulInput(3, 3, 3)
    await compute(engine, small)
    const controller = new AbortController()
    const shares: number[] = []
    const long = engine.run(longUnit(), {
      signal: controller.signal,
      onProgress: (share) => {
        shares.push(share)
        controller.abort()
      }
    })
    await expect(long).rejects.toHaveProperty('name', 'AbortError')
    expect(shares[0]).toBeLessThan(0.5)
    const started = performance.now()
    expect(await compute(engine, small)).toEqual(product(small))
    expect(performance.now() - started).toBeLessThan(1_500)
  })

  test('takes less of the device at a lower power', async () => {
    const engine = kept(await createEngine({ backend, workers: 1 }))
    // long enough for many slices: the CPU is thirty times as fast as a software adapter
    const input = backend === 'cpu' ? matmulInput(1024, 2048, 1024) : matmulInput(256, 1024, 256)
    const unit = unitsOf(skill.plan(input, { units: 1 }))[0] as EngineUnit
    const time = async (power: number) => {
      engine.setPower(power)
      const started = performance.now()
      await engine.run(unit)
      return performance.now() - started
    }
    const full = Math.min(await time(1), await time(1), await time(1))
    expect(await time(0.1)).toBeGreaterThan(full * 2)
  })
})

describe('kernels', () => {
  test.each(skill.variants.map(({ name }) => name))('variant %s is exact', async (name) => {
    const { openWebGpu } = await import('../../../src/compute/worker/webgpu-backend.ts')
    const opened = await openWebGpu(1, new Set(skill.variants.flatMap(({ needs }) => needs)), true)
    if (opened === undefined) {
      throw new Error('these tests need WebGPU')
    }
    const { backend } = opened
    if (!backend.variants(skill).includes(name)) {
      return // the device lacks what the variant needs
    }
    const extreme = {
      a: new Int8Array(9 * 4095).fill(-128),
      b: new Int8Array(4095 * 9).fill(-128),
      m: 9,
      k: 4095,
      n: 9
    }
    for (const input of [matmulInput(67, 129, 45), matmulInput(1, 2049, 130), extreme]) {
      const plan = skill.plan(input, { units: 1 })
      const [unit] = plan.units
      const [part = new Uint8Array(0)] = plan.parts
      if (unit === undefined) {
        throw new Error('nothing planned')
      }
      const result = await backend.run(
        skill,
        { params: unit.params, data: unit.data, parts: [part], hashes: [`${input.k}`] },
        { signal: new AbortController().signal, onProgress: () => {}, variant: name }
      )
      expect(new Int32Array(result.buffer)).toEqual(product(input))
    }
  })

  test('a kernel that does not compile is a typed error', async () => {
    const { WebGpuBackend } = await import('../../../src/compute/worker/webgpu-backend.ts')
    const backend = new WebGpuBackend({ name: 'test', share: 1 })
    const broken = { ...skill, variants: [{ name: 'broken', wgsl: 'fn main( {', needs: [] }] }
    const unit = { params: [1, 1, 1], data: new Uint8Array(16), parts: [new Uint8Array(16)], hashes: ['x'] }
    const options = { signal: new AbortController().signal, onProgress: () => {} }
    await expect(backend.run(broken, unit, options)).rejects.toEqual(code('KERNEL_FAILED'))
    const impossible = { ...skill, variants: [{ name: 'plain', wgsl: '', needs: ['quantum'] }] }
    await expect(backend.run(impossible, unit, options)).rejects.toEqual(code('KERNEL_FAILED'))
  })
})

describe('a device without room', () => {
  test('is a typed error that may pass; its parts are sent anew with the next unit', async () => {
    const { WebGpuBackend } = await import('../../../src/compute/worker/webgpu-backend.ts')
    const backend = new WebGpuBackend({ name: 'test', share: 1 })
    const input = matmulInput(9, 8, 7)
    const plan = skill.plan(input, { units: 1 })
    const [planned] = plan.units
    const [part = new Uint8Array(0)] = plan.parts
    const unit = { params: planned?.params ?? [], data: planned?.data ?? part, parts: [part], hashes: ['b'] }
    const options = { signal: new AbortController().signal, onProgress: () => {} }
    const { popErrorScope } = GPUDevice.prototype
    let scopes = 0
    // of a unit's allocation the device says: validation passed, out of memory
    GPUDevice.prototype.popErrorScope = async function () {
      const fault = await popErrorScope.call(this)
      return scopes++ === 1 ? new GPUOutOfMemoryError('no room') : fault
    }
    try {
      await expect(backend.run(skill, unit, options)).rejects.toMatchObject({
        code: 'OUT_OF_MEMORY',
        retryable: true
      })
    } finally {
      GPUDevice.prototype.popErrorScope = popErrorScope
    }
    const { createBuffer } = GPUDevice.prototype
    let made = 0
    GPUDevice.prototype.createBuffer = function (descriptor) {
      made++
      return createBuffer.call(this, descriptor)
    }
    try {
      expect(new Int32Array((await backend.run(skill, unit, options)).buffer)).toEqual(product(input))
      const withPart = made
      expect(new Int32Array((await backend.run(skill, unit, options)).buffer)).toEqual(product(input))
      expect(made - withPart).toBe(withPart - 1) // the part stayed this time
    } finally {
      GPUDevice.prototype.createBuffer = createBuffer
    }
  })
})

describe('the engine in a page', () => {
  test('prefers the CPU to a software adapter, and says so', async () => {
    const adapter = await navigator.gpu.requestAdapter()
    const engine = kept(await createEngine({ workers: 2 }))
    if (adapter?.info.isFallbackAdapter || adapter?.info.architecture === 'swiftshader') {
      expect(engine.device).toMatchObject({ backend: 'cpu', class: 'cpu-2-software-gpu' })
    } else {
      expect(engine.device.backend).toBe('webgpu')
    }
  })

  test('compiles a pipeline before the first unit if it is told to', async () => {
    const { createComputePipelineAsync } = GPUDevice.prototype
    let compiled = 0
    GPUDevice.prototype.createComputePipelineAsync = function (descriptor) {
      compiled++
      return createComputePipelineAsync.call(this, descriptor)
    }
    try {
      const { WebGpuBackend } = await import('../../../src/compute/worker/webgpu-backend.ts')
      const backend = new WebGpuBackend({ name: 'webgpu-test', share: 1 })
      const [unit] = unitsOf(skill.plan(matmulInput(20, 30, 40), { units: 1 }))
      if (unit === undefined) {
        throw new Error('nothing planned')
      }
      const own = {
        ...unit,
        parts: unit.parts.map(({ bytes }) => bytes),
        hashes: unit.parts.map(({ hash }) => hash)
      }
      await backend.warm(skill, own, undefined)
      expect(compiled).toBe(1)
      await backend.run(skill, own, { signal: new AbortController().signal, onProgress: () => {} })
      expect(compiled).toBe(1)
    } finally {
      GPUDevice.prototype.createComputePipelineAsync = createComputePipelineAsync
    }
  })

  test('checks on a worker of its own, and tells its memory in coarse steps', async () => {
    const engine = kept(await createEngine({ backend: 'webgpu' }))
    expect(Math.log2(engine.device.memory ?? 0) % 1).toBe(0)
    expect(engine.device.memory).toBeGreaterThanOrEqual(2 ** 27)
    const [unit] = unitsOf(skill.plan(matmulInput(20, 30, 40), { units: 1 }))
    if (unit === undefined) {
      throw new Error('nothing planned')
    }
    const result = await engine.run(unit)
    const controller = new AbortController()
    const long = engine.run(longUnit(), { signal: controller.signal })
    expect(await engine.verify(unit, result, seed)).toBe(true)
    result[5] = (result[5] ?? 0) ^ 4
    expect(await engine.verify(unit, result, seed)).toBe(false)
    controller.abort()
    await expect(long).rejects.toBe(controller.signal.reason)
  })

  test('outlives a lost device: running units end right, on a new one', async () => {
    const engine = await losingEngine({ backend: 'webgpu' })
    const input = matmulInput(700, 1024, 700)
    const channel = new BroadcastChannel('losing-worker')
    const plan = skill.plan(input, { units: 2 })
    const assembler = plan.assembler()
    let losses = 0
    const results = await Promise.all(
      unitsOf(plan).map((unit) =>
        engine.run(unit, {
          onProgress: () => {
            if (losses++ === 0) {
              channel.postMessage({ hide: 0 })
            }
          }
        })
      )
    )
    for (const [index, result] of results.entries()) {
      assembler.accept(index, result)
    }
    expect((assembler.finish() as { c: Int32Array }).c).toEqual(product(input))
    channel.close()
  })

  test('a device that does not come back is a typed error within 2 s, and the engine works when it is there again', async () => {
    const engine = await losingEngine({ backend: 'webgpu' })
    const channel = new BroadcastChannel('losing-worker')
    let lost = 0
    const running = engine.run(longUnit(), {
      onProgress: () => {
        lost ||= performance.now()
        channel.postMessage({ hide: 4 })
      }
    })
    await expect(running).rejects.toEqual(code('DEVICE_LOST'))
    expect(performance.now() - lost).toBeLessThan(2_000)
    const small = matmulInput(5, 6, 7)
    expect(await compute(engine, small)).toEqual(product(small))
    channel.close()
  })

  test('a crashed worker is replaced', async () => {
    const engine = await losingEngine({ backend: 'cpu', workers: 2 })
    const unit = (behaviour: Behaviour, skill = 'faulty'): EngineUnit => ({
      skill,
      params: [BEHAVIOURS.indexOf(behaviour)],
      data: Uint8Array.of(1, 2, 3),
      parts: []
    })
    const crash = engine.run(unit('crash'))
    const others = Promise.all([engine.run(unit('echo')), engine.run(unit('echo'))])
    await expect(crash).rejects.toEqual(code('WORKER_CRASHED'))
    expect(await others).toHaveLength(2)
    expect(await engine.run(unit('echo'))).toEqual(Uint8Array.of(1, 2, 3))
    await expect(engine.run(unit('endless', 'impatient'))).rejects.toEqual(code('TIMEOUT'))
    await expect(engine.run(unit('stubborn', 'impatient'))).rejects.toEqual(code('TIMEOUT'))
    expect(await engine.run(unit('echo'))).toEqual(Uint8Array.of(1, 2, 3))
  })

  test('tiny units are cheap', async () => {
    for (const [backend, limit] of [
      ['cpu', 4],
      ['webgpu', 25]
    ] as const) {
      const engine = kept(await createEngine({ backend, workers: 1 }))
      const [unit] = unitsOf(skill.plan(skill.example(), { units: 1 }))
      if (unit === undefined) {
        throw new Error('nothing planned')
      }
      await engine.run(unit)
      const started = performance.now()
      for (let i = 0; i < 100; i++) {
        await engine.run(unit)
      }
      const each = (performance.now() - started) / 100
      console.log(`${backend}: ${each.toFixed(2)} ms a tiny unit`)
      expect(each).toBeLessThan(limit)
    }
  })
})
