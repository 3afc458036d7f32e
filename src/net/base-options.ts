import { type Identify, type IdentifyPush, identify, identifyPush } from '@libp2p/identify'
import type { PrivateKey } from '@libp2p/interface'
import { type KadDHT, passthroughMapper, removePrivateAddressesMapper } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { type Ping, ping } from '@libp2p/ping'
import { yamux } from '@libp2p/yamux'
import type { Libp2pOptions, ServiceFactoryMap } from 'libp2p'
import { type Network, protocolId } from '../wire/index.ts'
import { boundedDht } from './bounded-dht.ts'
import { connectionGater } from './gater.ts'
import { closeSpareConnections, type SpareConnections } from './spare-connections.ts'
import { type DhtTender, dhtTender } from './tend-dht.ts'

const FIRST_SELF_QUERY_MS = 100
/** Not again: the tender's interval follows the size of the swarm. The longest that a timer takes. */
const SELF_QUERY_MS = 2 ** 31 - 1
const PING_MS = 30_000
/** A provider record that was not renewed for so long is dropped; providers renew every 200 s at least. */
const PROVIDER_RECORD_MS = 600_000
const PROVIDER_CLEANUP_MS = 60_000

export type BaseServices = {
  identify: Identify
  identifyPush: IdentifyPush
  ping: Ping
  dht: KadDHT
  tender: DhtTender
  spares: SpareConnections
}

export interface BaseInit {
  readonly privateKey: PrivateKey
  readonly network: Network
  /** Private addresses and plain `ws` may be dialled and spread. */
  readonly allowPrivate: boolean
  /** Connections up to which none is closed that nobody needs. @default 64 */
  readonly connections?: number
}

/** What a node and a relay have in common. */
export function baseOptions({
  privateKey,
  network,
  allowPrivate,
  connections
}: BaseInit): Libp2pOptions<BaseServices> & { readonly services: ServiceFactoryMap<BaseServices> } {
  return {
    start: false,
    privateKey,
    nodeInfo: { name: 'swarmharness' },
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: connectionGater(allowPrivate),
    // A busy connection answers pings late: heartbeats on the streams find the dead ones. What is left for the pings is to
    // keep proxies from closing a WebSocket that is idle for a minute; each costs both sides a stream.
    connectionMonitor: { abortConnectionOnPingFailure: false, pingInterval: PING_MS },
    services: {
      identify: identify(),
      // Without it on every node the others never learn that a tab speaks the DHT.
      identifyPush: identifyPush(),
      ping: ping(),
      dht: boundedDht({
        protocol: protocolId(network.parameters, 'kad'),
        clientMode: false,
        peerInfoMapper: allowPrivate ? passthroughMapper : removePrivateAddressesMapper,
        initialQuerySelfInterval: FIRST_SELF_QUERY_MS,
        querySelfInterval: SELF_QUERY_MS,
        // by default for 48 h, past the life of the addresses that belong to it; and own ones are the registry's
        reprovide: { validity: PROVIDER_RECORD_MS, interval: PROVIDER_CLEANUP_MS, threshold: 0 }
      }),
      tender: dhtTender(),
      spares: closeSpareConnections(connections === undefined ? {} : { most: connections })
    }
  }
}
