import type { Milliseconds, PeerIdString } from '../wire/index.ts'
import { BUSY_ASIDE_MAX, LOST_ASIDE, RETRY_AFTER } from './constants.ts'

/** The peers that one job leaves out: liars for good; lost ones for a moment first, then for good. */
export class Exclusions {
  private readonly until = new Map<PeerIdString, Milliseconds>()
  private readonly now: () => Milliseconds

  constructor(now: () => Milliseconds) {
    this.now = now
  }

  has(peer: PeerIdString): boolean {
    return (this.until.get(peer) ?? 0) > this.now()
  }

  lied(peer: PeerIdString): void {
    this.until.set(peer, Infinity)
  }

  /** It has too much to do, and says until when. */
  busy(peer: PeerIdString, retryAfterMs: Milliseconds): void {
    const until = this.now() + Math.min(Math.max(retryAfterMs, RETRY_AFTER), BUSY_ASIDE_MAX)
    this.until.set(peer, Math.max(until, this.until.get(peer) ?? 0))
  }

  /** Unreachable, silent, or gone: a tab that reloads is back in seconds. */
  lost(peer: PeerIdString): void {
    this.until.set(peer, this.until.has(peer) ? Infinity : this.now() + LOST_ASIDE)
  }
}
