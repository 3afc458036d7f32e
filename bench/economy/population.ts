import { type Random, randomOf } from '../sim/random.ts'
import type { Agent, Kind, Profile } from './agent.ts'
import type { Market } from './market.ts'

/** Shares of an honest swarm. */
export const MIX: Readonly<Record<Kind, number>> = {
  contributor: 0.2,
  both: 0.4,
  requester: 0.25,
  idler: 0.15
}

/** Half are CPU tabs, the others have a GPU: µcr a second. */
function speedOf(random: Random): number {
  return random() < 0.5 ? 5_000 * 4 ** random() : 100_000 * 20 ** random()
}

export function profileOf(kind: Kind, random: Random): Profile {
  const speed = speedOf(random)
  const device = { kind, speed, jobSize: 60_000 }
  switch (kind) {
    case 'contributor':
      return { ...device, presence: 0.7, serves: true, jobsADay: 0 }
    case 'both':
      return { ...device, presence: 0.4, serves: true, jobsADay: 6 }
    case 'requester':
      return { ...device, presence: 0.3, serves: false, jobsADay: 4 }
    case 'idler':
      return { ...device, presence: 0.1, serves: false, jobsADay: 0.05 }
  }
}

export function drawKind(random: Random): Kind {
  let left = random()
  for (const [kind, share] of Object.entries(MIX)) {
    left -= share
    if (left < 0) {
      return kind as Kind // a key of MIX
    }
  }
  return 'both'
}

/** Comings and goings: exponential stays, every leaver replaced by a newcomer of a kind drawn anew. */
export class Crowd {
  private readonly market: Market
  private readonly random: Random
  private readonly leaveADay: number

  constructor(market: Market, nodes: number, leaveADay: number) {
    this.market = market
    this.random = randomOf(market.seed, 'crowd')
    this.leaveADay = leaveADay
    for (let i = 0; i < nodes; i++) {
      this.join()
    }
  }

  join(): Agent {
    return this.market.add(profileOf(drawKind(this.random), this.random))
  }

  /** Once a day. */
  turnOver(): void {
    for (const agent of this.market.present) {
      if (this.random() < this.leaveADay) {
        this.market.remove(agent)
        this.join()
      }
    }
  }
}
