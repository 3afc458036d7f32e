import type {
  ComponentLogger,
  Connection,
  Libp2pEvents,
  Logger,
  PeerId,
  PeerStore,
  Startable,
  TypedEventTarget
} from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import type { Milliseconds } from '../wire/index.ts'
import { isBusy } from './connections.ts'
import { asError } from './errors.ts'
import { distanceOf } from './swarm-size.ts'

/** Connections beyond which those that this node opened and does not need are closed. A tab bears a hundred well. */
const MOST = 64
/** With so many times as many also those that others opened: who came first is everybody's contact. */
const FULL = 1.5
/** Whoever opened a connection had something to ask: it is left alone for so long. */
const YOUNG: Milliseconds = 10_000
const CHECK_EVERY: Milliseconds = 5_000

export interface SpareConnectionsInit {
  /** Connections up to which none is closed. @default 64 */
  readonly most?: number
  /** Age below which none is closed. @default 10_000 */
  readonly youngMs?: Milliseconds
  /** @default 5_000 */
  readonly checkEveryMs?: Milliseconds
}

export interface SpareConnectionsComponents {
  readonly peerId: PeerId
  readonly connectionManager: Pick<ConnectionManager, 'getConnections'>
  readonly peerStore: Pick<PeerStore, 'has' | 'get'>
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly logger: ComponentLogger
}

/** Connections of this direction that were opened a while ago and carry nothing now. */
export function idleConnections(
  connections: readonly Connection[],
  direction: Connection['direction'],
  openedBefore: Milliseconds
): Connection[] {
  return connections.filter(
    (connection) =>
      connection.direction === direction &&
      connection.status === 'open' &&
      connection.timeline.open < openedBefore &&
      !isBusy(connection)
  )
}

/**
 * Closes spare connections while there are more than enough: those that carry nothing, and lead to no contact in the
 * DHT and no relay. First what this node opened itself (a walk of the DHT opens some thirty); what others opened, who
 * may need it, only beyond half as many again. Those far away in the key space go first: whoever is close to this node
 * needs it, while the others have plenty to choose from.
 */
export class SpareConnections implements Startable {
  readonly [Symbol.toStringTag] = 'swarmharness/spare-connections'
  private readonly components: SpareConnectionsComponents
  private readonly init: Required<SpareConnectionsInit>
  private readonly log: Logger
  private timer: ReturnType<typeof setTimeout> | undefined
  private isRunning = false

  constructor(components: SpareConnectionsComponents, init: SpareConnectionsInit = {}) {
    this.components = components
    this.init = {
      most: init.most ?? MOST,
      youngMs: init.youngMs ?? YOUNG,
      checkEveryMs: init.checkEveryMs ?? CHECK_EVERY
    }
    this.log = components.logger.forComponent('swarmharness:connections')
  }

  start(): void {
    this.isRunning = true
    this.components.events.addEventListener('connection:open', this.onOpen)
  }

  stop(): void {
    this.isRunning = false
    this.components.events.removeEventListener('connection:open', this.onOpen)
    clearTimeout(this.timer)
    this.timer = undefined
  }

  private readonly onOpen = () => {
    if (this.timer === undefined && this.isRunning && this.excess() > 0) {
      this.timer = setTimeout(() => {
        this.timer = undefined
        this.close()
          .catch((error) => this.log('could not look for spare connections - %e', error))
          .finally(this.onOpen)
      }, this.init.checkEveryMs)
    }
  }

  private excess(most = this.init.most): number {
    return Math.max(0, this.components.connectionManager.getConnections().length - most)
  }

  private async close(): Promise<void> {
    await this.closeIdle('outbound', this.init.most)
    await this.closeIdle('inbound', FULL * this.init.most)
  }

  private async closeIdle(direction: Connection['direction'], most: number): Promise<void> {
    const { connectionManager, peerId } = this.components
    if (this.excess(most) === 0) {
      return
    }
    const before = Date.now() - this.init.youngMs
    const idle = idleConnections(connectionManager.getConnections(), direction, before)
    const judged = await Promise.all(
      idle.map(async (connection) => ({
        connection,
        isNeeded: await this.isNeeded(connection.remotePeer),
        distance: await distanceOf(peerId, connection.remotePeer)
      }))
    )
    const spare = judged
      .filter(({ isNeeded }) => !isNeeded)
      .toSorted((a, b) => b.distance - a.distance)
      .slice(0, this.excess(most))
    await Promise.all(
      spare.map(({ connection }) => connection.close().catch((error) => connection.abort(asError(error))))
    )
  }

  /** kad-dht tags its contacts, and the circuit transport its relays. */
  private async isNeeded(peer: PeerId): Promise<boolean> {
    const { peerStore } = this.components
    return (await peerStore.has(peer)) && (await peerStore.get(peer)).tags.size > 0
  }
}

/** A libp2p service. */
export const closeSpareConnections =
  (init: SpareConnectionsInit = {}) =>
  (components: SpareConnectionsComponents): SpareConnections =>
    new SpareConnections(components, init)
