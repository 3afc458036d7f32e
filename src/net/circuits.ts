import { circuitRelayTransport, RELAY_V2_HOP_CODEC } from '@libp2p/circuit-relay-v2'
import type { PeerId, Startable, Transport } from '@libp2p/interface'
import type { TransportManager } from '@libp2p/interface-internal'
import { multiaddr } from '@multiformats/multiaddr'

type Components = Parameters<ReturnType<typeof circuitRelayTransport>>[0]

/** What of the transport its types leave out; of version 4.2. */
interface RelayDiscovery {
  /** A relay is wanted; ends with `stopDiscovery`. */
  running: boolean
  startDiscovery(): void
  safeDispatchEvent(type: 'relay:discover', event: { detail: PeerId }): void
}

/**
 * libp2p's circuit transport, but for its search for relays: as long as a reservation is wanted it walks the DHT
 * without a pause and dials everybody that it hears of, at each start and whenever a relay is gone. Here a relay is one
 * that this node is connected to: `watchRelays` dials ours.
 */
export function circuitTransport(): (components: Components) => Transport {
  const create = circuitRelayTransport()
  return (components) => {
    const transport = create(components)
    // its class has it, the interface of a transport not
    const { discovery } = transport as unknown as { readonly discovery: RelayDiscovery }
    discovery.startDiscovery = () => {
      if (!discovery.running) {
        // those that are connected later are told by libp2p itself
        discovery.running = true
        offerConnected(components, discovery).catch((error) =>
          components.logger.forComponent('swarmharness:relays')('could not look for relays - %e', error)
        )
      }
    }
    return transport
  }
}

async function offerConnected(
  { connectionManager, peerStore }: Components,
  discovery: RelayDiscovery
): Promise<void> {
  for (const { remotePeer } of connectionManager.getConnections()) {
    if (
      (await peerStore.has(remotePeer)) &&
      (await peerStore.get(remotePeer)).protocols.includes(RELAY_V2_HOP_CODEC)
    ) {
      discovery.safeDispatchEvent('relay:discover', { detail: remotePeer })
    }
  }
}

/**
 * A libp2p service: reservations at so many relays. libp2p makes one for each time that it is told to listen on
 * `/p2p-circuit`, and takes two such addresses for one.
 */
export const reserveAt =
  (relays: number) =>
  ({ transportManager }: { readonly transportManager: Pick<TransportManager, 'listen'> }): Startable => ({
    start() {},
    async afterStart() {
      for (let i = 1; i < relays; i++) {
        await transportManager.listen([multiaddr('/p2p-circuit')])
      }
    },
    stop() {}
  })
