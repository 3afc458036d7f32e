import { describe, expect, test } from 'vitest'
import { auditExports, replayChain, verifyRecord } from '../../../src/credit/index.ts'
import { memoryStore } from '../../../src/store/index.ts'
import type { Signed } from '../../../src/wire/index.ts'
import { CrashingStore, type CrashMoment } from '../../fixtures/crashing-store.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { LedgerSwarm, SEED, type TestPeer } from '../../fixtures/ledger-swarm.ts'

/** More writes than a job makes on either side. */
const WRITES = 12
const MOMENTS: readonly CrashMoment[] = ['before', 'after']

/** Records and votes that left a peer in messages. */
async function sentRecords(swarm: LedgerSwarm, of: TestPeer): Promise<Map<number, Set<string>>> {
  const places = new Map<number, Set<string>>()
  for (const { from, request } of swarm.messages) {
    if (from !== of.peer || request.t !== 'certify') {
      continue
    }
    for (const signed of [request.record, ...request.tail]) {
      const { id, record } = await verifyRecord(signed, swarm.network)
      places.set(record.seq, (places.get(record.seq) ?? new Set()).add(id.toString()))
    }
  }
  return places
}

async function job(requester: TestPeer, provider: TestPeer): Promise<void> {
  const { escrow } = await requester.escrow([[provider, 1_000n]])
  for (const amount of [200n, 400n]) {
    const receipt = await requester.ledger.receipt(escrow, provider.peer, amount)
    // a provider that crashes here says nothing: the requester goes on
    await provider.ledger.acceptReceipt(receipt, requester.peer).catch(() => {})
  }
  await requester.ledger.settle(escrow, [{ weight: 600n, payees: [0], quorum: 1 }], { seed: SEED })
}

describe.each(['requester', 'provider'] as const)('a %s that crashes at any write', (who) => {
  test.each(MOMENTS)(
    '%s it is stored keeps one record a place, balanced books and what was receipted',
    async (moment) => {
      for (let at = 0; at < WRITES; at++) {
        const swarm = await LedgerSwarm.create()
        const stores = {
          requester: new CrashingStore(memoryStore()),
          provider: new CrashingStore(memoryStore())
        }
        const requester = await swarm.add(1, stores.requester)
        const provider = await swarm.add(2, stores.provider)
        const crashing = who === 'requester' ? requester : provider
        await job(requester, provider)
        stores[who].arm(at, moment)
        await job(requester, provider).catch(() => {})
        const receipted = (await provider.ledger.balance()).verified

        await crashing.restart(stores[who].inner)
        swarm.away.clear()
        await swarm.back(crashing.peer)
        await eventually(async () => expect((await provider.ledger.balance()).verified).toBe(0n))
        // and life goes on
        await job(requester, provider)

        const exports = await Promise.all([requester, provider].map(({ ledger }) => ledger.exportLedger()))
        const books = await auditExports(exports, swarm.network)
        expect(books).toMatchObject({ balanced: true, openEscrows: 0n, minted: 20_000_000n })
        for (const places of [await sentRecords(swarm, requester), await sentRecords(swarm, provider)]) {
          expect([...places.values()].every((ids) => ids.size === 1)).toBe(true)
        }
        const earned = (await provider.ledger.balance()).settled - 10_000_000n
        expect(earned).toBeGreaterThanOrEqual(1_200n + receipted)
        await swarm.stop()
      }
    }
  )
})

test('a node whose genesis could not be stored starts afresh', async () => {
  const swarm = await LedgerSwarm.create()
  for (const moment of MOMENTS) {
    const store = new CrashingStore(memoryStore())
    store.arm(0, moment)
    await expect(swarm.add(7, store)).rejects.toThrow('crashed')
    const peer = await swarm.add(7, store.inner)
    expect((await peer.ledger.exportLedger()).records).toHaveLength(1)
    await peer.ledger.stop()
  }
})

test('a witness that crashes between storing a vote and sending it gives the same vote again', async () => {
  const swarm = await LedgerSwarm.create()
  const requester = await swarm.add(1)
  const store = new CrashingStore(memoryStore())
  const provider = await swarm.add(2, store)
  const chain: Signed[] = [...(await requester.ledger.exportLedger()).records]
  store.arm(1, 'after') // 0: the contract, 1: the vote
  await expect(requester.escrow([[provider, 100n]])).rejects.toMatchObject({ code: 'NO_VOTES' })
  await provider.restart(store.inner)
  const [, escrow] = (await requester.ledger.exportLedger()).records
  if (!escrow) {
    throw new Error('no escrow')
  }
  const ask = () =>
    swarm.deliver(requester.peer, provider.peer, { t: 'certify', record: escrow, tail: chain, evidence: [] })
  const [one, two] = [await ask(), await ask()]
  expect(one.t).toBe('vote')
  expect(two).toEqual(one)
  expect(await replayChain(undefined, chain, swarm.network)).toBeDefined()
  await swarm.stop()
})
