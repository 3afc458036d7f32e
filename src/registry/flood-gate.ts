/** Peers whose allowance is remembered. */
const REMEMBERED = 4_096

interface Allowance {
  readonly left: number
  readonly at: number
}

export interface Rate {
  /** What may come at once. */
  readonly burst: number
  readonly perSecond: number
}

/** What is left of an allowance when one is taken now; undefined if there is none to take. */
export function take(before: Allowance | undefined, rate: Rate, now: number): Allowance | undefined {
  const gained = before === undefined ? rate.burst : (rate.perSecond * Math.max(0, now - before.at)) / 1_000
  const left = Math.min(rate.burst, (before?.left ?? 0) + gained) - 1
  return left < 0 ? undefined : { left, at: now }
}

/** Bounds what one peer, and what all peers together, may have this node check unasked. */
export class FloodGate {
  private readonly perPeer: Rate
  private readonly perAll: Rate
  private readonly peers = new Map<string, Allowance>()
  private all: Allowance | undefined

  constructor(perPeer: Rate, perAll: Rate) {
    this.perPeer = perPeer
    this.perAll = perAll
  }

  admits(peer: string, now: number): boolean {
    const own = take(this.peers.get(peer), this.perPeer, now)
    if (own === undefined) {
      return false
    }
    this.peers.delete(peer)
    this.peers.set(peer, own)
    const [longestAgo] = this.peers.keys()
    if (this.peers.size > REMEMBERED && longestAgo !== undefined) {
      this.peers.delete(longestAgo)
    }
    const all = take(this.all, this.perAll, now)
    if (all !== undefined) {
      this.all = all
    }
    return all !== undefined
  }
}
