import { deleteDB, openDB } from 'idb'
import { describe, expect, test, vi } from 'vitest'
import { openStore, type Store, TABLES } from '../../../src/store/index.ts'
import { indexedDbStore, MIGRATIONS } from '../../../src/store/indexeddb.ts'
import { storeSuite, testRecord } from '../../fixtures/store-suite.ts'

let counter = 0
const freshName = () => `test-${Date.now()}-${counter++}`

storeSuite(
  'IndexedDB store',
  async () => {
    const name = freshName()
    return {
      open: () => indexedDbStore(name),
      async reopen(store) {
        await store.close()
        return indexedDbStore(name)
      },
      dispose: () => deleteDB(name)
    }
  },
  20
)

/** Two connections that are used by turns: as two tabs would, if no lock kept them from it. */
async function byTurns(name: string): Promise<Store> {
  const stores = [await indexedDbStore(name), await indexedDbStore(name)] as const
  let calls = 0
  const next = () => stores[calls++ % 2 === 0 ? 0 : 1]
  return {
    identity: () => next().identity(),
    saveIdentity: (key) => next().saveIdentity(key),
    chain: {
      head: () => next().chain.head(),
      append: (...change) => next().chain.append(...change),
      replace: (...change) => next().chain.replace(...change),
      range: (...places) => next().chain.range(...places)
    },
    table: (table) => next().table(table),
    async close() {
      await Promise.all(stores.map((store) => store.close()))
    }
  }
}

storeSuite(
  'IndexedDB store by two connections',
  async () => {
    const name = freshName()
    return { open: () => byTurns(name), dispose: () => deleteDB(name) }
  },
  20
)

test('writes with strict durability, unless relaxed is asked for', async () => {
  const name = freshName()
  const store = await indexedDbStore(name)
  const transaction = vi.spyOn(IDBDatabase.prototype, 'transaction')
  const written = async (write: () => Promise<void>) => {
    transaction.mockClear()
    await write()
    return transaction.mock.results
      .map(({ value }) => value as IDBTransaction)
      .filter(({ mode }) => mode === 'readwrite')
      .map(({ durability }) => durability)
  }
  try {
    expect(await written(() => store.saveIdentity(Uint8Array.of(1)))).toEqual(['strict'])
    const row = { table: 'votes' as const, key: 'k', value: Uint8Array.of(1) }
    expect(await written(() => store.chain.append(testRecord(0), [row]))).toEqual(['strict'])
    expect(await written(() => store.table('votes').put('k', Uint8Array.of(1)))).toEqual(['strict'])
    expect(await written(() => store.table('votes').delete('k'))).toEqual(['strict'])
    expect(await written(() => store.table('chains').put('k', Uint8Array.of(1), { relaxed: true }))).toEqual([
      'relaxed'
    ])
  } finally {
    transaction.mockRestore()
    await store.close()
    await deleteDB(name)
  }
})

/** What each version looked like when it was the newest: written down, not asked of the code. */
const PAST_VERSIONS: ReadonlyArray<{ readonly keyPaths: Readonly<Record<string, string | null>> }> = [
  {
    keyPaths: {
      identity: null,
      chain: 'seq',
      votes: null,
      chains: null,
      contracts: null,
      certificates: null,
      meta: null
    }
  }
]

describe('a database of version', () => {
  test.each(PAST_VERSIONS.map((past, i) => [i + 1, past] as const))(
    '%i is taken over with all that is in it',
    async (version, { keyPaths }) => {
      const name = freshName()
      const old = await openDB(name, version, {
        upgrade(database) {
          for (const [store, keyPath] of Object.entries(keyPaths)) {
            database.createObjectStore(store, keyPath === null ? {} : { keyPath })
          }
        }
      })
      await old.put('identity', Uint8Array.of(7), 'self')
      await old.put('chain', testRecord(0))
      const tables = Object.keys(keyPaths).filter((store) => store !== 'identity' && store !== 'chain')
      for (const table of tables) {
        await old.put(table, Uint8Array.of(1, 2), `of ${table}`)
      }
      old.close()

      const store = await indexedDbStore(name)
      expect(await store.identity()).toEqual(Uint8Array.of(7))
      expect(await store.chain.range()).toEqual([testRecord(0)])
      for (const table of TABLES) {
        const kept = tables.includes(table) ? [[`of ${table}`, Uint8Array.of(1, 2)]] : []
        expect(await store.table(table).entries()).toEqual(kept)
        await store.table(table).put('new', Uint8Array.of(3))
      }
      await store.chain.append(testRecord(1))
      await store.close()
      await deleteDB(name)
    }
  )

  test('is the newest, and every one before it is tried here', () => {
    expect(PAST_VERSIONS).toHaveLength(MIGRATIONS.length)
  })
})

test('makes way for a newer version and says so', async () => {
  const name = freshName()
  const store = await indexedDbStore(name)
  const newer = await openDB(name, 99)
  await expect(store.chain.head()).rejects.toMatchObject({ code: 'CLOSED' })
  newer.close()
  await expect(indexedDbStore(name)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await deleteDB(name)
})

test('says that an older version in another tab stands in the way', async () => {
  const name = freshName()
  const older = indexedDB.open(name, 1)
  await new Promise((resolve) => older.addEventListener('success', resolve))
  await expect(indexedDbStore(name, [...MIGRATIONS, () => {}])).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    retryable: true
  })
  older.result.close()
  await deleteDB(name)
})

test('says that storage is denied', async () => {
  const open = vi.spyOn(indexedDB, 'open').mockImplementation(() => {
    throw new DOMException('denied', 'SecurityError')
  })
  try {
    await expect(openStore({ network: 'local' })).rejects.toMatchObject({ code: 'DENIED' })
  } finally {
    open.mockRestore()
  }
})

test('says that the storage is full, and keeps what it had', async () => {
  const name = freshName()
  const store = await indexedDbStore(name)
  await store.chain.append(testRecord(0))
  const put = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
    throw new DOMException('full', 'QuotaExceededError')
  })
  try {
    const row = { table: 'meta' as const, key: 'k', value: Uint8Array.of(1) }
    await expect(store.chain.append(testRecord(1), [row])).rejects.toMatchObject({ code: 'FULL' })
  } finally {
    put.mockRestore()
  }
  expect(await store.chain.range()).toEqual([testRecord(0)])
  await store.close()
  await deleteDB(name)
})
