import { inject } from 'vitest'
import { memoryStore } from '../../../src/store/index.ts'
import { ledgerModel } from '../../fixtures/ledger-model.ts'
import { HOUR } from '../../fixtures/ledger-swarm.ts'

const inMemory = async () => ({ open: async () => memoryStore(), dispose: async () => {} })

ledgerModel(inMemory)
ledgerModel(inMemory, inject('propertyRuns') / 2, { orphanedAfterMs: 24 * HOUR })
