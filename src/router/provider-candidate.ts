import { equals } from 'uint8arrays/equals'
import type { FoundProvider } from '../registry/index.ts'
import type { Milliseconds, PeerIdString } from '../wire/index.ts'
import type { Judgement } from './acquaintances.ts'
import type { Task } from './router.ts'
import type { SwarmCandidate } from './strategy.ts'

/** Units that a provider has when it calls itself full (`load` 100), as `jobs/provider` counts. */
const FULL = 4

/** What this node knows of the provider beside its advert. */
export interface Knowledge {
  readonly judgement: Judgement
  readonly speed: number
  readonly own: number
  readonly latencyMs: Milliseconds
  /** Since a peer last earned, as far as this node knows. */
  readonly idleOf: (peer: PeerIdString) => Milliseconds
}

/**
 * A provider as the strategies see it. Reads the advert and the judgement where they lie: a decision may look at
 * thousands, and most of them at two or three fields only.
 */
export class ProviderCandidate implements SwarmCandidate {
  readonly provider: FoundProvider
  readonly capable: boolean
  readonly affordable: boolean
  readonly setAside: boolean
  readonly speed: number
  readonly own: number
  readonly latencyMs: Milliseconds
  private readonly judgement: Judgement
  private readonly idleOf: Knowledge['idleOf']
  private readonly now: Milliseconds

  constructor(provider: FoundProvider, task: Task, knowledge: Knowledge, now: Milliseconds) {
    const offered = provider.advert.skills.find(({ name }) => name === task.skill)
    this.provider = provider
    this.capable =
      offered !== undefined &&
      offered.version === task.version &&
      (offered.kernel === task.kernel || equals(offered.kernel, task.kernel))
    this.affordable = offered !== undefined && offered.rate <= task.rate
    this.setAside = task.excluded.has(provider.advert.peer)
    this.speed = knowledge.speed
    this.own = knowledge.own
    this.latencyMs = knowledge.latencyMs
    this.judgement = knowledge.judgement
    this.idleOf = knowledge.idleOf
    this.now = now
  }

  get peer(): PeerIdString {
    return this.provider.advert.peer
  }

  get fresh(): boolean {
    return this.provider.advert.expires > this.now
  }

  get load(): number {
    return this.provider.advert.load / 100
  }

  /** The advert's load may hold own units too, so the greater of the two and not their sum. */
  get pending(): number {
    return Math.max(this.own, this.load * FULL)
  }

  get reportAgeMs(): Milliseconds {
    return Math.max(0, this.now - this.provider.loadAt)
  }

  get idleMs(): Milliseconds {
    return this.idleOf(this.peer)
  }

  get trust(): number {
    return this.judgement.trust
  }

  get trustLow(): number {
    return this.judgement.trustLow
  }

  get verified(): number {
    return this.judgement.verified
  }

  get pheromone(): number {
    return this.judgement.pheromone
  }

  get slowdown(): number {
    return this.judgement.slowdown
  }
}
