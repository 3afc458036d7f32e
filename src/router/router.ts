import type { FoundProvider } from '../registry/index.ts'
import { learn, mean, type Outcome, type Trust, UNKNOWN } from '../trust/index.ts'
import type { Milliseconds, PeerIdString } from '../wire/index.ts'
import { type Candidate, rank } from './utility.ts'

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
}

const PEERS_MAX = 4_096
const LATENCY_SMOOTHING = 0.2

/** SwarmRouter: which providers a job goes to, and what this node has learned of them. */
export class SwarmRouter {
  private readonly trust = new Map<string, Trust>()
  private readonly latency = new Map<PeerIdString, Milliseconds>()
  private readonly now: () => Milliseconds
  private readonly random: () => number

  constructor(init: RouterInit = {}) {
    this.now = init.now ?? Date.now
    this.random = init.random ?? Math.random
  }

  /** The best `count` providers for a task, best first. */
  choose(found: readonly FoundProvider[], task: Task, count: number): FoundProvider[] {
    const candidates = found.map((provider) => ({ ...this.candidate(provider, task), provider }))
    return rank(candidates, this.random)
      .slice(0, count)
      .map(({ provider }) => provider)
  }

  learn(peer: PeerIdString, skill: string, outcome: Outcome): void {
    const key = `${peer}/${skill}`
    const before = this.trust.get(key) ?? { ...UNKNOWN, at: this.now() }
    this.trust.delete(key)
    this.trust.set(key, learn(before, outcome, this.now()))
    dropOldest(this.trust)
  }

  /** @param ms a round trip to the peer as this node measured it */
  learnLatency(peer: PeerIdString, ms: Milliseconds): void {
    const before = this.latency.get(peer)
    this.latency.delete(peer)
    this.latency.set(peer, before === undefined ? ms : before + LATENCY_SMOOTHING * (ms - before))
    dropOldest(this.latency)
  }

  /** τ of a peer for a skill, 0 to 1. */
  trustIn(peer: PeerIdString, skill: string): number {
    return mean(this.trust.get(`${peer}/${skill}`) ?? UNKNOWN, this.now())
  }

  private candidate({ advert, latencyMs }: FoundProvider, task: Task): Candidate {
    const offered = advert.skills.find((skill) => skill.name === task.skill)
    return {
      peer: advert.peer,
      capable:
        offered !== undefined &&
        offered.version === task.version &&
        offered.kernel.every((byte, i) => byte === task.kernel[i]),
      fresh: advert.expires > this.now(),
      affordable: offered !== undefined && offered.rate <= task.rate,
      setAside: task.excluded.has(advert.peer),
      load: advert.load / 100,
      latencyMs: this.latency.get(advert.peer) ?? latencyMs,
      trust: this.trustIn(advert.peer, task.skill)
    }
  }
}

function dropOldest(map: Map<string, unknown>): void {
  if (map.size > PEERS_MAX) {
    const oldest = map.keys().next().value
    map.delete(oldest ?? '')
  }
}
