import type { Signed } from '../wire/index.ts'

/**
 * What a node keeps: identity, its chain, statements, contracts. One interface, three adapters (IndexedDB,
 * a data folder in Node, memory), one acceptance suite.
 *
 * Durability: every write is strict (IndexedDB `durability: 'strict'`, fsync in Node) before its promise
 * resolves, unless `relaxed` is asked for.
 */
export interface Store {
  /** The node's identity: a protobuf-encoded Ed25519 private key. */
  identity(): Promise<Uint8Array | undefined>
  /** @throws StoreError `CONFLICT` if there is one already: an identity is made once */
  saveIdentity(key: Uint8Array): Promise<void>

  readonly chain: ChainStore
  table(name: TableName): Table
  /**
   * Resolves, with why, when nothing can be stored any more until the store is opened again: who serves others should end
   * then. @default never
   */
  readonly failed?: Promise<unknown>
  close(): Promise<void>
}

export interface OpenStoreInit {
  /** Name of the network: each has its own identity and chain. */
  readonly network: string
  /** Node only. @default none: kept in memory */
  readonly dataFolder?: string | undefined
}

/** The node's own chain: dense from seq 0. */
export interface ChainStore {
  head(): Promise<StoredRecord | undefined>
  /**
   * Compare and swap, in one transaction: appends only if `seq` is head.seq + 1 (0 on an empty chain).
   * `alongside` is written in the same transaction.
   *
   * @throws StoreError `CONFLICT` if another record took the place
   */
  append(record: StoredRecord, alongside?: readonly TableWrite[]): Promise<void>
  /**
   * Compare and swap, in one transaction: puts records where those from their first `seq` on were, if the head's id is
   * still `head`. Only a chain that its owner has forked by accident needs that. A chain never gets shorter: so a place
   * that was taken once is taken for ever.
   *
   * @throws StoreError `CONFLICT` if the head is another one, or the chain would end before it did
   */
  replace(records: readonly StoredRecord[], head: string, alongside?: readonly TableWrite[]): Promise<void>
  /** Records with from ≤ seq < to, in order. */
  range(from?: number, to?: number): Promise<StoredRecord[]>
}

export interface StoredRecord {
  readonly seq: number
  /** CID text of the payload. */
  readonly id: string
  readonly record: Signed
}

/**
 * `votes`: what this node voted last, by author. `chains`: verified states of other authors, and their older records.
 * `contracts`: escrows this node pays from or earns on, by CID text. `certificates`: by escrow CID text.
 * `meta`: everything small (consent, settings, advert sequence).
 */
export const TABLES = ['votes', 'chains', 'contracts', 'certificates', 'meta'] as const
export type TableName = (typeof TABLES)[number]

export interface TableWrite {
  readonly table: TableName
  readonly key: string
  readonly value: Uint8Array
}

/** Keys are text, values DAG-CBOR bytes: what they mean is the owner's business. */
export interface Table {
  get(key: string): Promise<Uint8Array | undefined>
  put(key: string, value: Uint8Array, options?: { relaxed?: boolean }): Promise<void>
  delete(key: string): Promise<void>
  /** All entries in key order. */
  entries(): Promise<Array<[string, Uint8Array]>>
}
