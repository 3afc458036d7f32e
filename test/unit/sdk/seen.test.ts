import { expect, test } from 'vitest'
import { createTestSwarm } from '../../../src/testing.ts'

const VIEW = { x: '-0.65', y: '0', span: '3.2', width: 96, height: 64, iterations: 100 }

test('a provider shows the last tile that it computed, of whom, and how long its device was in use, until it pauses', async () => {
  await using house = await createTestSwarm({ peers: 2, seed: 3 })
  const [provider] = house.providers
  expect(provider?.lastPicture?.()).toBeUndefined()
  expect(provider?.status.work.busyMs).toBe(0)

  const { value } = await house.requester.submit('mandelbrot', VIEW, { units: 1 }).result
  const picture = provider?.lastPicture?.()
  expect(picture).toMatchObject({ skill: 'mandelbrot', requester: house.requester.peer })
  expect(picture?.output).toEqual(value)
  const { busyMs } = provider?.status.work ?? {}
  expect(busyMs).toBeGreaterThan(0)

  // a skill without pictures leaves nothing to see, and a node that is done counts no more time
  await house.requester.submit('matmul-i8', { a: new Int8Array(4), b: new Int8Array(4), m: 2, k: 2, n: 2 })
    .result
  expect(provider?.lastPicture?.()).toBeUndefined()
  const later = provider?.status.work.busyMs
  expect(later).toBeGreaterThan(busyMs ?? 0)
  expect(provider?.status.work.busyMs).toBe(later)
  await provider?.pause()
  expect(provider?.lastPicture?.()).toBeUndefined()
})
