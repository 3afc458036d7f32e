import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { createLedger, type LedgerTransport, replayChain } from '../../src/credit/index.ts'
import { OwnChain } from '../../src/credit/own-chain.ts'
import { memoryStore, type StoredRecord } from '../../src/store/index.ts'
import { indexedDbStore } from '../../src/store/indexeddb.ts'
import { SignatureWorker } from '../../src/swarm/signature-worker.ts'
import { NETWORKS, networkOf, type Signed, type VerifySignature } from '../../src/wire/index.ts'

/** A tab's ledger beside what it stands on: bare Ed25519 and bare puts. `bench/ledger.ts` calls it as `window.ledger`. */

const network = await networkOf(NETWORKS.local)
const key = await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(1))
const ALGORITHM = { name: 'Ed25519' }
const EMPTY_SEAT = { members: [], quorum: 0, unsure: true, votes: [] }
/** The chain of a year's work: a record every so often. */
const RECORD_EVERY_MS = 300_000

const noTransport: LedgerTransport = {
  async start() {},
  async stop() {},
  connectedPeers: () => [],
  voters: async () => [],
  call: () => Promise.reject(new Error('nobody is there'))
}

/** A chain of so many records in memory, with its checkpoints and what stands beside them. */
async function makeChain(count: number) {
  let now = Date.now() - count * RECORD_EVERY_MS
  const store = memoryStore()
  const chain = new OwnChain({ store, key, network, now: () => now })
  await chain.open()
  while (((await store.chain.head())?.seq ?? 0) < count - 1) {
    now += RECORD_EVERY_MS
    await chain.append((_, ts) => ({ intent: { kind: 'seat', ts, body: EMPTY_SEAT } }))
  }
  return { records: await store.chain.range(), meta: await store.table('meta').entries() }
}

let tail: Signed[] = []
let bare: Array<{ message: Uint8Array<ArrayBuffer>; signature: Uint8Array<ArrayBuffer> }> = []
let publicKey: CryptoKey
let chain: OwnChain
let puts: IDBDatabase
let size = 0
let putKey = 0

/** As those of a swarm: kept between tails. */
const signatures = new SignatureWorker()

async function replay(verify?: VerifySignature): Promise<number> {
  const start = performance.now()
  await replayChain(undefined, tail, network, { verify })
  return (tail.length * 1_000) / (performance.now() - start)
}

const ledger = {
  /** A tail to verify, and the same signatures bare. */
  async prepare(count: number): Promise<void> {
    tail = (await makeChain(count)).records.map(({ record }) => record)
    publicKey = await crypto.subtle.importKey('raw', new Uint8Array(key.publicKey.raw), ALGORITHM, false, [
      'verify'
    ])
    const domain = new TextEncoder().encode('swarmharness-ledger/1\0')
    bare = tail.map(({ payload, signature }) => {
      const message = new Uint8Array(domain.byteLength + payload.byteLength)
      message.set(domain)
      message.set(payload, domain.byteLength)
      return { message, signature: new Uint8Array(signature) }
    })
    chain = new OwnChain({ store: await indexedDbStore('bench-append'), key, network, now: Date.now })
    await chain.open()
    size = tail.at(-1)?.payload.byteLength ?? 0
    puts = await openBare('bench-puts')
  },
  /** Records a second, as a page verifies them: their signatures by the worker that its ledger has for that. */
  verifyTail: () => replay(signatures.verify),
  /** The same where there is no worker: all by this thread. */
  verifyHere: () => replay(),
  /** Signatures a second: WebCrypto alone, asked by this thread for so many at a time. */
  async verifyBare(inFlight: number): Promise<number> {
    const start = performance.now()
    for (let from = 0; from < bare.length; from += inFlight) {
      const batch = bare.slice(from, from + inFlight)
      const valid = await Promise.all(
        batch.map(({ message, signature }) => crypto.subtle.verify(ALGORITHM, publicKey, signature, message))
      )
      if (valid.includes(false)) {
        throw new Error('a signature is wrong')
      }
    }
    return (bare.length * 1_000) / (performance.now() - start)
  },
  /** ms an append: planned, signed, checked, stored. */
  async append(count: number): Promise<number> {
    const start = performance.now()
    for (let i = 0; i < count; i++) {
      await chain.append((_, ts) => ({ intent: { kind: 'seat', ts, body: EMPTY_SEAT } }))
    }
    return (performance.now() - start) / count
  },
  /** ms a put of as many bytes, in a strict transaction of its own. */
  async put(count: number): Promise<number> {
    const start = performance.now()
    for (let i = 0; i < count; i++) {
      await strictPut({ payload: new Uint8Array(size).fill(i), signature: new Uint8Array(64) })
    }
    return (performance.now() - start) / count
  },
  /** Puts a chain of so many records into this profile. */
  async fill(count: number): Promise<void> {
    const { records, meta } = await makeChain(count)
    const store = await indexedDbStore('bench-open')
    await store.close()
    const database = await openBare('bench-open')
    for (let from = 0; from < records.length; from += 5_000) {
      await bulk(database, 'chain', records.slice(from, from + 5_000))
    }
    const transaction = database.transaction('meta', 'readwrite')
    for (const [name, value] of meta) {
      transaction.objectStore('meta').put(value, name)
    }
    await done(transaction)
    database.close()
  },
  /** ms until a ledger over that profile is started: store opened, chain read, tables read. */
  async open(): Promise<number> {
    const start = performance.now()
    const store = await indexedDbStore('bench-open')
    const service = createLedger({ store, key, network, node: noTransport })
    await service.start()
    await service.balance()
    const took = performance.now() - start
    await service.stop()
    await store.close()
    return took
  }
}

function openBare(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name)
    request.onupgradeneeded = () => request.result.createObjectStore('puts')
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

function strictPut(value: unknown): Promise<void> {
  const transaction = puts.transaction('puts', 'readwrite', { durability: 'strict' })
  transaction.objectStore('puts').put(value, putKey++)
  return done(transaction)
}

function bulk(database: IDBDatabase, name: string, records: readonly StoredRecord[]): Promise<void> {
  const transaction = database.transaction(name, 'readwrite')
  for (const record of records) {
    transaction.objectStore(name).put(record)
  }
  return done(transaction)
}

function done(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onerror = () => reject(transaction.error)
    transaction.onabort = () => reject(transaction.error)
  })
}

declare global {
  interface Window {
    ledger?: typeof ledger
  }
}

window.ledger = ledger
