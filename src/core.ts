/** The door of our own page: what it uses of `index.ts`. */
export { checkLedger, type LedgerFault, type LedgerRow, readLedger } from './swarm/ledger-view.ts'
export { openSwarm as createSwarm } from './swarm/sdk/index.ts'
export { encodeLedgerFile } from './wire/index.ts'
