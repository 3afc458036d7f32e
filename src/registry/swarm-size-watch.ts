import type { Logger, PeerId, PeerRouting } from '@libp2p/interface'
import { distanceOf, estimateSwarmSize } from '../net/index.ts'
import type { Milliseconds } from '../wire/index.ts'
import { DHT_TIMEOUT, SIZE_LIFETIME, SIZE_RETRY } from './constants.ts'

export interface SwarmSizeWatchInit {
  readonly peerRouting: PeerRouting
  readonly peerId: PeerId
  readonly now: () => Milliseconds
  readonly log: Logger
}

/** The swarm's size as this node sees it, by a walk of the DHT to its own neighbourhood once a minute. */
export class SwarmSizeWatch {
  private readonly init: SwarmSizeWatchInit
  private size = 1
  private walkAt = Number.NEGATIVE_INFINITY
  private walking: Promise<void> = Promise.resolve()

  constructor(init: SwarmSizeWatchInit) {
    this.init = init
  }

  /** Peers, this one included; 1 where nobody else is known yet. Looks again beside it if that was long ago. */
  current(signal: AbortSignal): number {
    if (this.init.now() >= this.walkAt) {
      this.walkAt = this.init.now() + SIZE_LIFETIME
      this.walking = this.walk(signal).catch((error) => {
        this.walkAt = this.init.now() + SIZE_RETRY
        this.init.log('could not estimate the size of the swarm - %e', error)
      })
    }
    return this.size
  }

  /** As `current`, but waits a moment where nothing is known yet. */
  async known(signal: AbortSignal, waitMs: Milliseconds): Promise<number> {
    const size = this.current(signal)
    if (size > 1) {
      return size
    }
    let timer: ReturnType<typeof setTimeout> | undefined
    await Promise.race([
      this.walking,
      new Promise((resolve) => {
        timer = setTimeout(resolve, waitMs)
      })
    ])
    clearTimeout(timer)
    return this.size
  }

  private async walk(signal: AbortSignal): Promise<void> {
    const { peerRouting, peerId } = this.init
    const timed = AbortSignal.any([signal, AbortSignal.timeout(DHT_TIMEOUT)])
    const distances: number[] = []
    for await (const { id } of peerRouting.getClosestPeers(peerId.toMultihash().bytes, { signal: timed })) {
      if (!id.equals(peerId)) {
        distances.push(await distanceOf(peerId, id))
      }
    }
    this.size = estimateSwarmSize(distances)
    if (distances.length === 0) {
      this.walkAt = this.init.now() + SIZE_RETRY
    }
  }
}
