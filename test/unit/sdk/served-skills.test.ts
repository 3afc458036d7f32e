import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type KnnInput, skillByName } from '../../../src/skills/index.ts'
import { createTestSwarm, type TestSwarm } from '../../../src/testing.ts'
import { product } from '../../fixtures/node-house.ts'

let house: TestSwarm
beforeAll(async () => {
  house = await createTestSwarm({ peers: 2, seed: 11 })
})
afterAll(() => house?.stop())

describe('a provider that serves some skills', () => {
  test('is hired for those, and for nothing else', async () => {
    const { requester, providers } = house
    const [provider] = providers
    await provider?.contribute({ skills: ['knn-i8'] })
    const search = requester.submit('knn-i8', skillByName('knn-i8').example() as KnnInput) // its own example
    expect((await search.result).receipt.paid).toBeGreaterThan(0n)
    const job = requester.submit('matmul-i8', product(16), { providerWaitMs: 300 })
    await expect(job.result).rejects.toMatchObject({ code: 'NO_PROVIDER' })
    expect(provider?.status.work.now).toEqual([])
  })

  test('needs at least one that there is', async () => {
    const [provider] = house.providers
    await expect(provider?.contribute({ skills: [] })).rejects.toMatchObject({ code: 'BAD_OPTION' })
    await expect(provider?.contribute({ skills: ['mining'] })).rejects.toMatchObject({
      code: 'UNKNOWN_SKILL'
    })
  })
})
