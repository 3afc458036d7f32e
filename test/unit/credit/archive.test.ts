import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Archive } from '../../../src/credit/archive.ts'
import { memoryStore, type Store, StoreError } from '../../../src/store/index.ts'
import type { PeerIdString, Signed } from '../../../src/wire/index.ts'
import { CrashingStore } from '../../fixtures/crashing-store.ts'
import { testKey } from '../../fixtures/ledger-swarm.ts'

const names: PeerIdString[] = []
for (let seed = 1; seed <= 5; seed++) {
  names.push(peerIdFromPrivateKey(await testKey(seed)).toString() as PeerIdString) // of an Ed25519 key
}
const [ann, bob] = names as [PeerIdString, PeerIdString, ...PeerIdString[]]

const recordOf = (seq: number, size = 100, fill = seq): Signed => ({
  payload: new Uint8Array(size).fill(fill % 251),
  signature: new Uint8Array(64).fill(seq % 251)
})
const recordsOf = (from: number, to: number, size?: number, fill?: number) =>
  Array.from({ length: to - from }, (_, i) => ({ seq: from + i, record: recordOf(from + i, size, fill) }))

/** All that is kept after a place, as somebody gets it who asks page by page. */
async function all(archive: Archive, author: PeerIdString, after: number): Promise<Signed[]> {
  const found: Signed[] = []
  for (let page = await archive.page(author, after); page.length > 0; ) {
    found.push(...page)
    page = await archive.page(author, after + found.length)
  }
  return found
}

const keptBytes = async (store: Store) =>
  (await store.table('chains').entries()).reduce((sum, [, { byteLength }]) => sum + byteLength, 0)

test('gives back what it was given, a page at a time, and over a restart', async () => {
  const store = memoryStore()
  const archive = new Archive({ store })
  for (let seq = 0; seq < 30; seq++) {
    archive.add(ann, recordsOf(seq, seq + 1, 5_000))
  }
  archive.add(bob, recordsOf(7, 9))
  const wanted = recordsOf(0, 30, 5_000).map(({ record }) => record)
  expect((await archive.page(ann, -1)).length).toBeLessThan(14) // 64 KiB
  expect(await all(archive, ann, -1)).toEqual(wanted)
  const next = new Archive({ store })
  await next.load()
  expect(await all(next, ann, 11)).toEqual(wanted.slice(12))
  expect(await all(next, bob, 6)).toEqual(recordsOf(7, 9).map(({ record }) => record))
  expect(await next.page(bob, 5)).toEqual([])
  expect(await next.page(ann, 29)).toEqual([])
  next.add(ann, recordsOf(30, 31, 5_000))
  expect(await all(next, ann, 28)).toEqual(recordsOf(29, 31, 5_000).map(({ record }) => record))
})

test('of another branch, and after a gap, keeps the new records and none of the old ones', async () => {
  const store = memoryStore()
  const archive = new Archive({ store })
  archive.add(ann, recordsOf(0, 20))
  archive.add(ann, recordsOf(5, 12, 100, 99))
  expect(await all(archive, ann, 4)).toEqual(recordsOf(5, 12, 100, 99).map(({ record }) => record))
  expect(await archive.page(ann, 3)).toEqual([])
  archive.add(ann, recordsOf(400, 402))
  expect(await all(archive, ann, 399)).toEqual(recordsOf(400, 402).map(({ record }) => record))
  expect(await store.table('chains').entries()).toHaveLength(2)
})

test('however many names put in however much, in whatever order, it takes no more room than it may', async () => {
  const step = fc.record({
    who: fc.nat(names.length - 1),
    count: fc.integer({ min: 1, max: 9 }),
    size: fc.integer({ min: 20, max: 900 }),
    skip: fc.constantFrom(0, 0, 0, 3),
    restart: fc.constantFrom(false, false, true)
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), async (steps) => {
      const store = memoryStore()
      const limit = 8_000
      let archive = new Archive({ store, limit })
      const next = new Map<PeerIdString, number>()
      for (const { who, count, size, skip, restart } of steps) {
        const author = names[who] ?? ann
        const from = (next.get(author) ?? 0) + skip
        next.set(author, from + count)
        archive.add(author, recordsOf(from, from + count, size))
        await archive.page(author, from)
        expect(await keptBytes(store)).toBeLessThanOrEqual(limit)
        if (restart) {
          archive = new Archive({ store, limit })
          await archive.load()
        }
        // what it gives is what it was given: the last of what came, without a gap
        const tail = await archive.page(author, from + count - 2)
        expect(tail.length).toBeLessThanOrEqual(1)
        expect(tail.map(({ signature }) => signature[0])).toEqual(
          tail.length === 0 ? [] : [(from + count - 1) % 251]
        )
      }
    })
  )
})

test('whoever has most loses its oldest; whose work was seen may have sixteen times as much', async () => {
  for (const [known, loser, keeper] of [
    [undefined, ann, bob],
    [ann, bob, ann]
  ] as const) {
    const archive = new Archive({ store: memoryStore(), limit: 40_000, knows: (peer) => peer === known })
    archive.add(ann, recordsOf(0, 120, 200))
    archive.add(bob, recordsOf(0, 30, 200))
    expect(await archive.page(loser, -1)).toEqual([])
    expect((await archive.page(keeper, -1)).length).toBeGreaterThan(0)
  }
})

test('in a storage that is full it gives half of its room back, each time that it meets the end', async () => {
  const inner = memoryStore()
  let room = 30_000
  const store: Store = {
    ...inner,
    table: (name) => ({
      ...inner.table(name),
      put: async (key, value, options) => {
        if (name === 'chains' && (await keptBytes(inner)) + value.byteLength > room) {
          throw new StoreError('FULL', 'The test’s disk is full.')
        }
        await inner.table(name).put(key, value, options)
      }
    })
  }
  const archive = new Archive({ store })
  for (let seq = 0; seq < 200; seq++) {
    archive.add(ann, recordsOf(seq, seq + 1))
    await archive.page(ann, seq)
  }
  expect(await keptBytes(inner)).toBeLessThan(20_000)
  expect((await all(archive, ann, 198)).length).toBe(1)
  room = 4_000
  archive.add(ann, recordsOf(200, 201))
  await archive.page(ann, 0)
  await archive.page(ann, 0)
  expect(await keptBytes(inner)).toBeLessThan(10_000)
})

test('what could not be written is missing, and no harm', async () => {
  const store = new CrashingStore(memoryStore())
  const archive = new Archive({ store })
  archive.add(ann, recordsOf(0, 5))
  await archive.page(ann, -1)
  store.arm(2, 'before')
  archive.add(ann, recordsOf(5, 10))
  expect(await all(archive, ann, -1)).toEqual(recordsOf(0, 7).map(({ record }) => record))
})
