import { deleteDB } from 'idb'
import { inject } from 'vitest'
import { indexedDbStore } from '../../../src/store/indexeddb.ts'
import { ledgerModel } from '../../fixtures/ledger-model.ts'

let counter = 0

// nine databases a run, each opened again at every crash: half of the runs over the store in memory
ledgerModel(async () => {
  const name = `model-${Date.now()}-${counter++}`
  return {
    open: () => indexedDbStore(name),
    async reopen(store) {
      await store.close()
      return indexedDbStore(name)
    },
    dispose: () => deleteDB(name)
  }
}, inject('propertyRuns') / 2)
