import { afterEach, expect, test, vi } from 'vitest'
import { Follower } from '../../../src/credit/follower.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { LedgerSwarm, NOW, SEED } from '../../fixtures/ledger-swarm.ts'

/** Three escrows of one payee under these rules, of a few hundred bytes each, and no four. */
vi.mock('../../../src/credit/constants.ts', async (original) => ({
  ...(await original<typeof import('../../../src/credit/constants.ts')>()),
  OPEN_BYTES_MAX: 1_024
}))

let swarm: LedgerSwarm
afterEach(() => swarm.stop())

test('no author opens escrows that fill its witnesses: when some are settled, it goes on', async () => {
  swarm = await LedgerSwarm.create()
  const [payer, payee] = [await swarm.add(1), await swarm.add(2)]
  const first = await payer.escrow([[payee, 10n]])
  let open = 1
  for (let isBusy = false; !isBusy && open < 9; ) {
    try {
      await payer.escrow([[payee, 10n]])
      open += 1
    } catch (error) {
      expect(error).toMatchObject({ code: 'BUSY', retryable: true })
      isBusy = true
    }
  }
  expect(open).toBeGreaterThan(1)
  expect(open).toBeLessThan(9)
  const given = await payer.ledger.receipt(first.escrow, payee.peer, 10n)
  await payee.ledger.acceptReceipt(given, payer.peer)
  await payer.ledger.settle(first.escrow, [{ weight: 10n, payees: [0], quorum: 1 }], { seed: SEED })
  await payer.escrow([[payee, 10n]])
})

test('a chain with more of them is followed by nobody, one that never had them open at once is', async () => {
  swarm = await LedgerSwarm.create()
  const [{ peer }, greedy, modest] = (await Promise.all(
    [1, 2, 3].map((seed) => TestChain.create(swarm.network, seed, NOW))
  )) as [TestChain, TestChain, TestChain]
  for (let i = 0; i < 9; i++) {
    const body = { nonce: new Uint8Array(16).fill(i) }
    await greedy.append(greedy.escrowIntent([[peer, 1n]], NOW, body))
    const escrow = await modest.append(modest.escrowIntent([[peer, 1n]], NOW, body))
    await modest.append(modest.settleIntent(escrow, [1n], NOW))
  }
  const follower = new Follower({ network: swarm.network })
  await expect(follower.follow(greedy.peer, greedy.signed)).rejects.toMatchObject({ code: 'BUSY' })
  expect((await follower.follow(greedy.peer, greedy.signed.slice(0, 3))).state?.openEscrows.size).toBe(2)
  expect((await follower.follow(modest.peer, modest.signed)).state?.openEscrows.size).toBe(0)
})

test('nor one that joins branch after branch of them by heals', async () => {
  swarm = await LedgerSwarm.create()
  const [{ peer }, author] = (await Promise.all(
    [1, 2].map((seed) => TestChain.create(swarm.network, seed, NOW))
  )) as [TestChain, TestChain]
  await author.append(author.escrowIntent([[peer, 1n]], NOW))
  for (let nonce = 1; nonce <= 9; nonce++) {
    const other = await TestChain.create(swarm.network, 2, NOW)
    const escrow = await other.append(
      other.escrowIntent([[peer, 1n]], NOW, { nonce: new Uint8Array(16).fill(nonce) })
    )
    const body = { head: escrow.id, branch: [other.signedAt(1)], witnesses: [], quorum: 0 }
    await author.append({ kind: 'heal', ts: NOW, body }, [escrow])
  }
  const follower = new Follower({ network: swarm.network })
  await expect(follower.follow(author.peer, author.signed)).rejects.toMatchObject({ code: 'BUSY' })
  expect((await follower.follow(author.peer, author.signed.slice(0, 4))).state?.openEscrows.size).toBe(3)
})
