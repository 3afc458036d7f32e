import { afterEach, describe, expect, test, vi } from 'vitest'
import { auditExports } from '../../../src/credit/index.ts'
import { DOMAINS, type LedgerResponse, type PeerIdString, sign } from '../../../src/wire/index.ts'
import { copyStore } from '../../fixtures/copy-store.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { LedgerSwarm, SEED, type TestPeer } from '../../fixtures/ledger-swarm.ts'

let swarm: LedgerSwarm
afterEach(() => swarm.stop())

async function open(count: number, rules = {}) {
  swarm = await LedgerSwarm.create({ seats: true, rules })
  const peers: TestPeer[] = []
  for (let seed = 1; seed <= count; seed++) {
    peers.push(await swarm.add(seed))
  }
  return peers as [TestPeer, TestPeer, ...TestPeer[]]
}

async function job(requester: TestPeer, payee: TestPeer, amount: bigint): Promise<void> {
  const { escrow } = await requester.escrow([[payee, 1_000n]])
  await payee.ledger.acceptReceipt(await requester.ledger.receipt(escrow, payee.peer, amount), requester.peer)
  await requester.ledger.settle(escrow, [{ weight: amount, payees: [0], quorum: 1 }], { seed: SEED })
}

const length = async (peer: TestPeer) => (await peer.ledger.exportLedger()).records.length
const booksOf = async (peers: readonly TestPeer[]) =>
  auditExports(await Promise.all(peers.map(({ ledger }) => ledger.exportLedger())), swarm.network)

describe('a profile that was rolled back', () => {
  test('takes up what its witnesses kept, signs no place twice, and its books balance', async () => {
    const peers = await open(5)
    const [requester, payee] = peers
    await job(requester, payee, 100n)
    const old = await copyStore(requester.store)
    await job(requester, payee, 200n)
    await job(requester, payee, 300n)
    const newest = await length(requester)

    await requester.restart(old)
    await job(requester, payee, 400n)
    expect(await length(requester)).toBe(newest + 2)
    expect(await booksOf(peers)).toMatchObject({ balanced: true, debt: 0n })
    expect((await payee.ledger.balance()).settled).toBe(10_001_000n)
    expect(swarm.logs.join()).not.toContain('conflict')
  })

  test('while another copy of it goes on: each takes up what the other did', async () => {
    const peers = await open(5)
    const [requester, payee] = peers
    await job(requester, payee, 100n)
    const [one, two] = [requester.store, await copyStore(requester.store)]
    for (const [i, store] of [two, one, two, one].entries()) {
      await requester.restart(store)
      await job(requester, payee, BigInt(i + 1))
    }
    await payee.ledger.maintain()
    expect(await booksOf(peers)).toMatchObject({ balanced: true, debt: 0n, openEscrows: 0n })
    expect((await payee.ledger.balance()).settled).toBe(10_000_110n)
  })

  test('beyond what they kept signs nothing at all', async () => {
    const [requester, payee] = await open(4)
    await job(requester, payee, 100n)
    const old = await copyStore(requester.store)
    for (let i = 0; i < 20; i++) {
      await job(requester, payee, 1n)
    }
    const before = await old.chain.range()
    await requester.restart(old)
    await expect(requester.escrow([[payee, 1n]])).rejects.toMatchObject({ code: 'RECOVERING' })
    expect(await old.chain.range()).toEqual(before)
  })
})

describe('a node that starts again', () => {
  test('signs nothing before a quorum of its witnesses has answered', async () => {
    const peers = await open(5)
    const [requester, payee, ...others] = peers
    await job(requester, payee, 100n)
    const before = await length(requester)
    for (const { peer } of others) {
      swarm.away.add(peer)
    }
    await requester.restart()
    const next = requester.escrow([[payee, 1n]])
    await eventually(() => expect(swarm.logs.join()).toContain('did not say where this chain ends'))
    expect(await length(requester)).toBe(before)
    for (const { peer } of others) {
      await swarm.back(peer)
    }
    await next
    expect(await length(requester)).toBeGreaterThan(before)
  })

  test('goes on without them when the network is patient no longer', async () => {
    const [requester, payee, ...others] = await open(5, { seatPatienceMs: 300 })
    await job(requester, payee, 100n)
    for (const { peer } of others) {
      swarm.away.add(peer)
    }
    await requester.restart()
    swarm.now += 1_000
    const { certifiedBy } = await requester.escrow([[payee, 1n]])
    expect(certifiedBy).toEqual([payee.peer])
  })

  test('takes no record that it has not signed', async () => {
    const [requester, payee, liar] = await open(4)
    if (!liar) {
      throw new Error('four peers')
    }
    await job(requester, payee, 100n)
    const { records } = await requester.ledger.exportLedger()
    const last = records.at(-1)
    const forged = await sign(liar.key, DOMAINS.record, { forged: true })
    const deliver = swarm.deliver.bind(swarm)
    vi.spyOn(swarm, 'deliver').mockImplementation(
      async (from, to, request, signal): Promise<LedgerResponse> => {
        if (request.t === 'head' && to === liar.peer) {
          const seq = records.length + 5
          return {
            t: 'head',
            seq,
            now: swarm.now,
            tail: [forged, ...(last ? [{ ...last, signature: new Uint8Array(64) }] : [])]
          }
        }
        return deliver(from, to, request, signal)
      }
    )
    await requester.restart()
    await job(requester, payee, 1n)
    expect(await length(requester)).toBe(records.length + 2)
  })
})

test('anybody may ask how far a chain goes, and of strangers nothing is known', async () => {
  const [requester, payee, other] = await open(3)
  await job(requester, payee, 100n)
  const ask = (author: PeerIdString, after: number) =>
    swarm.deliver(payee.peer, other?.peer ?? payee.peer, { t: 'head', author, after })
  expect(await ask(requester.peer, -1)).toMatchObject({ t: 'head', seq: 3 })
  expect(await ask(requester.peer, 2)).toMatchObject({ t: 'head', seq: 3, tail: [expect.anything()] })
  expect(await ask(payee.peer, -1)).toEqual({ t: 'head', seq: -1, now: swarm.now, tail: [] })
})
