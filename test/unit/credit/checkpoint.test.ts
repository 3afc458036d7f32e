import { decode } from '@ipld/dag-cbor'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { replayChain } from '../../../src/credit/index.ts'
import { memoryStore, type Store } from '../../../src/store/index.ts'
import { LedgerSwarm, type TestPeer } from '../../fixtures/ledger-swarm.ts'

let swarm: LedgerSwarm
beforeEach(async () => {
  swarm = await LedgerSwarm.create()
})
afterEach(() => swarm.stop())

/** Counts the records that are read. */
function countingStore(inner: Store): Store & { read: number } {
  const store = {
    ...inner,
    read: 0,
    chain: {
      ...inner.chain,
      range: async (from?: number, to?: number) => {
        const records = await inner.chain.range(from, to)
        store.read += records.length
        return records
      }
    }
  }
  return store
}

/** Two records each: an escrow that nobody answers for, and its refund. */
async function grow(peer: TestPeer, records: number): Promise<void> {
  const stranger = { peer: (await swarm.add(200 + records)).peer }
  swarm.away.add(stranger.peer)
  const order = {
    jobId: new Uint8Array(16),
    channels: [{ peer: stranger.peer, max: 1n }],
    inputRoot: new Uint8Array(32),
    tClose: swarm.now + 1_000
  }
  for (let i = 0; i < records; i += 2) {
    await peer.ledger.openEscrow(order).catch(() => {})
  }
}

test('every 256 records a checkpoint names the state before it, and a start reads nothing older', async () => {
  const store = countingStore(memoryStore())
  const peer = await swarm.add(1, store)
  await grow(peer, 700)
  const { records } = await peer.ledger.exportLedger()
  const kinds = records.map(({ payload }) => decode<{ kind: string }>(payload).kind)
  const places = kinds.flatMap((kind, seq) => (kind === 'checkpoint' ? [seq] : []))
  expect(places.length).toBeGreaterThanOrEqual(2)
  expect(places.every((seq, i) => seq - (places[i - 1] ?? 0) <= 257)).toBe(true)

  const before = await peer.ledger.balance()
  store.read = 0
  await peer.restart()
  expect(await peer.ledger.balance()).toEqual(before)
  expect(store.read).toBeLessThanOrEqual(257)
  await grow(peer, 2)
  const { records: all } = await peer.ledger.exportLedger()
  expect((await replayChain(undefined, all, swarm.network))?.seq).toBe(all.length - 1)
})

test('after a day the next record is followed by a checkpoint, and a day without records makes none', async () => {
  const peer = await swarm.add(1)
  const kindsOf = async () =>
    (await peer.ledger.exportLedger()).records.map(({ payload }) => decode<{ kind: string }>(payload).kind)
  const checkpoints = async () => (await kindsOf()).filter((kind) => kind === 'checkpoint').length
  await grow(peer, 2)
  expect(await checkpoints()).toBe(0)
  for (let days = 1; days <= 3; days++) {
    swarm.now += 24 * 3_600_000
    await peer.ledger.maintain()
    expect(await checkpoints()).toBe(days - 1)
    await peer.restart()
    await grow(peer, 4)
    expect(await checkpoints()).toBe(days)
  }
  const { records } = await peer.ledger.exportLedger()
  expect((await replayChain(undefined, records, swarm.network))?.seq).toBe(records.length - 1)
})

test('a snapshot that is not the one of its checkpoint is noticed', async () => {
  const store = memoryStore()
  const peer = await swarm.add(1, store)
  await grow(peer, 258)
  const bytes = await store.table('meta').get('checkpoint')
  const state = decode<{ bal: number }>(bytes ?? new Uint8Array())
  const { encode } = await import('@ipld/dag-cbor')
  await store.table('meta').put('checkpoint', encode({ ...state, bal: state.bal + 1 }))
  await expect(peer.restart()).rejects.toMatchObject({ code: 'BAD_RECORD' })
})
