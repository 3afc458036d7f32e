import { afterEach, describe, expect, test } from 'vitest'
import type { Engine, EngineInit, EngineUnit } from '../../../src/compute/index.ts'
import { createEngine } from '../../../src/compute/index.ts'
import { spawnThread } from '../../../src/compute/platform.node.ts'
import { createPool } from '../../../src/compute/pool.ts'
import { skillByName } from '../../../src/skills/index.ts'
import { BEHAVIOURS, type Behaviour } from './faulty.skills.ts'

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

let spawned = 0
async function faultyEngine(init: EngineInit = {}): Promise<Engine> {
  spawned = 0
  const spawn = () => {
    spawned++
    return spawnThread(new URL('./faulty.worker.ts', import.meta.url))
  }
  return kept(await createPool({ spawn }, { backend: 'cpu', workers: 1, ...init }))
}

const unit = (behaviour: Behaviour, data = Uint8Array.of(1, 2, 3), ...params: number[]): EngineUnit => ({
  skill: 'faulty',
  params: [BEHAVIOURS.indexOf(behaviour), ...params],
  data,
  parts: []
})
const impatient = (behaviour: Behaviour): EngineUnit => ({ ...unit(behaviour), skill: 'impatient' })
const seed = new Uint8Array(32).fill(7)
const code = (expected: string) => expect.objectContaining({ name: 'ComputeError', code: expected })

describe('the engine in Node', () => {
  test('computes and checks a planned job, the same part sent once', async () => {
    const engine = kept(await createEngine({ workers: 2 }))
    expect(engine.device).toMatchObject({ backend: 'cpu', class: 'cpu-2-no-gpu' })
    expect(engine.concurrency).toBe(2)
    expect(engine.kernels.get('matmul-i8')).toHaveLength(32)
    const a = Int8Array.from({ length: 90 * 50 }, (_, i) => (i * 7) % 251)
    const b = Int8Array.from({ length: 50 * 70 }, (_, i) => (i * 11) % 241)
    const plan = skillByName('matmul-i8').plan({ a, b, m: 90, k: 50, n: 70 }, { units: 6 })
    const assembler = plan.assembler()
    await Promise.all(
      plan.units.map(async ({ params, data, parts }, index) => {
        const bytesOf = (part: number) => plan.parts[part] ?? new Uint8Array(0)
        const unit = {
          skill: 'matmul-i8',
          params,
          data,
          parts: parts.map((part) => ({ hash: `${part}`, bytes: bytesOf(part) }))
        }
        const result = await engine.run(unit)
        expect(await engine.verify(unit, result, seed)).toBe(true)
        expect(
          await engine.verify(
            unit,
            result.map((byte) => byte ^ 1),
            seed
          )
        ).toBe(false)
        expect(await engine.verify(unit, new Uint8Array(3), seed)).toBe(false)
        assembler.accept(index, result)
      })
    )
    const { c } = assembler.finish() as { c: Int32Array }
    const row = (i: number, j: number) =>
      Array.from({ length: 50 }, (_, x) => (a[i * 50 + x] ?? 0) * (b[x * 70 + j] ?? 0)).reduce(
        (s, p) => s + p
      )
    expect(c[0]).toBe(row(0, 0))
    expect(c[90 * 70 - 1]).toBe(row(89, 69))
    expect(c[40 * 70 + 33]).toBe(row(40, 33))
  })

  test('a forced WebGPU backend computes where there is a driver, and says so where there is none', async () => {
    const starting = createEngine({ backend: 'webgpu' })
    const engine = await starting.catch(() => undefined)
    if (engine === undefined) {
      await expect(starting).rejects.toEqual(code('NO_WEBGPU'))
      return
    }
    expect(kept(engine).device.backend).toBe('webgpu')
  })

  test('the caller’s bytes stay the caller’s, also when they are views', async () => {
    const engine = await faultyEngine()
    const data = Uint8Array.of(9, 1, 2, 3, 9).subarray(1, 4)
    expect(await engine.run(unit('echo', data))).toEqual(Uint8Array.of(1, 2, 3))
    expect(await engine.verify(unit('echo', data), data, seed.subarray(0))).toBe(true)
    expect(data).toEqual(Uint8Array.of(1, 2, 3))
  })

  test('an unknown skill and a unit that the skill refuses are typed errors', async () => {
    const engine = await faultyEngine()
    await expect(engine.run({ ...unit('echo'), skill: 'none' })).rejects.toEqual(code('UNKNOWN_SKILL'))
    const refused = expect.objectContaining({ name: 'SkillError', code: 'BAD_UNIT' })
    await expect(engine.run({ ...unit('echo'), skill: 'matmul-i8' })).rejects.toEqual(refused)
    await expect(engine.verify({ ...unit('echo'), skill: 'matmul-i8' }, seed, seed)).rejects.toEqual(refused)
  })

  test('a kernel that throws, or returns a wrong size, is a typed error and costs no worker', async () => {
    const engine = await faultyEngine()
    await expect(engine.run(unit('throws'))).rejects.toThrow(/nothing works/)
    await expect(engine.run(unit('throws'))).rejects.toEqual(code('KERNEL_FAILED'))
    await expect(engine.run(unit('short'))).rejects.toEqual(code('KERNEL_FAILED'))
    expect(await engine.run(unit('echo'))).toEqual(unit('echo').data)
    expect(spawned).toBe(1)
  })

  test('an error that a skill throws comes out as it went in', async () => {
    const engine = await faultyEngine()
    for (const failing of [
      engine.run(unit('typed')),
      engine.verify(unit('typed'), unit('typed').data, seed)
    ]) {
      await expect(failing).rejects.toMatchObject({
        name: 'SkillError',
        code: 'BAD_RESULT',
        message: 'Row 3 is no row.',
        retryable: true,
        details: { row: 3 }
      })
    }
  })

  test.each(['hungry', 'greedy'] as const)(
    'a %s unit, for which there is no room, is a typed error and costs no worker',
    async (behaviour) => {
      const engine = await faultyEngine()
      await expect(engine.run(unit(behaviour))).rejects.toEqual(code('OUT_OF_MEMORY'))
      await expect(engine.verify(unit(behaviour), unit('echo').data, seed)).rejects.toEqual(
        code('OUT_OF_MEMORY')
      )
      expect(await engine.run(unit('echo'))).toEqual(unit('echo').data)
      expect(spawned).toBe(1 + 1) // one for units, one for checks
    }
  )

  test('cancelling a running unit rejects with the reason and frees the worker', async () => {
    const engine = await faultyEngine()
    const controller = new AbortController()
    const reason = new Error('enough')
    const first = engine.run(unit('endless'), {
      signal: controller.signal,
      onProgress: () => controller.abort(reason)
    })
    const next = engine.run(unit('echo'))
    await expect(first).rejects.toBe(reason)
    expect(await next).toEqual(unit('echo').data)
    expect(spawned).toBe(1)
  })

  test('cancelling a waiting unit never starts it', async () => {
    const engine = await faultyEngine()
    const running = new AbortController()
    const waiting = new AbortController()
    const first = engine.run(unit('endless'), { signal: running.signal })
    const second = engine.run(unit('crash'), { signal: waiting.signal })
    waiting.abort()
    await expect(second).rejects.toBe(waiting.signal.reason)
    running.abort()
    await expect(first).rejects.toBe(running.signal.reason)
    expect(await engine.run(unit('echo'))).toEqual(unit('echo').data)
    expect(spawned).toBe(1)
    await expect(engine.run(unit('echo'), { signal: running.signal })).rejects.toBe(running.signal.reason)
  })

  test('a unit over its time is refused; one that never yields loses its worker, and the next one runs', async () => {
    const engine = await faultyEngine()
    const patient = engine.run(impatient('endless'))
    await expect(patient).rejects.toEqual(code('TIMEOUT'))
    expect(spawned).toBe(1)
    const stubborn = engine.run(impatient('stubborn'))
    const next = engine.run(unit('echo'))
    await expect(stubborn).rejects.toEqual(code('TIMEOUT'))
    expect(await next).toEqual(unit('echo').data)
    expect(spawned).toBe(2)
  })

  test('a unit that crashes its worker twice fails; others are not touched', async () => {
    const engine = await faultyEngine({ workers: 2 })
    const crash = engine.run(unit('crash'))
    const others = Array.from({ length: 10 }, (_, i) => engine.run(unit('busy', Uint8Array.of(i), 20)))
    await expect(crash).rejects.toEqual(code('WORKER_CRASHED'))
    expect(await Promise.all(others)).toEqual(Array.from({ length: 10 }, (_, i) => Uint8Array.of(i)))
    expect(await engine.run(unit('echo'))).toEqual(unit('echo').data)
  })

  test('a check that crashes its worker fails, and the verifier comes back', async () => {
    const engine = await faultyEngine()
    const { data } = unit('echo')
    await expect(engine.verify(unit('crash'), data, seed)).rejects.toEqual(code('WORKER_CRASHED'))
    expect(await engine.verify(unit('echo'), data, seed)).toBe(true)
  })

  test('a check does not wait behind units', async () => {
    const engine = await faultyEngine()
    const controller = new AbortController()
    const endless = engine.run(unit('endless'), { signal: controller.signal })
    expect(await engine.verify(unit('echo'), unit('echo').data, seed)).toBe(true)
    controller.abort()
    await expect(endless).rejects.toBe(controller.signal.reason)
  })

  test('power holds the duty cycle, also when it changes on the way', async () => {
    const engine = await faultyEngine({ power: 0.2 })
    const started = performance.now()
    await engine.run(unit('busy', Uint8Array.of(1), 300))
    const slow = performance.now() - started
    // the unit ends by the clock: 300 ms in all, of which it got a fifth; the last rest may follow
    expect(slow).toBeGreaterThan(290)
    const slices = { 0.2: 0, 1: 0 }
    for (const power of [1, 0.2, 0.2, 1] as const) {
      engine.setPower(power)
      await engine.run(unit('busy', Uint8Array.of(1), 300), { onProgress: () => slices[power]++ })
    }
    expect(slices[0.2]).toBeLessThan(slices[1] / 2)
  })

  test('closing fails what runs and what waits, and what comes later', async () => {
    const engine = await faultyEngine()
    const running = engine.run(unit('endless'))
    const waiting = engine.run(unit('echo'))
    engine.close()
    await expect(running).rejects.toEqual(code('CLOSED'))
    await expect(waiting).rejects.toEqual(code('CLOSED'))
    await expect(engine.run(unit('echo'))).rejects.toEqual(code('CLOSED'))
    await expect(engine.verify(unit('echo'), seed, seed)).rejects.toEqual(code('CLOSED'))
  })
})
