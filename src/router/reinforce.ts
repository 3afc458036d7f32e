import type { Milliseconds } from '../wire/index.ts'

/** Those who work at a job, as far as more of them could help. */
export interface Crew {
  /** Providers that work: neither lost nor far too slow. */
  readonly working: number
  /** As many as the job may have. */
  readonly wanted: number
  /** Units that nobody who works has. */
  readonly waiting: number
  /** Some that were hired are lost, or far too slow. */
  readonly isShort: boolean
  /** Until the work is done at the speed that the crew shows; undefined: nothing has come back yet. */
  readonly leftMs: Milliseconds | undefined
  /** Since the last one was hired. */
  readonly sinceMs: Milliseconds
}

/** Less is not worth a further escrow, a dial and a provider's first unit, which travels with its inputs. */
const LONG: Milliseconds = 5_000
/** In place of one that was lost: the next loss could leave nobody. */
const LONG_IF_SHORT: Milliseconds = 1_000

/** Whether a further escrow should be made, for providers that were not there when the job began. */
export function wantsMore({ working, wanted, waiting, isShort, leftMs, sinceMs }: Crew): boolean {
  if (working >= wanted || waiting === 0) {
    return false
  }
  const enough = isShort ? LONG_IF_SHORT : LONG
  return leftMs === undefined ? sinceMs >= enough : leftMs >= enough
}
