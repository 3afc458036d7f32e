import { expect, test } from 'vitest'
import { run } from '../../../examples/pipeline/run.ts'
import { createTestSwarm } from '../../../src/testing.ts'

test('the example finds its neighbours at three providers, and pays each', async () => {
  await using house = await createTestSwarm({ peers: 4, seed: 2 })
  const lines: string[] = []
  const { neighbours, paid, providers } = await run(house.requester, (line) => lines.push(line))
  expect(neighbours).toHaveLength(64 * 3)
  expect(new Set(neighbours).size).toBeGreaterThan(8)
  expect(paid).toBeGreaterThan(0n)
  expect(providers).toBe(3)
  expect(lines.at(-1)).toContain('pipeline')
}, 60_000)
