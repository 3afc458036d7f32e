import type { Milliseconds } from '../wire/index.ts'
import { ANSWER_TIMEOUT } from './constants.ts'
import { JobError } from './errors.ts'
import type { Hands } from './hands.ts'

export interface ChannelWatchInit {
  readonly hands: Hands
  readonly unitTimeout: Milliseconds
  readonly isLive: () => boolean
  readonly onTimeout: (error: JobError) => void
}

/** Gives a provider up that neither takes nor gives anything. */
export class ChannelWatch {
  private readonly init: ChannelWatchInit
  private units: ReturnType<typeof setTimeout> | undefined
  /** Since when it owes an answer to a `cancel`. */
  private cancels: ReturnType<typeof setTimeout> | undefined

  constructor(init: ChannelWatchInit) {
    this.init = init
  }

  /** It holds units, and something has just moved: it has a unit's longest time from now on. */
  moved(): void {
    const { hands, unitTimeout, isLive } = this.init
    clearTimeout(this.units)
    if (hands.sent.size > 0 && isLive()) {
      this.units = setTimeout(() => this.giveUp('The provider took too long for a unit.'), unitTimeout)
    }
  }

  /** A unit was taken back: it is to drop it, or to go on sending its result. */
  cancelled(): void {
    if (this.cancels === undefined) {
      this.answered()
    }
  }

  /** Something came that may be the answer to a `cancel`. */
  answered(): void {
    const { hands, isLive } = this.init
    clearTimeout(this.cancels)
    this.cancels = undefined
    if (hands.owesAnswer && isLive()) {
      const message = 'The provider does not give back what was cancelled.'
      this.cancels = setTimeout(() => this.giveUp(message), ANSWER_TIMEOUT)
    }
  }

  end(): void {
    clearTimeout(this.units)
    clearTimeout(this.cancels)
  }

  private giveUp(message: string): void {
    this.init.onTimeout(new JobError('UNIT_TIMEOUT', message, { retryable: true }))
  }
}
