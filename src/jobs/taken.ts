import type { JobRequestFrame, MicroCredits } from '../wire/index.ts'
import type { Reassembly } from './chunks.ts'

export type UnitFrame = Extract<JobRequestFrame, { t: 'unit' }>

/** A unit that a provider has taken on, and not answered. */
export interface Taken {
  readonly index: number
  /** Bytes of its own input. */
  readonly size: number
  readonly cost: MicroCredits
  readonly price: MicroCredits
  readonly cancel: AbortController
}

/** One whose input comes with it. */
export interface Unit extends Taken {
  readonly frame: UnitFrame
  readonly data: Reassembly
}
