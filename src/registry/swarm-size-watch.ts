import type { Logger, PeerId, PeerRouting } from '@libp2p/interface'
import { CLOSEST, closestPeers, distanceOf, estimateSwarmSize } from '../net/index.ts'
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
  /** All others, where a walk returns them all. */
  private others: readonly PeerId[] = []
  private failures = 0
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
        // twice as long after each failure in a row: where walks are cut off, more of them are no help
        this.walkAt = this.init.now() + Math.min(SIZE_LIFETIME, SIZE_RETRY * 2 ** this.failures++)
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

  /** Whether the last walk saw the whole swarm, and this node is connected to all of it. */
  isWhole(isConnected: (peer: PeerId) => boolean): boolean {
    return this.others.length > 0 && this.others.every(isConnected)
  }

  private async walk(signal: AbortSignal): Promise<void> {
    const { peerRouting, peerId } = this.init
    const timed = AbortSignal.any([signal, AbortSignal.timeout(DHT_TIMEOUT)])
    const closest = await closestPeers(peerRouting, peerId.toMultihash().bytes, { signal: timed })
    const others = closest.filter((id) => !id.equals(peerId))
    const distances = await Promise.all(others.map((other) => distanceOf(peerId, other)))
    this.size = estimateSwarmSize(distances)
    this.others = others.length < CLOSEST ? others : []
    this.failures = 0
    if (others.length === 0) {
      this.walkAt = this.init.now() + SIZE_RETRY
    }
  }
}
