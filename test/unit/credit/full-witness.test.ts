import { afterEach, expect, test, vi } from 'vitest'
import { eventually } from '../../fixtures/eventually.ts'
import { LedgerSwarm, type TestPeer } from '../../fixtures/ledger-swarm.ts'

vi.mock('../../../src/credit/constants.ts', async (original) => ({
  ...(await original<typeof import('../../../src/credit/constants.ts')>()),
  AUTHORS_MAX: 2
}))

let swarm: LedgerSwarm | undefined
afterEach(() => swarm?.stop())

test('a witness that free names have filled still votes for those whose work it has seen', async () => {
  swarm = await LedgerSwarm.create({ seats: true })
  const witness = await swarm.add(1)
  const followed = async () => (await witness.store.table('votes').entries()).map(([author]) => author)
  swarm.known.set(witness.peer, new Set())
  const hire = (peer: TestPeer) => peer.escrow([[witness, 10n]]).catch(() => {}) // who finds no witness is not certified
  for (let seed = 2; seed < 6; seed++) {
    await hire(await swarm.add(seed))
  }
  await eventually(async () => expect(await followed()).toHaveLength(2))
  const friend = await swarm.add(9)
  swarm.known.set(witness.peer, new Set([friend.peer]))
  await hire(friend)
  await eventually(async () => expect(await followed()).toContain(friend.peer))
  expect(await followed()).toHaveLength(3)
})
