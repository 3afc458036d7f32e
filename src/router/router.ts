import type { FoundProvider } from '../registry/index.ts'
import { learn as learnTrust, mean, mustReplicate, type Outcome, UNCHECKED, UNKNOWN } from '../trust/index.ts'
import type { Milliseconds, PeerIdString } from '../wire/index.ts'
import {
  type Acquaintance,
  Acquaintances,
  dropOldest,
  judged,
  newAcquaintance,
  replicated
} from './acquaintances.ts'
import { type Experience, experience, judge, neverMet } from './experience.ts'
import { Hedges } from './hedges.ts'
import { observeFailure } from './peak-ewma.ts'
import { reinforce, strengthAt } from './pheromone.ts'
import { ProviderCandidate } from './provider-candidate.ts'
import { follow, NO_SAMPLES, type Quantile } from './quantile.ts'
import {
  chooseMany,
  paperStrategy,
  type Reason,
  type Strategy,
  type StrategyName,
  type SwarmCandidate
} from './strategy.ts'
import { swarmStrategy } from './swarm-strategy.ts'
import { isEligible } from './utility.ts'

export interface Task {
  readonly skill: string
  readonly version: string
  /** SHA-256 of the skill's kernels (32 bytes). */
  readonly kernel: Uint8Array
  /** What the requester pays, in thousandths of the published cost. */
  readonly rate: number
  /** Peers that this job does not want (any more). */
  readonly excluded: { has(peer: PeerIdString): boolean }
}

export interface RouterInit {
  readonly now?: () => Milliseconds
  readonly random?: () => number
  /** The one that wins `bench sim-router` with news as old as adverts are. @default 'swarm' */
  readonly strategy?: StrategyName
  /** How long ago a peer last earned, as far as its chain is known here. @default 0: nothing is known of that */
  readonly idleOf?: (peer: PeerIdString) => Milliseconds
}

/** How long a unit took, for what it was. */
export interface UnitTime {
  readonly operations: number
  /** From dispatch to verified result. */
  readonly tookMs: Milliseconds
  /** Units ahead of it at the peer when it was sent (`inFlight`). */
  readonly pending: number
}

/** A provider that was looked at for a task. */
export interface Considered {
  readonly provider: FoundProvider
  /** What the strategy compares; undefined: not eligible. */
  readonly score: number | undefined
  /** Why it was chosen; undefined: it was not. */
  readonly chosen: Reason | undefined
}

/** What `SwarmRouter.memory` gives: plain data. */
export type Memory = ReadonlyArray<Acquaintance & { readonly skill: string; readonly peer: PeerIdString }>

/** One trail of `SwarmRouter.pheromones()`. */
export interface Trail {
  readonly peer: PeerIdString
  readonly skill: string
  /** .05 to 1. */
  readonly strength: number
}

const SMOOTHING = 0.2

/** SwarmRouter: which providers a job goes to, and what this node has learned of them. */
export class SwarmRouter {
  readonly hedges = new Hedges()
  readonly strategy: StrategyName
  private readonly known = new Acquaintances()
  private readonly latency = new Map<PeerIdString, Milliseconds>()
  private readonly sent = new Map<PeerIdString, number>()
  /** Until when. */
  private readonly condemned = new Map<PeerIdString, Milliseconds>()
  /** Median time of a unit, by skill. */
  private readonly medians = new Map<string, Quantile>()
  /** Median speed of a unit's provider, by skill: what a peer never timed is taken for. */
  private readonly speeds = new Map<string, Quantile>()
  private readonly chooser: Strategy<SwarmCandidate>
  private readonly now: () => Milliseconds
  private readonly random: () => number
  private readonly idleOf: (peer: PeerIdString) => Milliseconds

  constructor(init: RouterInit = {}) {
    this.now = init.now ?? Date.now
    this.random = init.random ?? Math.random
    this.idleOf = init.idleOf ?? (() => 0)
    this.strategy = init.strategy ?? 'swarm'
    this.chooser = this.strategy === 'swarm' ? swarmStrategy() : paperStrategy
  }

  /** The best `count` providers for a task, best first. */
  choose(found: readonly FoundProvider[], task: Task, count: number): FoundProvider[] {
    const { candidates, request } = this.candidates(found, task)
    const eligible = candidates.filter(isEligible)
    return chooseMany(this.chooser, eligible, request, count, this.random).map(
      ({ chosen }) => chosen.provider
    )
  }

  /** As `choose`, with all that were looked at and why: those chosen first, best first; then the others. */
  decide(found: readonly FoundProvider[], task: Task, count: number): Considered[] {
    const { candidates, request } = this.candidates(found, task)
    const decisions = chooseMany(this.chooser, candidates.filter(isEligible), request, count, this.random)
    const reasons = new Map(decisions.map(({ chosen, reason }) => [chosen, reason]))
    const others = candidates.filter((candidate) => !reasons.has(candidate))
    return [...reasons.keys(), ...others].map((candidate) => ({
      provider: candidate.provider,
      score: isEligible(candidate) ? this.chooser.score(candidate, request) : undefined,
      chosen: reasons.get(candidate)
    }))
  }

  /** A unit is on its way to the peer: counts at once, before any advert tells of it. */
  dispatched(peer: PeerIdString): void {
    this.sent.set(peer, this.inFlight(peer) + 1)
  }

  /** A unit is no longer on its way: done, failed or cancelled. Once for each `dispatched`. */
  returned(peer: PeerIdString): void {
    const left = this.inFlight(peer) - 1
    if (left > 0) {
      this.sent.set(peer, left)
    } else {
      this.sent.delete(peer)
    }
  }

  /** This node's units at the peer now. */
  inFlight(peer: PeerIdString): number {
    return this.sent.get(peer) ?? 0
  }

  /**
   * @param time of a verified unit; without it only trust is learned
   * @param wasCompared the result was compared with another computation of the unit
   */
  learn(peer: PeerIdString, skill: string, outcome: Outcome, time?: UnitTime, wasCompared = false): void {
    const now = this.now()
    const before = this.known.get(skill, peer) ?? newAcquaintance(now)
    const after = {
      experience: this.learned(before.experience, skill, outcome, before.speed, time),
      speed: time && outcome === 'verified' ? smooth(before.speed, speedOf(time)) : before.speed,
      replication: replicated(before.replication, outcome, wasCompared)
    }
    this.known.set(skill, peer, after, now)
  }

  /** Whether a unit that the peer has done must be computed again elsewhere (for skills with a weak check). */
  mustReplicate(peer: PeerIdString, skill: string): boolean {
    return mustReplicate(this.known.get(skill, peer)?.replication ?? UNCHECKED, this.random())
  }

  /** Units of the peer in a row that another computation confirmed. */
  checksPassed(peer: PeerIdString, skill: string): number {
    return (this.known.get(skill, peer)?.replication ?? UNCHECKED).valid
  }

  /** All that was learned, to be kept until the node's next life. */
  memory(): Memory {
    return [...this.known.entries()].map(([skill, peer, acquaintance]) => ({ skill, peer, ...acquaintance }))
  }

  /** Takes up what an earlier life has learned. Call it before the first `learn`. */
  remember(memory: Memory): void {
    for (const { skill, peer, ...acquaintance } of memory) {
      this.known.set(skill, peer, acquaintance, this.now())
      if (acquaintance.speed !== undefined) {
        this.speeds.set(skill, follow(this.speeds.get(skill) ?? NO_SAMPLES, acquaintance.speed, 0.5))
      }
    }
  }

  /** @param ms a round trip to the peer as this node measured it */
  learnLatency(peer: PeerIdString, ms: Milliseconds): void {
    const before = this.latency.get(peer)
    this.latency.delete(peer)
    this.latency.set(peer, smooth(before, ms))
    dropOldest(this.latency)
  }

  /**
   * The peer has signed two records for one place: it is trusted with nothing from now on.
   *
   * @param until by this node's clock, where it has healed. @default for ever: a fork never halves
   */
  condemn(peer: PeerIdString, until = Number.POSITIVE_INFINITY): void {
    this.condemned.set(peer, until)
  }

  private isCondemned(peer: PeerIdString): boolean {
    return this.now() < (this.condemned.get(peer) ?? 0)
  }

  /** τ of a peer for a skill, 0 to 1. */
  trustIn(peer: PeerIdString, skill: string): number {
    if (this.isCondemned(peer)) {
      return 0
    }
    return mean(this.known.get(skill, peer)?.experience.trust ?? UNKNOWN, this.now())
  }

  /** Operations a ms that this node has seen of a peer; undefined: it was never hired for the skill. */
  speedAt(peer: PeerIdString, skill: string): number | undefined {
    return this.known.get(skill, peer)?.speed
  }

  /** Every trail that this node has laid down and that time has left of it, strongest first. */
  pheromones(): Trail[] {
    const now = this.now()
    return [...this.known.entries()]
      .map(([skill, peer, { experience }]) => ({ peer, skill, strength: strengthAt(experience.trail, now) }))
      .sort((a, b) => b.strength - a.strength)
  }

  private learned(
    before: Experience,
    skill: string,
    outcome: Outcome,
    speed: number | undefined,
    time: UnitTime | undefined
  ): Experience {
    const now = this.now()
    if (time === undefined || outcome !== 'verified') {
      const trust = learnTrust(before.trust, outcome, now)
      return outcome === 'verified'
        ? { ...before, trust }
        : {
            trust,
            trail: reinforce(before.trail, { success: false, latencyMs: 0, targetMs: 0 }, now),
            peak: observeFailure(before.peak, now)
          }
    }
    this.hedges.time(skill, time.tookMs)
    this.speeds.set(skill, follow(this.speeds.get(skill) ?? NO_SAMPLES, speedOf(time), 0.5))
    dropOldest(this.speeds)
    const median = follow(this.medians.get(skill) ?? NO_SAMPLES, time.tookMs, 0.5)
    this.medians.set(skill, median)
    dropOldest(this.medians)
    const predictedMs = speed === undefined ? time.tookMs : ((time.pending + 1) * time.operations) / speed
    return experience(before, { outcome, tookMs: time.tookMs, predictedMs, targetMs: median.value }, now)
  }

  private candidates(found: readonly FoundProvider[], task: Task) {
    const now = this.now()
    const typical = this.speeds.get(task.skill)?.value ?? 1 // none was timed: all count as equally fast
    const stranger = judge(neverMet(now), now)
    const met = this.known.of(task.skill)
    const scene = {
      task,
      now,
      idleOf: this.idleOf,
      latencyTo: ({ advert, latencyMs }: FoundProvider) => this.latency.get(advert.peer) ?? latencyMs
    }
    const candidates: ProviderCandidate[] = []
    for (const provider of found) {
      const { peer } = provider.advert
      if (this.condemned.size > 0 && this.isCondemned(peer)) {
        continue
      }
      const known = met.get(peer)
      const judgement = known === undefined ? stranger : judged(known, now)
      const own = this.sent.size === 0 ? 0 : this.inFlight(peer)
      candidates.push(new ProviderCandidate(provider, scene, judgement, known?.speed ?? typical, own))
    }
    return { candidates, request: { work: typical } }
  }
}

const smooth = (before: number | undefined, sample: number) =>
  before === undefined ? sample : before + SMOOTHING * (sample - before)

/** Operations a ms, as if the unit had been alone: those ahead of it are taken for equal. */
const speedOf = ({ operations, tookMs, pending }: UnitTime) =>
  (operations * (pending + 1)) / Math.max(tookMs, Number.MIN_VALUE)
