/** The door of our own page: what it uses of `index.ts`. */
export { defaultNetwork, findRelays } from './swarm/host.ts'
export {
  type LeftIdentity,
  leftIdentity,
  type OpenedIdentity,
  openIdentity
} from './swarm/identity-view.ts'
export {
  checkLedger,
  type EscrowRow,
  type LedgerFault,
  type LedgerRow,
  openLedgerFile,
  readEscrows,
  readLedger
} from './swarm/ledger-view.ts'
export { openSwarm as createSwarm } from './swarm/sdk/index.ts'
export {
  type Share,
  type ShareInit,
  shareSwarm,
  type View,
  type ViewInit,
  viewSwarm
} from './swarm/view/index.ts'
export { encodeLedgerFile, sealerOf } from './wire/index.ts'
