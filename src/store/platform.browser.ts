import { indexedDbStore } from './indexeddb.ts'
import type { OpenStoreInit, Store } from './store.ts'

export function openStore({ network }: OpenStoreInit): Promise<Store> {
  return indexedDbStore(`swarmharness-${network}`)
}
