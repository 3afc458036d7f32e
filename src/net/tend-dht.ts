import type { ComponentLogger, Logger, PeerId, PeerRouting, Startable } from '@libp2p/interface'
import type { Milliseconds } from '../wire/index.ts'
import { closestPeers } from './closest-peers.ts'
import { CLOSEST, distanceOf, estimateSwarmSize } from './swarm-size.ts'

/** In a swarm that one walk sees whole. */
const SHORTEST: Milliseconds = 15_000
const LONGEST: Milliseconds = 300_000
/** Self-queries from one walk to a random key to the next: far contacts are seldom missed, and any walk finds some. */
const FAR_EVERY = 4
/**
 * Before the first walks, while no large swarm is seen: a relay knows a newcomer's addresses a second after they are
 * there, so those that start together find nobody with kad-dht's own first walk.
 */
const FIRST: readonly Milliseconds[] = [1_000, 1_000, 1_500, 1_500]
/** Of an interval, at random. A swarm that started together must not walk together: two that dial each other connect twice. */
const SPREAD = { first: 0.5, later: 0.1 }
const WALK_TIMEOUT: Milliseconds = 10_000
/** After a walk that was cut off, the interval grows by this: what the network or the machine cannot do, it must not be asked more often. */
const BACK_OFF = 2

/**
 * From one self-query to the next: 15 s in a swarm of up to 20 peers, where hardly anything else fills the routing
 * tables; in proportion to its size beyond, so that the swarm as a whole makes no more than 4/3 of them a second;
 * at most five minutes, kad-dht's default, from 400 peers on: there the searches of others do most of the work.
 */
export function selfQueryInterval(swarmSize: number): Milliseconds {
  return Math.min(LONGEST, SHORTEST * Math.max(1, swarmSize / CLOSEST))
}

export interface DhtTenderInit {
  /** In [0, 1). @default Math.random */
  readonly random?: () => number
}

export interface DhtTenderComponents {
  readonly peerRouting: PeerRouting
  readonly peerId: PeerId
  readonly logger: ComponentLogger
}

/**
 * Keeps the DHT's routing table filled, in place of kad-dht's own self-query, whose interval is fixed: a walk to
 * this node's own key, and where that does not see the whole swarm, now and then one to a random key for the far ones.
 */
export class DhtTender implements Startable {
  readonly [Symbol.toStringTag] = 'swarmharness/dht-tender'
  private readonly components: DhtTenderComponents
  private readonly random: () => number
  private readonly log: Logger
  private timer: ReturnType<typeof setTimeout> | undefined
  private over = new AbortController()
  private walks = 0
  private interval = SHORTEST

  constructor(components: DhtTenderComponents, { random = Math.random }: DhtTenderInit = {}) {
    this.components = components
    this.random = random
    this.log = components.logger.forComponent('swarmharness:dht')
  }

  start(): void {
    this.over = new AbortController()
    this.walks = 0
    this.interval = SHORTEST
    this.tendLater()
  }

  stop(): void {
    clearTimeout(this.timer)
    this.over.abort()
  }

  private tendLater(): void {
    const first = FIRST[this.walks++]
    const spread = first === undefined ? SPREAD.later : SPREAD.first
    const ms = (first ?? this.interval) * (1 - spread + 2 * spread * this.random())
    this.timer = setTimeout(() => void this.tend(), ms)
  }

  private async tend(): Promise<void> {
    const { peerId } = this.components
    const closest = await this.walk(peerId.toMultihash().bytes)
    if (closest === undefined) {
      this.walks = Math.max(this.walks, FIRST.length)
      this.interval = Math.min(LONGEST, this.interval * BACK_OFF)
    } else {
      const distances = await Promise.all(closest.map((peer) => distanceOf(peerId, peer)))
      const size = estimateSwarmSize(distances)
      const isFirst = this.walks <= FIRST.length
      this.interval = selfQueryInterval(size)
      if (size > CLOSEST && (isFirst || this.walks % FAR_EVERY === 0)) {
        await this.walk(crypto.getRandomValues(new Uint8Array(32)))
        this.walks = Math.max(this.walks, FIRST.length)
      }
    }
    if (!this.over.signal.aborted) {
      this.tendLater()
    }
  }

  /** Undefined: it was cut off before its end. */
  private async walk(key: Uint8Array): Promise<PeerId[] | undefined> {
    const signal = AbortSignal.any([this.over.signal, AbortSignal.timeout(WALK_TIMEOUT)])
    const { peerId, peerRouting } = this.components
    try {
      return (await closestPeers(peerRouting, key, { signal })).filter((id) => !id.equals(peerId))
    } catch (error) {
      this.log('a walk ended - %e', error) // nobody is known yet, or the node stops
      return signal.aborted ? undefined : []
    }
  }
}

/** A libp2p service beside `kadDHT`. */
export const dhtTender =
  (init: DhtTenderInit = {}) =>
  (components: DhtTenderComponents): DhtTender =>
    new DhtTender(components, init)
