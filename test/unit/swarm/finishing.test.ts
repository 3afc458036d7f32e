import { expect, test } from 'vitest'
import { matmulI8 } from '../../../src/index.ts'
import { createTestSwarm } from '../../../src/testing.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { product } from '../../fixtures/node-house.ts'

test('who contributes again while it finishes goes on: the job at hand is done, and the next one is taken', async () => {
  await using house = await createTestSwarm({ peers: 2, seed: 5 })
  const [provider] = house.providers
  if (provider === undefined) {
    throw new Error('a provider')
  }
  const hire = (side: number) =>
    house.requester.submit(matmulI8, product(side), { providers: [provider.peer], units: 4 }).result
  const atHand = hire(512)
  await eventually(() => expect(provider.status.work.running).toBeGreaterThan(0))
  const finishing = provider.finish()
  await provider.contribute({ power: 0.5 })
  await finishing
  expect(provider.status).toMatchObject({ contributing: true, paused: undefined, power: 0.5 })
  expect((await atHand).receipt.paid).toBeGreaterThan(0n)
  expect((await hire(32)).receipt.paid).toBeGreaterThan(0n)

  await provider.finish()
  expect(provider.status).toMatchObject({ contributing: false, paused: 'paused' })
})
