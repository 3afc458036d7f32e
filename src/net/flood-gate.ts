/** Peers whose allowance is remembered. */
const REMEMBERED = 4_096

export interface Rate {
  /** What may come at once. */
  readonly burst: number
  readonly perSecond: number
}

/** What is set aside of what all may have: names being free, they can ask for everything else. */
export interface Reserve {
  /** Who has all of `known` to itself and its like. */
  readonly knows: (peer: string) => boolean
  readonly known: Rate
  /** For everybody who asks seldom: so much one peer, and all of them together. */
  readonly seldom: { readonly perPeer: Rate; readonly perAll: Rate }
}

class Allowance {
  private readonly rate: Rate
  private left: number
  private at: number

  constructor(rate: Rate, now: number) {
    this.rate = rate
    this.left = rate.burst
    this.at = now
  }

  has(cost: number, now: number): boolean {
    const { burst, perSecond } = this.rate
    this.left = Math.min(burst, this.left + (perSecond * Math.max(0, now - this.at)) / 1_000)
    this.at = now
    return cost <= this.left
  }

  /** What is owed is no more than a burst. */
  spend(cost: number): void {
    this.left = Math.max(-this.rate.burst, this.left - cost)
  }
}

interface Asking {
  readonly own: Allowance
  readonly seldom: Allowance | undefined
}

/** Puts more on the account of what was admitted, and into debt: what it cost is known only then. */
export type Charge = (cost: number) => void

/** Bounds what one peer, and what all peers together, may have this node do. */
export class FloodGate {
  private readonly perPeer: Rate
  private readonly perAll: Rate
  private readonly reserve: Reserve | undefined
  private readonly peers = new Map<string, Asking>()
  private common:
    | { readonly all: Allowance; readonly known?: Allowance; readonly seldom?: Allowance }
    | undefined

  /** @param reserve beside what all may have. @default none */
  constructor(perPeer: Rate, perAll: Rate, reserve?: Reserve) {
    this.perPeer = perPeer
    this.perAll = perAll
    this.reserve = reserve
  }

  /** @param cost of what is asked for, in the unit of the rates. @default 1 */
  admits(peer: string, now: number, cost = 1): boolean {
    return this.admit(peer, now, cost) !== undefined
  }

  /** As `admits`. @returns what charges more for it; undefined where it is not admitted */
  admit(peer: string, now: number, cost: number): Charge | undefined {
    const { own, seldom } = this.asking(peer, now)
    if (!own.has(cost, now)) {
      return undefined
    }
    own.spend(cost)
    const paid = this.purses(peer, seldom, now).find((purse) => purse.every((each) => each.has(cost, now)))
    if (paid === undefined) {
      return undefined
    }
    const charge = (more: number) => {
      for (const each of paid) {
        each.spend(more)
      }
    }
    charge(cost)
    return (more) => {
      own.spend(more)
      charge(more)
    }
  }

  /** What it may be taken from, each time from all of one row. */
  private purses(peer: string, own: Allowance | undefined, now: number): Allowance[][] {
    const { reserve } = this
    this.common ??= {
      all: new Allowance(this.perAll, now),
      ...(reserve && {
        known: new Allowance(reserve.known, now),
        seldom: new Allowance(reserve.seldom.perAll, now)
      })
    }
    const { all, known, seldom } = this.common
    return [
      [all],
      ...(known && reserve?.knows(peer) === true ? [[known]] : []),
      ...(seldom && own ? [[own, seldom]] : [])
    ]
  }

  private asking(peer: string, now: number): Asking {
    const asking = this.peers.get(peer) ?? {
      own: new Allowance(this.perPeer, now),
      seldom: this.reserve && new Allowance(this.reserve.seldom.perPeer, now)
    }
    this.peers.delete(peer)
    this.peers.set(peer, asking)
    const [longestAgo] = this.peers.keys()
    if (this.peers.size > REMEMBERED && longestAgo !== undefined) {
      this.peers.delete(longestAgo)
    }
    return asking
  }
}
