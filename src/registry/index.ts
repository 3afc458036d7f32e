/**
 * SwarmRegistry: who serves which skill, now. A libp2p service.
 *
 * The DHT holds hints only (one provider record a skill); the truth is the provider's own signed advert, asked
 * from the provider itself over `/swarmharness/advert/1.0.0`, also over a relayed connection.
 *
 * @example
 *
 * ```ts
 * const node = await createLibp2p({ services: { registry: swarmRegistry({ network }), dht, identify } })
 * for await (const { advert } of node.services.registry.find('matmul-i8')) console.log(advert.peer)
 * ```
 */
import type {
  AbortOptions,
  ComponentLogger,
  ContentRouting,
  PeerId,
  PrivateKey,
  TypedEventTarget
} from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import type { Advert, Milliseconds, Network, PeerIdString } from '../wire/index.ts'
import { SwarmRegistry as SwarmRegistryClass } from './registry.ts'

export { RegistryError, type RegistryErrorCode } from './errors.ts'

export interface SwarmRegistryInit {
  readonly network: Network
  /** @default Date.now */
  readonly now?: () => Milliseconds
}

export interface SwarmRegistryComponents {
  readonly registrar: Registrar
  readonly connectionManager: ConnectionManager
  readonly contentRouting: ContentRouting
  readonly peerId: PeerId
  readonly privateKey: PrivateKey
  readonly logger: ComponentLogger
}

/** What this node says of itself when asked; the registry adds peer, network, sequence and times. */
export type Offer = Pick<Advert, 'skills' | 'device' | 'load' | 'uptime'>

export interface FoundProvider {
  readonly advert: Advert
  /** How long the provider took to answer, its dial included if one was needed (ms). */
  readonly latencyMs: Milliseconds
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
   * Peers that serve a skill: connected ones as last heard at once, then as they answer now, then those that
   * the DHT names. Ends when the DHT walk ends; call again to look again.
   */
  find(skill: string, options?: AbortOptions): AsyncIterable<FoundProvider>
  /** The last valid, unexpired advert of a peer. */
  known(peer: PeerIdString): Advert | undefined
  /** This peer is gone or useless: forget its advert and leave it alone for a while. */
  setAside(peer: PeerIdString): void
}

export function swarmRegistry(
  init: SwarmRegistryInit
): (components: SwarmRegistryComponents) => SwarmRegistry {
  return (components) => new SwarmRegistryClass(components, init)
}
