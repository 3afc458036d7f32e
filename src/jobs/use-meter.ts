import type { Milliseconds } from '../wire/index.ts'

/** How long something with several lanes was in use: while half of them are, half of the time counts. */
export class UseMeter {
  private used: Milliseconds = 0
  private share = 0
  private since: Milliseconds = 0

  /** @param share of the lanes that are in use from now on, 0 to 1 */
  set(share: number, now: Milliseconds): void {
    this.used = this.at(now)
    this.share = Math.min(1, Math.max(0, share))
    this.since = now
  }

  /** In use until now (ms). Clocks that run backward count as standing still. */
  at(now: Milliseconds): Milliseconds {
    return this.used + this.share * Math.max(0, now - this.since)
  }
}
