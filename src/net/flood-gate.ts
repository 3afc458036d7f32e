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

/** What is left of an allowance when so much is taken now; undefined if there is not so much to take. */
export function take(
  before: Allowance | undefined,
  rate: Rate,
  now: number,
  cost = 1
): Allowance | undefined {
  const gained = before === undefined ? rate.burst : (rate.perSecond * Math.max(0, now - before.at)) / 1_000
  const left = Math.min(rate.burst, (before?.left ?? 0) + gained) - cost
  return left < 0 ? undefined : { left, at: now }
}

/** Bounds what one peer, and what all peers together, may have this node check. */
export class FloodGate {
  private readonly perPeer: Rate
  private readonly perAll: Rate
  private readonly peers = new Map<string, Allowance>()
  private all: Allowance | undefined

  constructor(perPeer: Rate, perAll: Rate) {
    this.perPeer = perPeer
    this.perAll = perAll
  }

  /** @param cost of what is asked for, in the unit of the rates. @default 1 */
  admits(peer: string, now: number, cost = 1): boolean {
    const own = take(this.peers.get(peer), this.perPeer, now, cost)
    if (own === undefined) {
      return false
    }
    this.peers.delete(peer)
    this.peers.set(peer, own)
    const [longestAgo] = this.peers.keys()
    if (this.peers.size > REMEMBERED && longestAgo !== undefined) {
      this.peers.delete(longestAgo)
    }
    const all = take(this.all, this.perAll, now, cost)
    if (all !== undefined) {
      this.all = all
    }
    return all !== undefined
  }
}
