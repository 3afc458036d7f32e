import { expect, test } from 'vitest'
import { matmulI8 } from '../../../src/index.ts'
import { createTestSwarm } from '../../../src/testing.ts'
import { product } from '../../fixtures/node-house.ts'

test('strangers get what the person lets them have: nothing, or what is usual', async () => {
  await using house = await createTestSwarm({ peers: 2, seed: 4 })
  const [provider] = house.providers
  if (provider === undefined) {
    throw new Error('a provider')
  }
  const hire = (providerWaitMs?: number) =>
    house.requester.submit(matmulI8, product(32), { providers: [provider.peer], providerWaitMs }).result
  expect((await hire()).receipt.paid).toBeGreaterThan(0n)
  await provider.contribute({ strangers: 0 })
  await expect(hire(300)).rejects.toMatchObject({ code: 'NO_PROVIDER' })
  await provider.contribute()
  expect((await hire()).receipt.paid).toBeGreaterThan(0n)
  for (const strangers of [-0.1, 1.1, Number.NaN]) {
    await expect(provider.contribute({ strangers })).rejects.toMatchObject({ code: 'BAD_OPTION' })
  }
})
