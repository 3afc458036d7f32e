import type { FoundProvider } from '../registry/index.ts'
import { learn as learnTrust, mean, type Outcome, UNKNOWN } from '../trust/index.ts'
import type { Milliseconds, PeerIdString } from '../wire/index.ts'
import { type Experience, experience, judge, neverMet } from './experience.ts'
import { observeFailure } from './peak-ewma.ts'
import { reinforce, strengthAt } from './pheromone.ts'
import { follow, NO_SAMPLES, type Quantile } from './quantile.ts'
import { chooseMany, type Strategy, type StrategyName, type SwarmCandidate } from './strategy.ts'
import { swarmStrategy } from './swarm-strategy.ts'
import { isEligible, rank } from './utility.ts'

export interface Task {
  readonly skill: string
  readonly version: string
  /** SHA-256 of the skill's kernels (32 bytes). */
  readonly kernel: Uint8Array
  /** What the requester pays, in thousandths of the published cost. */
  readonly rate: number
  /** Peers that this job does not want (any more). */
  readonly excluded: ReadonlySet<PeerIdString>
}

export interface RouterInit {
  readonly now?: () => Milliseconds
  readonly random?: () => number
  /** @default 'paper' */
  readonly strategy?: StrategyName
}

/** How long a unit took, for what it was. */
export interface UnitTime {
  readonly operations: number
  /** From dispatch to verified result. */
  readonly tookMs: Milliseconds
  /** Units ahead of it at the peer when it was sent (`inFlight`). */
  readonly pending: number
}

/** One trail of `SwarmRouter.pheromones()`. */
export interface Trail {
  readonly peer: PeerIdString
  readonly skill: string
  /** .05 to 1. */
  readonly strength: number
}

interface Known {
  readonly peer: PeerIdString
  readonly skill: string
  readonly experience: Experience
  /** Operations a ms of one unit; undefined: none was timed. */
  readonly speed: number | undefined
}

const PEERS_MAX = 4_096
const SMOOTHING = 0.2
/** Units that a provider has when it calls itself full (`load` 100), as `jobs/provider` counts. */
const FULL = 4

/** SwarmRouter: which providers a job goes to, and what this node has learned of them. */
export class SwarmRouter {
  private readonly known = new Map<string, Known>()
  private readonly latency = new Map<PeerIdString, Milliseconds>()
  private readonly sent = new Map<PeerIdString, number>()
  /** Median time of a unit, by skill. */
  private readonly medians = new Map<string, Quantile>()
  private readonly swarm: Strategy<SwarmCandidate> | undefined
  private readonly now: () => Milliseconds
  private readonly random: () => number

  constructor(init: RouterInit = {}) {
    this.now = init.now ?? Date.now
    this.random = init.random ?? Math.random
    this.swarm = init.strategy === 'swarm' ? swarmStrategy() : undefined
  }

  /** The best `count` providers for a task, best first. */
  choose(found: readonly FoundProvider[], task: Task, count: number): FoundProvider[] {
    const typical = this.typicalSpeed(found, task.skill)
    const candidates = found.map((provider) => ({ ...this.candidate(provider, task, typical), provider }))
    const chosen =
      this.swarm === undefined
        ? rank(candidates, this.random).slice(0, count)
        : chooseMany(this.swarm, candidates.filter(isEligible), { work: typical }, count, this.random).map(
            (decision) => decision.chosen
          )
    return chosen.map(({ provider }) => provider)
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

  /** @param time of a verified unit; without it only trust is learned */
  learn(peer: PeerIdString, skill: string, outcome: Outcome, time?: UnitTime): void {
    const key = keyOf(peer, skill)
    const before = this.known.get(key)
    const after = this.learned(
      before?.experience ?? neverMet(this.now()),
      skill,
      outcome,
      before?.speed,
      time
    )
    this.known.delete(key)
    this.known.set(key, {
      peer,
      skill,
      experience: after,
      speed: time && outcome === 'verified' ? smooth(before?.speed, speedOf(time)) : before?.speed
    })
    dropOldest(this.known)
  }

  /** @param ms a round trip to the peer as this node measured it */
  learnLatency(peer: PeerIdString, ms: Milliseconds): void {
    const before = this.latency.get(peer)
    this.latency.delete(peer)
    this.latency.set(peer, smooth(before, ms))
    dropOldest(this.latency)
  }

  /** τ of a peer for a skill, 0 to 1. */
  trustIn(peer: PeerIdString, skill: string): number {
    return mean(this.known.get(keyOf(peer, skill))?.experience.trust ?? UNKNOWN, this.now())
  }

  /** Every trail that this node has laid down and that time has left of it, strongest first. */
  pheromones(): Trail[] {
    const now = this.now()
    return [...this.known.values()]
      .map((known) => ({
        peer: known.peer,
        skill: known.skill,
        strength: strengthAt(known.experience.trail, now)
      }))
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
    const median = follow(this.medians.get(skill) ?? NO_SAMPLES, time.tookMs, 0.5)
    this.medians.set(skill, median)
    dropOldest(this.medians)
    const predictedMs = speed === undefined ? time.tookMs : ((time.pending + 1) * time.operations) / speed
    return experience(before, { outcome, tookMs: time.tookMs, predictedMs, targetMs: median.value }, now)
  }

  /** Of those found that were timed; 1 if none was: then all count as equally fast. */
  private typicalSpeed(found: readonly FoundProvider[], skill: string): number {
    const speeds = found
      .flatMap(({ advert }) => this.known.get(keyOf(advert.peer, skill))?.speed ?? [])
      .sort((a, b) => a - b)
    return speeds[speeds.length >> 1] ?? 1
  }

  private candidate({ advert, latencyMs }: FoundProvider, task: Task, typicalSpeed: number): SwarmCandidate {
    const offered = advert.skills.find((skill) => skill.name === task.skill)
    const known = this.known.get(keyOf(advert.peer, task.skill))
    const now = this.now()
    return {
      peer: advert.peer,
      capable:
        offered !== undefined &&
        offered.version === task.version &&
        offered.kernel.every((byte, i) => byte === task.kernel[i]),
      fresh: advert.expires > now,
      affordable: offered !== undefined && offered.rate <= task.rate,
      setAside: task.excluded.has(advert.peer),
      load: advert.load / 100,
      latencyMs: this.latency.get(advert.peer) ?? latencyMs,
      ...judge(known?.experience ?? neverMet(now), now),
      // The advert's load may hold own units too, so the greater of the two and not their sum.
      pending: Math.max(this.inFlight(advert.peer), (advert.load / 100) * FULL),
      own: this.inFlight(advert.peer),
      reportAgeMs: Math.max(0, now - advert.ts),
      speed: known?.speed ?? typicalSpeed,
      idleMs: 0 // the ledger will tell
    }
  }
}

const keyOf = (peer: PeerIdString, skill: string) => `${peer}/${skill}`

const smooth = (before: number | undefined, sample: number) =>
  before === undefined ? sample : before + SMOOTHING * (sample - before)

/** Operations a ms, as if the unit had been alone: those ahead of it are taken for equal. */
const speedOf = ({ operations, tookMs, pending }: UnitTime) =>
  (operations * (pending + 1)) / Math.max(tookMs, Number.MIN_VALUE)

function dropOldest(map: Map<string, unknown>): void {
  if (map.size > PEERS_MAX) {
    const oldest = map.keys().next().value
    map.delete(oldest ?? '')
  }
}
