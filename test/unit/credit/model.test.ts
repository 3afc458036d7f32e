import { memoryStore } from '../../../src/store/index.ts'
import { ledgerModel } from '../../fixtures/ledger-model.ts'

ledgerModel(async () => ({ open: async () => memoryStore(), dispose: async () => {} }))
