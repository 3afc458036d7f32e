import {
  AS_PREDICTED,
  follow,
  NO_SAMPLES,
  observe,
  observeFailure,
  PHEROMONE_START,
  type Pheromone,
  type Quantile,
  reinforce,
  type Slowdown,
  type SwarmCandidate,
  slowdownAt,
  slowdownFactor
} from '../../src/router/index.ts'
import { learn, lowerBound, mean, type Trust, UNKNOWN } from '../../src/trust/index.ts'
import type { PeerIdString } from '../../src/wire/index.ts'
import type { EventLoop } from './event-loop.ts'
import type { Node } from './fleet.ts'

/** Units at which a provider calls itself full, as `jobs/provider` does with one slot. */
const FULL = 4

/** What one router knows of one node: a candidate of the production strategies, kept up to date. */
export class Pair implements SwarmCandidate {
  readonly peer = '' as PeerIdString // no rule reads it
  readonly fresh = true
  readonly affordable = true
  readonly setAside = false
  readonly latencyMs = 0
  readonly idleMs = 0
  readonly node: Node
  /** Units of this router at the node. */
  own = 0
  trust: number
  trustLow: number
  verified = 0
  pheromone = PHEROMONE_START
  private readonly loop: EventLoop
  private readonly isLive: boolean
  private seen = 0
  private others = 0
  private seenAt = 0
  private trusted: Trust = UNKNOWN
  private trail: Pheromone = { strength: PHEROMONE_START, at: 0 }
  private peak: Slowdown = AS_PREDICTED
  private target: Quantile = NO_SAMPLES

  constructor(node: Node, loop: EventLoop, isLive: boolean) {
    this.node = node
    this.loop = loop
    this.isLive = isLive
    this.trust = mean(UNKNOWN, 0)
    this.trustLow = lowerBound(UNKNOWN, 0)
  }

  get capable(): boolean {
    return this.node.capable
  }
  get speed(): number {
    return this.node.speed / 1_000 // work a ms
  }
  get pending(): number {
    return this.isLive ? this.node.pending : this.others + this.own
  }
  get load(): number {
    return Math.min(1, (this.isLive ? this.node.pending : this.seen) / FULL)
  }
  get reportAgeMs(): number {
    return this.isLive ? 0 : (this.loop.now - this.seenAt) * 1_000
  }
  get slowdown(): number {
    return slowdownFactor(slowdownAt(this.peak, this.loop.now * 1_000))
  }

  /** Seconds that a unit should take: those ahead are taken for average ones. */
  predict(work: number): number {
    return (this.pending + work) / this.node.speed
  }

  /** The node's load is published. */
  read(): void {
    this.seen = this.node.pending
    this.heard()
  }
}
