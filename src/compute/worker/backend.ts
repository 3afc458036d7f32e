import type { Skill, UnitInput } from '../../skills/index.ts'
import type { BackendKind } from '../engine.ts'

export interface BackendUnit extends UnitInput {
  /** Hashes of `parts`, in order: what a device cache goes by. */
  readonly hashes: readonly string[]
}

export interface BackendRun {
  readonly signal: AbortSignal
  readonly onProgress: (share: number) => void
  /** @default the first that the device can run */
  readonly variant?: string | undefined
}

/** What computes units inside a worker. */
export interface Backend {
  readonly kind: BackendKind
  readonly class: string
  /** Bytes that one kernel can bind; undefined: the backend does not know. */
  readonly memory?: number
  /** Names of the variants that this device can run, in the skill's order. */
  variants(skill: Skill): readonly string[]
  /**
   * The unit has passed the skill's `checkUnit`.
   *
   * @throws ComputeError `DEVICE_LOST`, `OUT_OF_MEMORY`, `KERNEL_FAILED`; or the signal's reason, within a slice
   */
  run(skill: Skill, unit: BackendUnit, options: BackendRun): Promise<Uint8Array>
  /** Makes ready what units of the skill need, such as this one. @default there is nothing to make ready */
  warm?(skill: Skill, unit: BackendUnit, variant: string | undefined): Promise<void>
  /** Forgets what the device holds of a part that no running unit uses. */
  drop(hash: string): void
  setPower(share: number): void
}
