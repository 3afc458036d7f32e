import type { Advert, Milliseconds, PeerIdString } from '../wire/index.ts'
import { CACHE_MAX } from './constants.ts'
import type { FoundProvider } from './index.ts'

export interface Heard extends FoundProvider {
  readonly at: Milliseconds
  /** Whether this node asked for it; else the peer told it. */
  readonly isAsked: boolean
}

/** Checked adverts, each until it expires. */
export class HeardAdverts {
  private readonly peers = new Map<string, Heard>()
  private readonly now: () => Milliseconds

  constructor(now: () => Milliseconds) {
    this.now = now
  }

  /** The last valid, unexpired advert of a peer. */
  get(peer: string): Heard | undefined {
    const heard = this.peers.get(peer)
    return heard !== undefined && heard.advert.expires > this.now() ? heard : undefined
  }

  /** All that are valid now. */
  *[Symbol.iterator](): IterableIterator<Heard> {
    for (const peer of [...this.peers.keys()]) {
      const heard = this.get(peer)
      if (heard !== undefined) {
        yield heard
      }
    }
  }

  set(advert: Advert, how: Pick<Heard, 'latencyMs' | 'isAsked'>): Heard {
    const at = this.now()
    const before = this.peers.get(advert.peer)
    const isAsked = how.isAsked || before?.isAsked === true
    const heard = { advert, latencyMs: how.latencyMs, isAsked, at, loadAt: at }
    this.peers.delete(advert.peer)
    this.peers.set(advert.peer, heard)
    if (this.peers.size > CACHE_MAX) {
      this.peers.delete(this.leastUseful())
    }
    return heard
  }

  /** Something newer than the advert told the load. */
  learnLoad(peer: PeerIdString, load: number, at: Milliseconds): void {
    const heard = this.get(peer)
    if (heard !== undefined && at >= heard.loadAt) {
      const bounded = Math.round(Math.min(100, Math.max(0, load)))
      this.peers.set(peer, { ...heard, advert: { ...heard.advert, load: bounded }, loadAt: at })
    }
  }

  /** It may be gone: what it said stands until it expires, but is asked anew before it is given out. */
  doubt(peer: string): void {
    const heard = this.peers.get(peer)
    if (heard !== undefined) {
      this.peers.set(peer, { ...heard, at: Number.NEGATIVE_INFINITY })
    }
  }

  delete(peer: string): void {
    this.peers.delete(peer)
  }

  /** Oldest first, but those that this node asked for last: strangers who tell cannot push these out. */
  private leastUseful(): string {
    let oldest = ''
    for (const [peer, { isAsked }] of this.peers) {
      if (!isAsked) {
        return peer
      }
      oldest ||= peer
    }
    return oldest
  }
}
