import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createEngine, type Engine } from '../../../src/compute/index.ts'
import { cpuMemory } from '../../../src/compute/memory.ts'
import { ComputeHost } from '../../../src/compute/worker/host.ts'
import { Specialism } from '../../../src/router/index.ts'
import { kernelHash, SKILLS } from '../../../src/skills/index.ts'
import { keepWarm } from '../../../src/swarm/keep-warm.ts'

const compile = vi.spyOn(WebAssembly, 'compile')
beforeEach(() => void compile.mockClear())

let engine: Engine | undefined
afterEach(() => engine?.close())

test('a skill that was made ready compiles nothing at its first unit', async () => {
  const host = new ComputeHost({ skills: SKILLS, kernelHash })
  await host.start({ backend: 'cpu', power: 1, profile: 'page' }, () => {})
  await host.warm('matmul-i8', undefined)
  expect(compile).toHaveBeenCalledTimes(1)
  const { params, data, parts } = await host.sample('matmul-i8')
  await host.run({
    id: 1,
    skill: 'matmul-i8',
    params,
    data,
    parts: parts.map((bytes, i) => ({ hash: `${i}`, bytes })),
    drop: [],
    progress: false
  })
  expect(compile).toHaveBeenCalledTimes(1)
  await expect(host.warm('teleport', undefined)).rejects.toMatchObject({ code: 'UNKNOWN_SKILL' })
})

test('an engine tells its memory in coarse steps, and never rejects for a skill that cannot be made ready', async () => {
  engine = await createEngine({ backend: 'cpu', workers: 1 })
  expect(engine.device.memory).toBe(cpuMemory((await import('node:os')).totalmem()))
  await engine.warm?.('matmul-i8')
  await engine.warm?.('teleport')
})

test('a provider makes ready the two skills that it answers first', async () => {
  const names = ['a', 'b', 'c']
  const specialism = new Specialism(names)
  specialism.performed('c')
  const warmed: string[] = []
  const cold = { warm: async (skill: string) => void warmed.push(skill) } as unknown as Engine // nothing else is asked
  await keepWarm(cold, specialism.order(names.map((name) => ({ name }))))
  expect(warmed).toEqual(['c', 'a'])
})
