import { afterEach, expect, test, vi } from 'vitest'
import type { Engine, EngineInit } from '../../../src/compute/index.ts'
import { spawnThread } from '../../../src/compute/platform.node.ts'
import { createPool } from '../../../src/compute/pool.ts'

const VARIANTS = ['plain', 'fast', 'wrong', 'broken']
const CPU = 9

const engines: Engine[] = []
afterEach(() => {
  for (const engine of engines.splice(0)) {
    engine.close()
  }
})

const memory = new Map<string, string>()
const tuning = {
  read: async (key: string) => memory.get(key),
  write: async (key: string, winner: string) => void memory.set(key, winner)
}

async function engineWith(init: EngineInit): Promise<Engine> {
  const spawn = () => spawnThread(new URL('./tuned.worker.ts', import.meta.url))
  const engine = await createPool({ spawn }, { workers: 1, tuning, ...init })
  engines.push(engine)
  return engine
}

const run = async (engine: Engine, skill: string) => {
  const [result] = await engine.run({ skill, params: [], data: new Uint8Array(1), parts: [] })
  return result === CPU ? 'cpu' : VARIANTS[result ?? -1]
}

test('serves with the default first, and with the winner after a quiet moment and in the next life', async () => {
  memory.clear()
  const engine = await engineWith({ backend: 'webgpu' })
  expect(await run(engine, 'for-gpu')).toBe('plain')
  await vi.waitFor(() => expect([...memory.values()]).toEqual(['fast']), { timeout: 15_000 })
  expect(await run(engine, 'for-gpu')).toBe('fast')
  const [key] = memory.keys()
  expect(key).toMatch(/^webgpu-sleepy\/[0-9a-f]{64}$/)
  engine.close()
  expect(await run(await engineWith({ backend: 'webgpu' }), 'for-gpu')).toBe('fast')
})

test('gives the CPU what the CPU does faster, unless the GPU is forced', async () => {
  memory.clear()
  const engine = await engineWith({ backend: 'auto' })
  expect(await run(engine, 'for-cpu')).toBe('plain')
  await vi.waitFor(() => expect([...memory.values()]).toEqual(['cpu']), { timeout: 15_000 })
  expect(await run(engine, 'for-cpu')).toBe('cpu')
  engine.close()
  expect(await run(await engineWith({ backend: 'webgpu' }), 'for-cpu')).toBe('plain')
})

test('a remembered variant that fails now is forgotten, and the unit is computed all the same', async () => {
  memory.clear()
  const engine = await engineWith({ backend: 'webgpu' })
  await run(engine, 'for-gpu')
  await vi.waitFor(() => expect(memory.size).toBe(1), { timeout: 15_000 })
  for (const key of memory.keys()) {
    memory.set(key, 'broken')
  }
  const next = await engineWith({ backend: 'webgpu' })
  expect(await run(next, 'for-gpu')).toBe('plain')
  expect([...memory.values()]).toEqual(['plain'])
})

test('without a memory nothing is compared', async () => {
  memory.clear()
  const engine = await engineWith({ backend: 'webgpu', tuning: undefined })
  expect(await run(engine, 'for-gpu')).toBe('plain')
})
