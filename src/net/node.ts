import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { type Identify, type IdentifyPush, identify, identifyPush } from '@libp2p/identify'
import type { ServiceMap } from '@libp2p/interface'
import { type KadDHT, kadDHT, passthroughMapper, removePrivateAddressesMapper } from '@libp2p/kad-dht'
import { type Ping, ping } from '@libp2p/ping'
import { createLibp2p, type ServiceFactoryMap } from 'libp2p'
import { platform } from '#net-platform'
import { protocolId } from '../wire/index.ts'
import { connectionGater, isPrivateAddress, parseAddress } from './gater.ts'
import { keepOneConnection } from './keep-one-connection.ts'
import type { NodeInit, SwarmNode } from './types.ts'

type Core = { identify: Identify; identifyPush: IdentifyPush; ping: Ping; dht: KadDHT }

/** The defaults (5 min) leave a small swarm blind for minutes. */
const SELF_QUERY_MS = 30_000
const FIRST_SELF_QUERY_MS = 100
/** Inbound connections a second from one host: a lab, and every tab of one machine, is one host. */
const INBOUND_PER_SECOND = 100

/**
 * A libp2p node of the swarm, started: a tab (WebSocket to relays, WebRTC to peers) or Node (WebSocket).
 * Stop it with `node.stop()`; a stopped node cannot be started again.
 *
 * @throws NetError `BAD_ADDRESS` for a relay whose address cannot be read
 */
export async function createNode<Services extends ServiceMap = Record<never, never>>(
  init: NodeInit<Services>
): Promise<SwarmNode<Services>> {
  const relays = init.relays.map(parseAddress)
  const allowPrivate = init.allowPrivate ?? (relays.length === 0 || relays.some(isPrivateAddress))
  const transportInit = { iceServers: init.iceServers ?? [], relayed: relays.length > 0 }
  const core = {
    identify: identify(),
    identifyPush: identifyPush(),
    ping: ping(),
    dht: kadDHT({
      protocol: protocolId(init.network.parameters, 'kad'),
      clientMode: false,
      peerInfoMapper: allowPrivate ? passthroughMapper : removePrivateAddressesMapper,
      initialQuerySelfInterval: FIRST_SELF_QUERY_MS,
      querySelfInterval: SELF_QUERY_MS
    })
  }
  const node = await createLibp2p<Services & Core>({
    start: false,
    privateKey: init.privateKey,
    nodeInfo: { name: 'swarmharness' },
    addresses: { listen: [...platform.listen(transportInit), ...(init.listen ?? [])] },
    transports: platform.transports(transportInit),
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: connectionGater(allowPrivate),
    connectionManager: {
      inboundConnectionThreshold: INBOUND_PER_SECOND,
      maxIncomingPendingConnections: INBOUND_PER_SECOND,
      // The relay watchdog redials, for ever and with jitter.
      reconnectRetries: 0
    },
    // A busy connection answers pings late: heartbeats on the streams find the dead ones.
    connectionMonitor: { abortConnectionOnPingFailure: false },
    // a spread of the two maps is their intersection, which TypeScript does not see for a generic map
    services: { ...init.services, ...core } as ServiceFactoryMap<Services & Core>
  })
  await node.start()
  const stopKeeping = keepOneConnection(node, platform.ticker)
  node.addEventListener('stop', stopKeeping, { once: true })
  return node
}
