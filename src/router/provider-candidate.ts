import { equals } from 'uint8arrays/equals'
import type { FoundProvider } from '../registry/index.ts'
import type { Milliseconds, PeerIdString } from '../wire/index.ts'
import type { Judgement } from './acquaintances.ts'
import type { Task } from './router.ts'
import type { SwarmCandidate } from './strategy.ts'

/** Units that a provider has when it calls itself full (`load` 100), as `jobs/provider` counts. */
const FULL = 4

/** What all candidates of a decision share. */
export interface Scene {
  readonly task: Task
  readonly now: Milliseconds
  /** Since a peer last earned, as far as this node knows. */
  readonly idleOf: (peer: PeerIdString) => Milliseconds
  /** A round trip as this node measured it, else as the registry found it. */
  readonly latencyTo: (provider: FoundProvider) => Milliseconds
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
  private readonly scene: Scene
  private readonly judgement: Judgement

  /**
   * @param speed operations a ms @param own units of this node that are at the peer now
   */
  constructor(provider: FoundProvider, scene: Scene, judgement: Judgement, speed: number, own: number) {
    const { task } = scene
    const offered = provider.advert.skills.find(({ name }) => name === task.skill)
    this.provider = provider
    this.capable =
      offered !== undefined &&
      offered.version === task.version &&
      (offered.kernel === task.kernel || equals(offered.kernel, task.kernel))
    this.affordable = offered !== undefined && offered.rate <= task.rate
    this.setAside = task.excluded.has(provider.advert.peer)
    this.speed = speed
    this.own = own
    this.scene = scene
    this.judgement = judgement
  }

  get peer(): PeerIdString {
    return this.provider.advert.peer
  }

  get fresh(): boolean {
    return this.provider.advert.expires > this.scene.now
  }

  get load(): number {
    return this.provider.advert.load / 100
  }

  /** The advert's load may hold own units too, so the greater of the two and not their sum. */
  get pending(): number {
    return Math.max(this.own, this.load * FULL)
  }

  get reportAgeMs(): Milliseconds {
    return Math.max(0, this.scene.now - this.provider.loadAt)
  }

  get latencyMs(): Milliseconds {
    return this.scene.latencyTo(this.provider)
  }

  get idleMs(): Milliseconds {
    return this.scene.idleOf(this.peer)
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
