import type { Dispatch } from '../../api.ts'
import type { Ledger } from '../../credit/index.ts'
import type { SwarmRouter } from '../../router/index.ts'
import type { MicroCredits, PeerIdString, PipelineLane, Signed } from '../../wire/index.ts'
import type { Exclusions } from '../exclusions.ts'
import type { Inspector } from './inspector.ts'
import type { Done, Lane } from './lane.ts'
import type { HashedPipeline } from './plan.ts'
import type { Terms } from './terms.ts'

export interface PipelineRoundInit {
  readonly jobId: Uint8Array
  readonly plan: HashedPipeline
  readonly ledger: Pick<Ledger, 'receipt'>
  readonly router: SwarmRouter
  readonly terms: Terms
  readonly inspector: Inspector
  readonly excluded: Exclusions
  /** Those of earlier rounds that were not completed. */
  readonly lanes: readonly number[]
  /** How often each lane has failed, in all rounds. */
  readonly attempts: Map<number, number>
  /** Uniform in [0, 1). */
  readonly random: () => number
  onAssigned(unit: number, dispatch: Dispatch): void
  onVerified(unit: number, provider: PeerIdString): void
  onRetried(unit: number, provider: PeerIdString, reason: string): void
  /** A unit was checked by this node itself. */
  onChecked(provider: PeerIdString, cost: MicroCredits): void
  /** All of a lane is right: results of the last stage by unit. */
  onLane(lane: number, results: readonly Uint8Array[]): void
  onLoad(peer: PeerIdString, load: number): void
}

/** What the settle of the round needs. */
export interface PipelineEnding {
  readonly lanes: PipelineLane[]
  readonly seed: Uint8Array
  readonly releases: Map<PeerIdString, Signed>
}

/** A unit handed out. */
export interface Task {
  readonly lane: Lane
  readonly epoch: number
  readonly stage: number
  readonly unit: number
  readonly before: Done | undefined
  /** A mere check of this result. */
  readonly of: Done | undefined
}
