import { afterEach, expect, test, vi } from 'vitest'
import { LedgerSwarm } from '../../fixtures/ledger-swarm.ts'

/** No vote is ever late under these rules, and who is silent is found out soon. */
vi.mock('../../../src/credit/constants.ts', async (original) => ({
  ...(await original<typeof import('../../../src/credit/constants.ts')>()),
  ESCROW_VOTE_MS: 600_000,
  SILENT_MS: 300
}))

let swarm: LedgerSwarm
afterEach(() => swarm.stop())

test('a witness that crashed and still looks connected is not waited for: another one sits, and the job goes on', async () => {
  swarm = await LedgerSwarm.create({ seats: true })
  const [payer, witness] = [await swarm.add(1), await swarm.add(2)]
  await payer.escrow([[witness, 10n]])
  const payee = await swarm.add(3)
  swarm.hung.add(witness.peer)
  const clock = setInterval(() => {
    swarm.now += 100
  }, 10)
  try {
    expect((await payer.escrow([[payee, 10n]])).certifiedBy).toEqual([payee.peer])
  } finally {
    clearInterval(clock)
  }
})
