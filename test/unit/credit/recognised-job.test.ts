import { expect, test } from 'vitest'
import { matmulI8, type Swarm } from '../../../src/index.ts'
import { createTestSwarm } from '../../../src/testing.ts'
import { decodeStrict, record, SIGNED_PAYLOAD_MAX } from '../../../src/wire/index.ts'
import { isProduct, product } from '../../fixtures/node-house.ts'

const input = product(256)

async function hire(requester: Swarm, provider: Swarm) {
  const { value, receipt } = await requester.submit(matmulI8, input, { providers: [provider.peer], units: 4 })
    .result
  expect(isProduct(value, input)).toBe(true)
  return receipt
}

/** What the newest escrow of a peer names for its one payee. */
async function named(swarm: Swarm) {
  const { records } = await swarm.exportLedger()
  const escrows = records.flatMap(({ payload }) => {
    const { kind, body } = decodeStrict(payload, record, SIGNED_PAYLOAD_MAX)
    return kind === 'escrow' ? [body] : []
  })
  return escrows.at(-1)?.payees[0]?.on
}

test('the next job of who has worked for a node names that, half of it; under a first seat it is a stranger for a day', async () => {
  await using house = await createTestSwarm({ peers: 3, seed: 3, network: 'main' })
  const [worker] = house.providers
  if (worker === undefined) {
    throw new Error('a provider')
  }
  await house.requester.contribute()
  await expect.poll(() => worker.status.peers.some(({ skills }) => skills.length > 0)).toBe(true)

  const { paid } = await hire(house.requester, worker)
  expect(await named(house.requester)).toEqual([])
  const worth = paid / 2n
  await hire(worker, house.requester)
  expect(await named(worker)).toEqual([{ payer: worker.peer, amount: worth }])
  await hire(worker, house.requester)
  expect(await named(worker)).toEqual([]) // the node sits in that seat, and knows that it is unsure
  expect(await house.audit()).toMatchObject({ debt: 0n })
})
