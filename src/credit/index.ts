/**
 * SwarmCredit: personal chains, escrows with a channel a payee, cumulative receipts, one settle, claims.
 * `createLedger` is the service, of a network and a store; everything else here is a pure rule or a type. docs/PROTOCOL.md
 * has the formats.
 *
 * @example
 *
 * ```ts
 * const network = await networkOf(NETWORKS.local)
 * const store = await openStore({ network: 'local', dataFolder: './data' })
 * const ledger = createLedger({ store, key, network, node })
 * await ledger.start()
 * ```
 */
export { memoryStore, type OpenStoreInit, openStore, type Store } from '../store/index.ts'
export {
  type MicroCredits,
  type Milliseconds,
  NETWORKS,
  type Network,
  type NetworkName,
  type NetworkParameters,
  networkOf,
  type PeerIdString
} from '../wire/index.ts'
export { type Audit, type AuditedRecord, audit, auditExports } from './audit.ts'
export {
  type VerifiedCertificate,
  type VerifiedPayout,
  type VerifiedSettle,
  type VerifiedTransfer,
  verifyCertificate,
  verifyEscrow
} from './certificate.ts'
export { applyRecord, availableAt, type Intent, nextRecord, replayChain } from './chain.ts'
export { type OpenedStart, openExport } from './chain-start.ts'
export { drain, idleHours } from './drain.ts'
export {
  addWork,
  type CheckedUnit,
  type Edge,
  NO_EDGE,
  redeem,
  redeemable,
  residual,
  serve,
  workOf
} from './edges.ts'
export { verifyStatement } from './envelope.ts'
export { CreditError, type CreditErrorCode } from './errors.ts'
export { contradict, type Fork, verifyForkProof } from './forks.ts'
export { createLedger } from './ledger.ts'
export { forgetLeft, importProfile, leftProfile, resumeImport } from './moving.ts'
export { PROBATION_MS, Priorities } from './priorities.ts'
export { idleFactor, idleMs, priorityWeight } from './priority.ts'
export { chooseProbed, isProbeSize, nextProbeAt, type ProbeCandidate } from './probes.ts'
export {
  drawOn,
  giveOn,
  PAYERS_MAX,
  type Recogniser,
  recognise,
  recognised,
  recognition,
  shown
} from './recognition.ts'
export {
  type Candidate,
  chooseMembers,
  type Presence,
  quorumOf,
  type Seat,
  type SeatChange,
  seatChange
} from './seat.ts'
export type { LedgerInit, LedgerService } from './service.ts'
export { replaySplit, splitUnits } from './shapley.ts'
export {
  type CapacityGame,
  capacityValues,
  EXACT_PLAYERS_MAX,
  splitCapacity,
  type WorthPoint,
  worthOfAll
} from './shapley-capacity.ts'
export { splitLanes, weightsFor } from './shapley-lanes.ts'
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
export {
  followStanding,
  type Merit,
  NO_MERIT,
  type RecognitionShare,
  type Standing,
  unused
} from './standing.ts'
export type { ChainState, OpenEscrow } from './state.ts'
export {
  chargeStranger,
  STRANGER_USES_MAX,
  type StrangersUse,
  type StrangerUse,
  shortenUses,
  strangerAllowance
} from './strangers.ts'
export type { LedgerTransport, TransportHandlers } from './transport.ts'
export type * from './types.ts'
export { type Embedded, type VerifiedRecord, verifyRecord } from './verify.ts'
export { createVoter, type Voter } from './voter.ts'
