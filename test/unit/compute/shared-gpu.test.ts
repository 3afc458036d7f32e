import { expect, test } from 'vitest'
import { spawnThread } from '../../../src/compute/platform.node.ts'
import { createPool } from '../../../src/compute/pool.ts'

const unit = (behaviour: number, data = 0) => ({
  skill: 'faulty',
  params: [behaviour],
  data: Uint8Array.of(data),
  parts: []
})

test.each([
  ['takes the worker with it', 1, 'WORKER_CRASHED'],
  ['takes the device with it', 2, 'DEVICE_LOST']
])('a unit that %s, twice, costs no other requester’s unit', async (_, behaviour, code) => {
  const spawn = () => spawnThread(new URL('./shared-gpu.worker.ts', import.meta.url))
  const engine = await createPool({ spawn }, { backend: 'webgpu' })
  try {
    expect(engine.concurrency).toBe(2)
    // in work beside it, and waiting behind it
    const before = engine.run(unit(0, 1))
    const bad = engine.run(unit(behaviour))
    const behind = Array.from({ length: 6 }, (_, i) => engine.run(unit(0, i + 2)))
    await expect(bad).rejects.toMatchObject({ name: 'ComputeError', code })
    expect(await Promise.all([before, ...behind])).toEqual(
      [1, 2, 3, 4, 5, 6, 7].map((each) => Uint8Array.of(each))
    )
    expect(await engine.run(unit(0, 9))).toEqual(Uint8Array.of(9))
  } finally {
    engine.close()
  }
})
