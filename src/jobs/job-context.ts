import type { Dispatch, OutputPiece } from '../api.ts'
import type { Engine } from '../compute/index.ts'
import type { Ledger } from '../credit/index.ts'
import type { SwarmRouter } from '../router/index.ts'
import type { Skill } from '../skills/index.ts'
import type { PeerIdString } from '../wire/index.ts'
import type { Exclusions } from './exclusions.ts'
import type { KnownAnswers } from './known-answers.ts'
import type { Outlay } from './outlay.ts'
import type { HashedPlan } from './plan.ts'

/** Reads a job's output piece by piece, at its own pace: what it has no room for stays undone at the providers. */
export interface PieceReader {
  /** A verified unit. */
  accept(piece: OutputPiece): void
  /**
   * Whether a unit may go out.
   *
   * @param underWay bytes of results that are to come, or are being checked
   * @param bytes of its own result
   */
  hasRoom(underWay: number, bytes: number): boolean
  /** Calls back whenever something was read, until it is called off. */
  onRead(listener: () => void): () => void
}

/** What the rounds of one job share. */
export interface JobContext {
  readonly jobId: Uint8Array
  readonly skill: Skill
  readonly kernel: Uint8Array
  readonly plan: HashedPlan<unknown>
  readonly engine: Engine
  readonly ledger: Ledger
  readonly router: SwarmRouter
  /** By how many providers each unit is computed; undefined: as the skill's check and trust demand. */
  readonly copies?: number | undefined
  /** Who reads the output as it comes. Undefined: it is put together here. */
  readonly reader?: PieceReader | undefined
  /** Units without a verified result. */
  readonly missing: Set<number>
  readonly attempts: Map<number, number>
  /** Peers that lied or failed in this job. */
  readonly excluded: Exclusions
  readonly resultHashes: Map<number, Uint8Array>
  readonly outlay: Outlay
  /** What canaries are made of. */
  readonly known: KnownAnswers
  /** Uniform in [0, 1). */
  readonly random: () => number
  onAssigned(unit: number, dispatch: Dispatch): void
  onVerified(unit: number, peer: PeerIdString, result: Uint8Array): void
  onRetried(unit: number, peer: PeerIdString, reason: string): void
  onProgress(partlyDone: number): void
  /** @param load 0 (idle) to 100 (full), by the provider's word */
  onLoad(peer: PeerIdString, load: number): void
}
