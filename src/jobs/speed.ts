import type { Milliseconds } from '../wire/index.ts'
import { operationsOf, type Sent } from './hands.ts'

/** Of a new sample. */
const SMOOTHING = 0.3
/** Clocks of pages are coarse. */
const TIME_MIN: Milliseconds = 0.1

/** How fast units come back from one provider. */
export class SpeedMeter {
  /** Operations a ms; undefined: nothing has come back yet. */
  speed: number | undefined
  /** When the last result came. */
  private lastDone = 0

  /** A result has come. */
  time(sent: Sent, now: Milliseconds): void {
    sent.tookMs = now - sent.at
    // since the result before it, or since it was sent: what lay ahead is not its time
    const alone = Math.max(now - Math.max(sent.at, this.lastDone), TIME_MIN)
    this.lastDone = now
    const speed = operationsOf(sent.spec) / alone
    this.speed = this.speed === undefined ? speed : this.speed + SMOOTHING * (speed - this.speed)
  }
}
