import { expect, test } from 'vitest'
import { openHouse } from '../../../bench/pipeline/house.ts'

const noise = (length: number) => Float32Array.from({ length }, () => Math.random() - 0.5)

/** Many bytes and few operations: `bench pipeline` measures the figure, of which this is the limit, on a larger one. */
test('what goes from stage to stage does not pass through the requester', async () => {
  await using house = await openHouse(3)
  const [m, k, n] = [2_048, 256, 64]
  for (let isCalm = false; !isCalm; ) {
    const input = { a: noise(m * k), b: noise(k * n), m, k, n }
    const later = [noise(n * n), noise(n * n)] as const
    const before = house.counter.total
    const job = house.requester.pipeline([
      { skill: 'matmul-f32', input },
      { skill: 'matmul-f32', input: { b: later[0], n }, via: { relu: true } },
      { skill: 'matmul-f32', input: { b: later[1], n }, via: { exponent: -3 } }
    ])
    const types = []
    for await (const { type } of job) {
      types.push(type)
    }
    const { value } = await job.result
    const inputs = [input.a, input.b, ...later].reduce((sum, { byteLength }) => sum + byteLength, 0)
    const needed = inputs + value.c.byteLength + (job.pulledBytes ?? 0)
    isCalm = !types.includes('retried') // a busy machine may lose a peer: then rows travel twice
    if (isCalm) {
      expect((house.counter.total - before) / needed).toBeLessThan(1.06)
    }
  }
}, 60_000)
