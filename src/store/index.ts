/**
 * What a node keeps, behind one interface: IndexedDB in a tab, a data folder in Node, memory in tests.
 * `openStore` picks by platform.
 */
export { openStore } from '#store-platform'
export { StoreError, type StoreErrorCode } from './errors.ts'
export { memoryStore } from './memory.ts'
export * from './store.ts'
