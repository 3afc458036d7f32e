import { join } from 'node:path'
import { memoryStore } from './memory.ts'
import { nodeFolderStore } from './node-folder.ts'
import type { OpenStoreInit, Store } from './store.ts'

export async function openStore({ network, dataFolder }: OpenStoreInit): Promise<Store> {
  return dataFolder === undefined ? memoryStore() : nodeFolderStore(join(dataFolder, network))
}
