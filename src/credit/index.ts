/**
 * SwarmCredit: personal chains, escrows with a channel a payee, cumulative receipts, one settle, claims.
 * `createLedger` is the service; everything else here is a pure rule or a type. docs/PROTOCOL.md has the formats.
 */
export { type Audit, type AuditedRecord, audit, auditExports } from './audit.ts'
export { applyRecord, availableAt, type Intent, nextRecord, replayChain } from './chain.ts'
export { drain, idleHours } from './drain.ts'
export { CreditError, type CreditErrorCode } from './errors.ts'
export { createLedger, type LedgerInit, type LedgerService } from './ledger.ts'
export { replaySplit, splitUnits } from './shapley.ts'
export {
  type CapacityGame,
  capacityValues,
  EXACT_PLAYERS_MAX,
  splitCapacity,
  type WorthPoint,
  worthOfAll
} from './shapley-capacity.ts'
export {
  type CoalitionGame,
  type PermutationEstimate,
  type PermutationOptions,
  permutationValues,
  SAMPLINGS,
  type Sampling,
  splitByPermutations
} from './shapley-permutations.ts'
export { type PipelineStage, pipelineValues, splitPipeline } from './shapley-pipeline.ts'
export type { ChainState, OpenEscrow, Seat } from './state.ts'
export type { LedgerTransport, TransportHandlers } from './transport.ts'
export type * from './types.ts'
export {
  type VerifiedCertificate,
  type VerifiedRecord,
  verifyCertificate,
  verifyRecord,
  verifyStatement
} from './verify.ts'
