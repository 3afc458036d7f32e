import { deleteDB } from 'idb'
import { afterEach, expect, test, vi } from 'vitest'
import { auditExports } from '../../../src/credit/index.ts'
import { indexedDbStore } from '../../../src/store/indexeddb.ts'
import { HOUR, LedgerSwarm, SEED, type TestPeer } from '../../fixtures/ledger-swarm.ts'

/** A contract between ledgers over IndexedDB: what is written how, and what leaves a node whose disk is full. */

const names: string[] = []
let swarm: LedgerSwarm

afterEach(async () => {
  vi.restoreAllMocks()
  await swarm.stop()
  await Promise.all(swarmStores.splice(0).map((store) => store.close()))
  await Promise.all(names.splice(0).map((name) => deleteDB(name)))
})

const swarmStores: Array<Awaited<ReturnType<typeof indexedDbStore>>> = []

async function open(count: number): Promise<[TestPeer, TestPeer, ...TestPeer[]]> {
  swarm = await LedgerSwarm.create({ seats: true })
  const peers: TestPeer[] = []
  for (let seed = 1; seed <= count; seed++) {
    const name = `durability-${Date.now()}-${seed}`
    names.push(name)
    const store = await indexedDbStore(name)
    swarmStores.push(store)
    peers.push(await swarm.add(seed, store))
  }
  return peers as [TestPeer, TestPeer, ...TestPeer[]]
}

async function job(requester: TestPeer, payee: TestPeer): Promise<void> {
  const { escrow } = await requester.escrow([[payee, 1_000n]])
  await payee.ledger.acceptReceipt(await requester.ledger.receipt(escrow, payee.peer, 600n), requester.peer)
  const releases = new Map([[payee.peer, await payee.ledger.release(escrow)]])
  await requester.ledger.settle(escrow, [{ weight: 600n, payees: [0], quorum: 1 }], { seed: SEED, releases })
}

/** The transactions that write, as they are begun. */
function spyOnWrites() {
  const begun = vi.spyOn(IDBDatabase.prototype, 'transaction')
  return () =>
    begun.mock.results
      .map(({ value }) => value as IDBTransaction) // as its type says
      .filter(({ mode }) => mode === 'readwrite')
      .map((transaction) => ({
        stores: [...transaction.objectStoreNames],
        durability: transaction.durability
      }))
}

test('own records, votes, receipts and contracts are written strictly; relaxed is a cache alone', async () => {
  const [requester, payee, ...others] = await open(5)
  const writes = spyOnWrites()
  const puts = vi.spyOn(IDBObjectStore.prototype, 'put')
  await job(requester, payee)
  const stores = puts.mock.contexts as IDBObjectStore[] // a method's own
  const relaxed = stores.flatMap((store, call) =>
    store.transaction.durability === 'strict' ? [] : `${store.name}/${puts.mock.calls[call]?.[1]}`
  )
  expect(relaxed.filter((row) => !/^(chains|meta\/chain)\//.test(row))).toEqual([])
  const strict = new Set(
    writes()
      .filter(({ durability }) => durability === 'strict')
      .flatMap(({ stores }) => stores)
  )
  expect([...strict].sort()).toEqual(expect.arrayContaining(['certificates', 'chain', 'contracts', 'votes']))
  const exports = await Promise.all([requester, payee, ...others].map(({ ledger }) => ledger.exportLedger()))
  expect(await auditExports(exports, swarm.network)).toMatchObject({ balanced: true, certifiedUnclaimed: 0n })
})

test('what a node shows to others is on its disk by then', async () => {
  const [requester, payee] = await open(5)
  const early: number[] = []
  const deliver = swarm.deliver.bind(swarm)
  vi.spyOn(swarm, 'deliver').mockImplementation(async (from, to, request, signal) => {
    if (request.t === 'certify' && from === requester.peer) {
      const kept = await requester.store.chain.range()
      const isKept = kept.some(({ record }) => record.signature.join() === request.record.signature.join())
      if (!isKept) {
        early.push(kept.length)
      }
    }
    return deliver(from, to, request, signal)
  })
  await job(requester, payee)
  expect(early).toEqual([])
  expect(swarm.messages.some(({ request }) => request.t === 'certify')).toBe(true)
})

test('a full disk: nothing that could not be stored is sent, and nothing that was stored is lost', async () => {
  const [requester, payee, ...others] = await open(5)
  await job(requester, payee)
  const before = await requester.ledger.exportLedger()
  const balance = await requester.ledger.balance()
  swarm.messages.length = 0

  const full = () => {
    throw new DOMException('full', 'QuotaExceededError')
  }
  const fails = ['add', 'put'].map((name) =>
    vi.spyOn(IDBObjectStore.prototype, name as 'add' | 'put').mockImplementation(full)
  )
  await expect(requester.escrow([[payee, 100n]])).rejects.toMatchObject({ code: 'FULL' })
  expect(
    swarm.messages.filter(({ from, request }) => from === requester.peer && request.t === 'certify')
  ).toEqual([])
  expect((await requester.ledger.exportLedger()).records).toEqual(before.records)
  expect(await requester.ledger.balance()).toEqual(balance)

  for (const fail of fails) {
    fail.mockRestore()
  }
  swarm.now += HOUR / 60
  await job(requester, payee)
  const exports = await Promise.all([requester, payee, ...others].map(({ ledger }) => ledger.exportLedger()))
  expect(await auditExports(exports, swarm.network)).toMatchObject({ balanced: true, openEscrows: 0n })
})
