import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB, unwrap } from 'idb'
import { chainShortened, identityTaken, placeTaken, StoreError, storeClosed } from './errors.ts'
import { copyBytes, copyRecord } from './memory.ts'
import type { Store, StoredRecord, Table, TableName, TableWrite } from './store.ts'

type TableSchema = { [name in TableName]: { key: string; value: Uint8Array } }

interface Schema extends DBSchema, TableSchema {
  identity: { key: string; value: Uint8Array }
  chain: { key: number; value: StoredRecord }
}

type Database = IDBPDatabase<Schema>
type StoreName = 'identity' | 'chain' | TableName
type Upgrade = IDBPTransaction<Schema, StoreName[], 'versionchange'>

export type Migration = (database: Database, transaction: Upgrade) => void

/**
 * Migrations by the version that they lead to: `MIGRATIONS[0]` makes version 1 from nothing. One that was released
 * never changes: a table that comes later comes by a migration of its own.
 */
export const MIGRATIONS: readonly Migration[] = [
  (database) => {
    database.createObjectStore('identity')
    database.createObjectStore('chain', { keyPath: 'seq' })
    for (const name of ['votes', 'chains', 'contracts', 'certificates', 'meta'] as const) {
      database.createObjectStore(name)
    }
  }
]

const SELF = 'self'

/**
 * The store of a tab. Writes are `durability: 'strict'`, so that a promise that resolved survives a power cut.
 *
 * @param name of the database, one a network
 * @param migrations other than the default in tests only
 * @throws StoreError `DENIED` where the browser lets the page keep nothing, `UNAVAILABLE` while another tab
 * holds an older version open
 */
export async function indexedDbStore(name: string, migrations = MIGRATIONS): Promise<Store> {
  let gone: StoreError | undefined
  /** The highest place that this connection knows to be taken. */
  let taken = -1
  const database = await open(name, migrations, (error) => {
    gone ??= error
  })

  /** Runs one database operation; the browser's exceptions become a StoreError. */
  async function run<T>(operation: (database: Database) => Promise<T>): Promise<T> {
    if (gone) {
      throw gone
    }
    try {
      return await operation(database)
    } catch (cause) {
      throw gone ?? storeErrorOf(cause)
    }
  }

  return {
    identity: () => run((db) => db.get('identity', SELF)),
    saveIdentity: (key) =>
      run((db) =>
        write(db, ['identity'], async (tx) => {
          const store = tx.objectStore('identity')
          if ((await store.count()) > 0) {
            throw identityTaken()
          }
          await store.add(copyBytes(key), SELF)
        })
      ),
    chain: {
      head: () =>
        run(async (db) => {
          const cursor = await db.transaction('chain').store.openCursor(null, 'prev')
          return cursor?.value
        }),
      append: (record, alongside = []) =>
        run(async (db) => {
          const before = record.seq - 1
          const isNext = before <= taken || (await db.getKey('chain', before)) !== undefined
          if (!isNext || !(await add(db, record, alongside))) {
            const head = await db.transaction('chain').store.openKeyCursor(null, 'prev')
            throw placeTaken(record.seq, (head?.key ?? -1) + 1)
          }
          taken = Math.max(taken, record.seq)
        }),
      replace: (records, head, alongside = []) =>
        run((db) =>
          write(db, ['chain', ...alongside.map(({ table }) => table)], async (tx) => {
            const store = tx.objectStore('chain')
            const last = (await store.openCursor(null, 'prev'))?.value
            const next = last ? last.seq + 1 : 0
            const seq = records[0]?.seq ?? next
            if (last?.id !== head || seq > next) {
              throw placeTaken(seq, next)
            }
            if (seq + records.length < next) {
              throw chainShortened(seq + records.length, next)
            }
            await store.delete(IDBKeyRange.lowerBound(seq))
            for (const record of records) {
              await store.add(copyRecord(record))
            }
            for (const { table, key, value } of alongside) {
              await tx.objectStore(table).put(copyBytes(value), key)
            }
          })
        ),
      range: (from = 0, to = Number.MAX_SAFE_INTEGER) =>
        run(async (db) => (from < to ? db.getAll('chain', IDBKeyRange.bound(from, to, false, true)) : []))
    },
    table: (table) => tableOf(table, run),
    async close() {
      if (!gone) {
        gone = storeClosed()
        database.close()
      }
    }
  }
}

function tableOf(name: TableName, run: <T>(operation: (db: Database) => Promise<T>) => Promise<T>): Table {
  return {
    get: (key) => run((db) => db.get(name, key)),
    put: (key, value, { relaxed = false } = {}) =>
      run((db) =>
        writeAtOnce(db, [name], relaxed ? 'relaxed' : 'strict', (tx) => {
          tx.objectStore(name).put(copyBytes(value), key)
        })
      ),
    delete: (key) =>
      run((db) =>
        writeAtOnce(db, [name], 'strict', (tx) => {
          tx.objectStore(name).delete(key)
        })
      ),
    entries: () =>
      run(async (db) => {
        const { store } = db.transaction(name)
        const [keys, values] = await Promise.all([store.getAllKeys(), store.getAll()])
        return keys.flatMap((key, i): Array<[string, Uint8Array]> => {
          const value = values[i]
          return value ? [[key, value]] : []
        })
      })
  }
}

/**
 * The swap of compare and swap. A chain is dense and never gets shorter: so `seq` is its next place if the one before
 * is taken, which is known or looked up beforehand, and this one is free, which `add` insists on.
 *
 * @returns whether it was free
 */
async function add(db: Database, record: StoredRecord, alongside: readonly TableWrite[]): Promise<boolean> {
  try {
    await writeAtOnce(db, ['chain', ...alongside.map(({ table }) => table)], 'strict', (tx) => {
      tx.objectStore('chain').add(copyRecord(record))
      for (const { table, key, value } of alongside) {
        tx.objectStore(table).put(copyBytes(value), key)
      }
    })
    return true
  } catch (error) {
    if (error instanceof DOMException && error.name === 'ConstraintError') {
      return false
    }
    throw error
  }
}

/**
 * One readwrite transaction whose requests wait for nothing: asked for and committed in one go, so that the disk never
 * waits for this thread. By the browser's own interface: a promise for each request would take a tenth of the whole.
 */
function writeAtOnce(
  db: Database,
  stores: StoreName[],
  durability: 'strict' | 'relaxed',
  ask: (tx: IDBTransaction) => void
): Promise<void> {
  return new Promise((resolve, reject) => {
    const tx = unwrap(db).transaction([...new Set(stores)], 'readwrite', { durability })
    tx.oncomplete = () => resolve()
    tx.onabort = () => reject(tx.error)
    try {
      ask(tx)
      tx.commit()
    } catch (error) {
      tx.abort() // what was asked before must not be committed
      throw error
    }
  })
}

/** One strict readwrite transaction: resolves when it is complete, aborts it when the body throws. */
async function write(
  database: Database,
  stores: StoreName[],
  body: (tx: IDBPTransaction<Schema, StoreName[], 'readwrite'>) => Promise<void>
): Promise<void> {
  const tx = database.transaction([...new Set(stores)], 'readwrite', { durability: 'strict' })
  const done = tx.done
  done.catch(() => {}) // awaited below, unless the body's own error comes first
  try {
    await body(tx)
  } catch (error) {
    abort(tx)
    throw error
  }
  await done
}

function abort(tx: IDBPTransaction<Schema, StoreName[], 'readwrite'>): void {
  try {
    tx.abort()
  } catch {
    // the failed request has aborted it already
  }
}

async function open(
  name: string,
  migrations: readonly Migration[],
  onGone: (error: StoreError) => void
): Promise<Database> {
  if (typeof indexedDB === 'undefined') {
    throw denied()
  }
  const { promise: blocked, reject } = Promise.withResolvers<never>()
  let opening: Promise<Database> | undefined
  try {
    opening = openDB<Schema>(name, migrations.length, {
      upgrade(database, oldVersion, newVersion, transaction) {
        for (const migrate of migrations.slice(oldVersion, newVersion ?? undefined)) {
          migrate(database, transaction)
        }
      },
      blocked: () =>
        reject(
          new StoreError('UNAVAILABLE', 'Another tab still uses an older version: close it and reload.', {
            retryable: true
          })
        ),
      blocking(_current, _blocked, event) {
        onGone(new StoreError('CLOSED', 'A newer version of this page has taken over the storage: reload.'))
        // the event's target is the connection that stands in the way
        ;(event.target as IDBDatabase).close()
      },
      terminated: () =>
        onGone(new StoreError('CLOSED', 'The browser closed the storage (site data deleted?): reload.'))
    })
    return await Promise.race([opening, blocked])
  } catch (cause) {
    opening?.then((database) => database.close()).catch(() => {}) // a late success is of no use any more
    throw cause instanceof StoreError ? cause : openErrorOf(cause)
  }
}

const denied = (cause?: unknown) =>
  new StoreError(
    'DENIED',
    'This browser lets the page keep nothing: allow site data for it, or leave the private window.',
    { cause }
  )

function openErrorOf(cause: unknown): StoreError {
  const error = storeErrorOf(cause)
  return error.code === 'CLOSED' ? denied(cause) : error
}

function storeErrorOf(cause: unknown): StoreError {
  if (cause instanceof StoreError) {
    return cause
  }
  const name = cause instanceof Error || cause instanceof DOMException ? cause.name : ''
  switch (name) {
    case 'QuotaExceededError':
      return new StoreError('FULL', 'The storage is full: free space on this device, then reload.', { cause })
    case 'VersionError':
      return new StoreError('UNAVAILABLE', 'This storage was made by a newer version: reload the page.', {
        cause
      })
    case 'SecurityError':
    case 'NotAllowedError':
      return denied(cause)
    case 'InvalidStateError':
      return new StoreError('CLOSED', 'The storage is closed: reload the page.', { cause })
    default:
      return new StoreError(
        'DENIED',
        `The browser could not store the data (${name || 'unknown'}): reload.`,
        {
          cause
        }
      )
  }
}
