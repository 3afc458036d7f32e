import { deleteDB } from 'idb'
import { expect, test } from 'vitest'
import { indexedDbStore } from '../../../src/store/indexeddb.ts'
import { keepsProofs } from '../../fixtures/fork-proofs.ts'

test('a proof of a fork outlives the tab', async () => {
  const name = `forks-${Date.now()}`
  await keepsProofs(() => indexedDbStore(name))
  await deleteDB(name)
  expect.hasAssertions()
})
