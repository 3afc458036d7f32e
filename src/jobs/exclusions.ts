import type { Milliseconds, PeerIdString } from '../wire/index.ts'
import { BUSY_ASIDE_MAX, LOST_ASIDE, RETRY_AFTER } from './constants.ts'

/** The peers that one job leaves out: liars for good; lost ones for a moment first, then for good; others for a while. */
export class Exclusions {
  private readonly until = new Map<PeerIdString, Milliseconds>()
  private readonly lostOnce = new Set<PeerIdString>()
  /** How often a peer was not heard. */
  private readonly times = new Map<PeerIdString, number>()
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

  /**
   * It could not be reached, or has not taken its escrow: that may be this node's link, or its witnesses. It is asked
   * again after a pause, longer each time.
   */
  unheard(peer: PeerIdString): void {
    const times = this.times.get(peer) ?? 0
    this.times.set(peer, times + 1)
    this.busy(peer, LOST_ASIDE * 2 ** times)
  }

  /** Silent or gone while it had work: a tab that reloads is back in seconds. */
  lost(peer: PeerIdString): void {
    if (this.lostOnce.has(peer)) {
      this.until.set(peer, Infinity)
    } else {
      this.lostOnce.add(peer)
      this.busy(peer, LOST_ASIDE)
    }
  }
}
