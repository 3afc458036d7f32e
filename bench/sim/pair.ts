import {
  type Experience,
  experience,
  follow,
  judge,
  NO_SAMPLES,
  neverMet,
  type Quantile,
  type SwarmCandidate
} from '../../src/router/index.ts'
import type { Outcome } from '../../src/trust/index.ts'
import type { PeerIdString } from '../../src/wire/index.ts'
import type { EventLoop } from './event-loop.ts'
import type { FleetInit, Node } from './fleet.ts'

/** Units at which a provider calls itself full, as `jobs/provider` does with one slot. */
const FULL = 4
/** Verified units of a node that serves another skill: the paper keeps one τ a node. */
const TRUSTED_ELSEWHERE = 100

/** What one router knows of all nodes together. */
export class Router {
  /** Time of a unit in ms. */
  median: Quantile = NO_SAMPLES
}

/** What one router knows of one node: a candidate of the production strategies, kept up to date. */
export class Pair implements SwarmCandidate {
  readonly peer = '' as PeerIdString // no rule reads it
  readonly fresh = true
  readonly affordable = true
  readonly setAside = false
  readonly latencyMs = 0
  readonly node: Node
  readonly capable: boolean
  /** Work a ms. */
  readonly speed: number
  /** Units of this router at the node: counted at once. */
  own = 0
  trust = 0
  trustLow = 0
  verified = 0
  pheromone = 0
  slowdown = 1
  private readonly router: Router
  private readonly loop: EventLoop
  private readonly isLive: boolean
  private readonly learns: boolean
  private known: Experience
  private published = 0
  private others = 0
  private heardAt = 0

  constructor(node: Node, router: Router, loop: EventLoop, init: FleetInit) {
    this.node = node
    this.capable = node.capable
    this.speed = node.speed / 1_000
    this.router = router
    this.loop = loop
    this.isLive = init.informationAge === 0
    this.learns = init.learns ?? true
    const stranger = neverMet(loop.now * 1_000)
    this.known = node.capable
      ? stranger
      : { ...stranger, trust: { ...stranger.trust, right: TRUSTED_ELSEWHERE } }
    this.judge()
  }

  get pending(): number {
    return this.isLive ? this.node.pending : this.others + this.own
  }

  get idleMs(): number {
    return (this.loop.now - this.node.earnedAt) * 1_000
  }

  get load(): number {
    return Math.min(1, (this.isLive ? this.node.pending : this.published) / FULL)
  }

  get reportAgeMs(): number {
    return this.isLive ? 0 : (this.loop.now - this.heardAt) * 1_000
  }

  /** Seconds that a unit should take: those ahead of it are taken for average ones. */
  predict(work: number): number {
    return (this.pending + work) / this.node.speed
  }

  /** The node publishes its load. */
  read(): void {
    this.published = this.node.pending
    this.hear()
  }

  /** A unit came back: with the result comes the node's load. */
  learn(outcome: Outcome, seconds: number, predicted: number): void {
    const { router } = this
    if (outcome === 'verified') {
      router.median = follow(router.median, seconds * 1_000, 0.5)
    }
    const unit = {
      outcome,
      tookMs: seconds * 1_000,
      predictedMs: predicted * 1_000,
      targetMs: router.median.value
    }
    if (this.learns) {
      this.known = experience(this.known, unit, this.loop.now * 1_000)
      this.judge()
    }
    this.hear()
  }

  private hear(): void {
    this.others = this.node.pending - this.own
    this.heardAt = this.loop.now
  }

  private judge(): void {
    const now = judge(this.known, this.loop.now * 1_000)
    this.trust = now.trust
    this.trustLow = now.trustLow
    this.verified = now.verified
    this.pheromone = now.pheromone
    this.slowdown = now.slowdown
  }
}
