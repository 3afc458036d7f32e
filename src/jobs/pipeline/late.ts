import { isLate, medianSpeed } from '../../router/index.ts'
import type { Milliseconds } from '../../wire/index.ts'
import { STEP_LATE_MIN } from '../constants.ts'
import { operationsOf, type Sent } from '../hands.ts'

export interface StageWorker {
  readonly isLive: boolean
  /** Operations a ms that come back from there. */
  readonly speed: number | undefined
  readonly sent: ReadonlyMap<number, Pick<Sent, 'at' | 'ahead' | 'spec' | 'isAnswered'>>
}

/**
 * Who of a stage takes far too long for a unit, where another can do it: four times what was expected, and so long that
 * fetching what it needs explains nothing. Checks are no work to be timed by.
 */
export function lateOnes<Worker extends StageWorker>(crew: readonly Worker[], now: Milliseconds): Worker[] {
  const live = crew.filter(({ isLive }) => isLive)
  const typical = medianSpeed(live)
  const late = live.filter(({ speed = typical, sent }) =>
    [...sent.values()].some(({ at, ahead, spec, isAnswered }) => {
      const isTimed = !isAnswered && spec.cost > 0n && speed !== undefined && now - at > STEP_LATE_MIN
      return isTimed && isLate(now - at, (ahead + operationsOf(spec)) / speed)
    })
  )
  return late.length < live.length ? late : []
}
