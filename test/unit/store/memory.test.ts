import { memoryStore } from '../../../src/store/index.ts'
import { storeSuite } from '../../fixtures/store-suite.ts'

storeSuite('memory store', async () => ({ open: async () => memoryStore(), dispose: async () => {} }), 100)
