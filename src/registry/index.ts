/**
 * SwarmRegistry: who serves which skill, now. A libp2p service that needs nothing of this package but a network.
 *
 * The DHT holds hints only (one provider record a skill, in shards as the swarm grows); the truth is the provider's
 * own signed advert, asked from the provider itself over `/swarmharness/advert/1.0.0`, also over a relayed
 * connection.
 *
 * @example
 *
 * ```ts
 * const network = await networkOf({ ...NETWORKS.local, name: 'translators' })
 * const node = await createLibp2p({ services: { registry: swarmRegistry({ network }), dht, identify, ping } })
 * for await (const { advert } of node.services.registry.find('matmul-i8')) console.log(advert.peer)
 * ```
 */
import type {
  AbortOptions,
  ComponentLogger,
  ContentRouting,
  Libp2pEvents,
  PeerId,
  PeerRouting,
  PeerStore,
  PrivateKey,
  TypedEventTarget
} from '@libp2p/interface'
import type { AddressManager, ConnectionManager, Registrar } from '@libp2p/interface-internal'
import type { Advert, Milliseconds, Network, PeerIdString } from '../wire/index.ts'
import type { Constraints } from './constraints.ts'
import { SwarmRegistry as SwarmRegistryClass } from './registry.ts'

export {
  type Advert,
  type Milliseconds,
  NETWORKS,
  type Network,
  type NetworkName,
  type NetworkParameters,
  networkOf,
  type PeerIdString
} from '../wire/index.ts'
export type { Constraints } from './constraints.ts'
export { RegistryError, type RegistryErrorCode } from './errors.ts'

export interface SwarmRegistryInit {
  readonly network: Network
  /** @default Date.now */
  readonly now?: () => Milliseconds
  /** In [0, 1). @default Math.random */
  readonly random?: () => number
  /** Between two renewals; adverts live three of them. The same in the whole swarm. @default 60_000 */
  readonly refreshInterval?: Milliseconds
  /** Providers that share one DHT key. The same in the whole swarm. @default 500 */
  readonly shardSize?: number
}

export interface SwarmRegistryComponents {
  readonly registrar: Registrar
  readonly connectionManager: ConnectionManager
  readonly contentRouting: ContentRouting
  readonly peerRouting: PeerRouting
  readonly peerStore: PeerStore
  readonly addressManager: AddressManager
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly peerId: PeerId
  readonly privateKey: PrivateKey
  readonly logger: ComponentLogger
}

/**
 * What this node says of itself when asked; the registry adds peer, network, sequence and times, and rounds down:
 * `uptime` to whole minutes, `memory` to a power of two.
 */
export interface Offer extends Pick<Advert, 'skills' | 'load' | 'uptime'> {
  readonly device: Omit<Advert['device'], 'memory'> & {
    /** Bytes that one kernel can bind. @default 0: not said */
    readonly memory?: number
  }
}

export interface FoundProvider {
  /** Its `load` is the newest known, which may be newer than the rest. */
  readonly advert: Advert
  /** How long the provider took to answer, its dial included if one was needed (ms). */
  readonly latencyMs: Milliseconds
  /** When the load was learned, by this node's clock. */
  readonly loadAt: Milliseconds
}

export interface FindOptions extends AbortOptions {
  readonly constraints?: Constraints
}

export interface SwarmRegistryEvents {
  /** A peer's new advert was checked. */
  advert: CustomEvent<FoundProvider>
}

export interface SwarmRegistry extends TypedEventTarget<SwarmRegistryEvents> {
  /** Serve `offer()` as this node's advert and provide its skills in the DHT until `withdraw`. */
  offer(offer: () => Offer): void
  withdraw(): void
  /**
   * Peers that serve a skill within the constraints: connected ones as last heard at once, then as they answer now,
   * those that tell it meanwhile, and those that the DHT names, eight asked at a time. A peer may come twice. Ends when the walk of the DHT ends,
   * after 10 s at most; call again to look again.
   */
  find(skill: string, options?: FindOptions): AsyncIterable<FoundProvider>
  /** The last valid, unexpired advert of a peer. */
  known(peer: PeerIdString): Advert | undefined
  /**
   * A peer told its load elsewhere, as in a job's frame.
   *
   * @param load 0 (idle) to 100 (full)
   * @param at by this node's clock; older than what is known changes nothing. @default now
   */
  learnLoad(peer: PeerIdString, load: number, at?: Milliseconds): void
  /** This peer is gone or useless: forget its advert and leave it alone, longer each time, until it answers again. */
  setAside(peer: PeerIdString): void
}

export function swarmRegistry(
  init: SwarmRegistryInit
): (components: SwarmRegistryComponents) => SwarmRegistry {
  return (components) => new SwarmRegistryClass(components, init)
}
