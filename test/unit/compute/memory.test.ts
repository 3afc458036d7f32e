import fc from 'fast-check'
import { expect, test } from 'vitest'
import { coarseMemory, cpuMemory, gpuMemory } from '../../../src/compute/memory.ts'

const GIB = 2 ** 30
const MIB = 2 ** 20

test('a device is one of seven by its memory, and claims no more than it has', () => {
  const figures = new Set<number>()
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 64 * GIB }), (bytes) => {
      const told = coarseMemory(bytes)
      figures.add(told)
      expect(told).toBeLessThanOrEqual(bytes)
      expect(told === 0 ? bytes < 128 * MIB : told === 4 * GIB || 2 * told > bytes).toBe(true)
    })
  )
  expect(figures.size).toBeLessThanOrEqual(7)
})

test('a GPU tells what one kernel can bind, a CPU a quarter of its memory and no more than WebAssembly has', () => {
  const limits = { maxBufferSize: 4 * GIB, maxStorageBufferBindingSize: 2 * GIB - 4 }
  expect(gpuMemory(limits)).toBe(GIB)
  expect(gpuMemory({ maxBufferSize: 256 * MIB, maxStorageBufferBindingSize: 128 * MIB })).toBe(128 * MIB)
  expect([0.25, 0.5, 4, 8, 128].map((gib) => cpuMemory(gib * GIB))).toEqual([
    0,
    128 * MIB,
    GIB,
    2 * GIB,
    2 * GIB
  ])
  expect(cpuMemory(undefined)).toBe(0)
})
