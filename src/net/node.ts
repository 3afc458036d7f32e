import type { ServiceMap } from '@libp2p/interface'
import { createLibp2p, type ServiceFactoryMap } from 'libp2p'
import { platform } from '#net-platform'
import { type BaseServices, baseOptions } from './base-options.ts'
import { reserveAt } from './circuits.ts'
import { NetError } from './errors.ts'
import { isPrivateAddress, parseAddress } from './gater.ts'
import { keepOneConnection } from './keep-one-connection.ts'
import type { NodeInit, SwarmNode } from './types.ts'

/** Inbound connections a second from one host: a lab, and every tab of one machine, is one host. */
const INBOUND_PER_SECOND = 100

/**
 * A libp2p node of the swarm, started: a tab (WebSocket to relays, WebRTC to peers) or Node (WebSocket, and WebRTC
 * where it is asked for).
 * Stop it with `node.stop()`; a stopped node cannot be started again.
 *
 * @throws NetError `BAD_ADDRESS` for a relay whose address cannot be read
 */
export async function createNode<Services extends ServiceMap = Record<never, never>>(
  init: NodeInit<Services>
): Promise<SwarmNode<Services>> {
  const relays = init.relays.map(parseAddress)
  const allowPrivate = init.allowPrivate ?? (relays.length === 0 || relays.some(isPrivateAddress))
  const transportInit = {
    iceServers: init.iceServers ?? [],
    relayed: relays.length > 0,
    webrtc: init.webrtc ?? false
  }
  const base = baseOptions({ ...init, allowPrivate })
  const node = await createLibp2p<Services & BaseServices>({
    ...base,
    addresses: {
      listen: [...(init.transports ? [] : platform.listen(transportInit)), ...(init.listen ?? [])]
    },
    transports: init.transports ?? (await platform.transports(transportInit)),
    connectionManager: {
      inboundConnectionThreshold: INBOUND_PER_SECOND,
      maxIncomingPendingConnections: INBOUND_PER_SECOND,
      // The relay watchdog redials, for ever and with jitter.
      reconnectRetries: 0,
      resolvers: platform.resolvers(relays)
    },
    // a spread of the two maps is their intersection, which TypeScript does not see for a generic map
    services: {
      ...init.services,
      ...base.services,
      ...(init.transports === undefined && { reservations: reserveAt(relays.length) })
    } as ServiceFactoryMap<Services & BaseServices>
  })
  await node.start()
  const stopKeeping = keepOneConnection(node, platform.ticker)
  const stopListening = platform.onLeave(() => hangUp(node))
  node.addEventListener(
    'stop',
    () => {
      stopKeeping()
      stopListening()
    },
    { once: true }
  )
  return node
}

/** At once, without a word to wait for: the others see the connections end. */
function hangUp(node: Pick<SwarmNode, 'getConnections'>): void {
  const reason = new NetError('CLOSED', 'The page is closed.')
  for (const connection of node.getConnections()) {
    connection.abort(reason)
  }
}
