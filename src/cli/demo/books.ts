import { type AuditedRecord, audit, verifyRecord } from '../../credit/index.ts'
import { NETWORKS, type NetworkName, networkOf } from '../../wire/index.ts'
import type { Tab } from './tabs.ts'

interface StoredBytes {
  readonly payload: string
  readonly signature: string
}

/** A tab's chain as it stands in its IndexedDB, every signature checked here. */
export async function readChain(tab: Tab, name: NetworkName): Promise<AuditedRecord[]> {
  const network = await networkOf(NETWORKS[name])
  const stored = await tab.page.evaluate(readStored, `swarmharness-${name}`)
  return Promise.all(
    stored.map(({ payload, signature }) =>
      verifyRecord({ payload: bytes(payload), signature: bytes(signature) }, network)
    )
  )
}

/** Reads the books again and again until every certificate is claimed (the payees do that by themselves). */
export async function settledBooks(tabs: readonly Tab[], network: NetworkName, timeoutMs = 10_000) {
  const until = performance.now() + timeoutMs
  while (true) {
    const chains = await Promise.all(tabs.map((tab) => readChain(tab, network)))
    const sums = audit(chains, NETWORKS[network])
    if (
      (sums.balanced && sums.certifiedUnclaimed === 0n && sums.openEscrows === 0n) ||
      performance.now() > until
    ) {
      return { chains, audit: sums }
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'))

/** Runs in the page: plain IndexedDB, past all of our own code. */
async function readStored(name: string): Promise<StoredBytes[]> {
  const base64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes))
  const result = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })
  const database = await result(indexedDB.open(name))
  const entries = await result(database.transaction('chain').objectStore('chain').getAll())
  database.close()
  return entries.map(({ record: { payload, signature } }) => ({
    payload: base64(payload),
    signature: base64(signature)
  }))
}
