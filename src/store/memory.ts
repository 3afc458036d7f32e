import { chainShortened, identityTaken, placeTaken, storeClosed } from './errors.ts'
import type { Store, StoredRecord, Table, TableName, TableWrite } from './store.ts'
import { TABLES } from './store.ts'

/** A plain copy: a Buffer's own `slice` would share its memory. */
export const copyBytes = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes)

/** What a store holds, without its durability: the double for tests, and the Node folder's view of its log. */
export interface Contents {
  identity: Uint8Array | undefined
  readonly chain: StoredRecord[]
  readonly tables: Readonly<Record<TableName, Map<string, Uint8Array>>>
}

/** One change of the contents. */
export type Change =
  | { readonly op: 'identity'; readonly key: Uint8Array }
  | { readonly op: 'append'; readonly record: StoredRecord }
  /** Drops the records from this place on. */
  | { readonly op: 'cut'; readonly seq: number }
  | ({ readonly op: 'put' } & TableWrite)
  | { readonly op: 'delete'; readonly table: TableName; readonly key: string }

export function emptyContents(): Contents {
  const tables = Object.fromEntries(TABLES.map((name) => [name, new Map<string, Uint8Array>()]))
  // fromEntries forgets the keys that TABLES fixes
  return { identity: undefined, chain: [], tables: tables as Contents['tables'] }
}

export function applyChange(contents: Contents, change: Change): void {
  switch (change.op) {
    case 'identity':
      contents.identity = change.key
      break
    case 'append':
      contents.chain.push(change.record)
      break
    case 'cut':
      contents.chain.length = Math.min(contents.chain.length, change.seq)
      break
    case 'put':
      contents.tables[change.table].set(change.key, change.value)
      break
    case 'delete':
      contents.tables[change.table].delete(change.key)
  }
}

/** How changes become durable. Resolves when they are, with the contents changed. */
export interface Committer {
  readonly contents: Contents
  /** The seq that the next record must have, and whether an identity is there, commits under way included. */
  readonly next: { seq: number; identity: boolean }
  commit(changes: readonly Change[]): Promise<void>
  /** As that of a store. */
  readonly failed?: Promise<unknown>
  close(): Promise<void>
}

/** A Store over contents kept in memory. Bytes are copied on the way in and out. */
export function storeOver(committer: Committer): Store {
  const { contents } = committer
  let closed = false
  const check = () => {
    if (closed) {
      throw storeClosed()
    }
  }

  return {
    async identity() {
      check()
      return contents.identity && copyBytes(contents.identity)
    },
    async saveIdentity(key) {
      check()
      if (committer.next.identity) {
        throw identityTaken()
      }
      await committer.commit([{ op: 'identity', key: copyBytes(key) }])
    },
    chain: {
      async head() {
        check()
        const head = contents.chain.at(-1)
        return head && copyRecord(head)
      },
      async append(record, alongside = []) {
        check()
        if (record.seq !== committer.next.seq) {
          throw placeTaken(record.seq, committer.next.seq)
        }
        await committer.commit([{ op: 'append', record: copyRecord(record) }, ...putsOf(alongside)])
      },
      async replace(records, head, alongside = []) {
        check()
        const { length } = contents.chain
        const [first] = records
        const seq = first?.seq ?? length
        // appends under way would be lost with what they follow
        if (contents.chain.at(-1)?.id !== head || committer.next.seq !== length || seq > length) {
          throw placeTaken(seq, length)
        }
        if (seq + records.length < length) {
          throw chainShortened(seq + records.length, length)
        }
        await committer.commit([
          { op: 'cut', seq },
          ...records.map((record) => ({ op: 'append' as const, record: copyRecord(record) })),
          ...putsOf(alongside)
        ])
      },
      async range(from = 0, to = contents.chain.length) {
        check()
        return contents.chain.slice(Math.max(0, from), Math.max(0, to)).map(copyRecord)
      }
    },
    table: (name) => tableOver(committer, name, check),
    ...(committer.failed && { failed: committer.failed }),
    async close() {
      if (!closed) {
        closed = true
        await committer.close()
      }
    }
  }
}

const putsOf = (writes: readonly TableWrite[]): Change[] =>
  writes.map(({ table, key, value }) => ({ op: 'put', table, key, value: copyBytes(value) }))

function tableOver(committer: Committer, name: TableName, check: () => void): Table {
  const rows = committer.contents.tables[name]
  return {
    async get(key) {
      check()
      const value = rows.get(key)
      return value && copyBytes(value)
    },
    async put(key, value) {
      check()
      await committer.commit([{ op: 'put', table: name, key, value: copyBytes(value) }])
    },
    async delete(key) {
      check()
      await committer.commit([{ op: 'delete', table: name, key }])
    },
    async entries() {
      check()
      return [...rows]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]): [string, Uint8Array] => [key, copyBytes(value)])
    }
  }
}

/** A copy that holds on to no larger buffer. */
export function copyRecord({ seq, id, record }: StoredRecord): StoredRecord {
  return { seq, id, record: { payload: copyBytes(record.payload), signature: copyBytes(record.signature) } }
}

/** A store that lasts as long as the program: for tests, and for a Node program without a data folder. */
export function memoryStore(): Store {
  const contents = emptyContents()
  const next = { seq: 0, identity: false }
  return storeOver({
    contents,
    next,
    async commit(changes) {
      for (const change of changes) {
        applyChange(contents, change)
      }
      next.seq = contents.chain.length
      next.identity = contents.identity !== undefined
    },
    async close() {}
  })
}
