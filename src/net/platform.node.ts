import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { webSockets } from '@libp2p/websockets'
import type { NetPlatform } from './platform.ts'
import { timerTicker } from './ticker.ts'

/** Node: reachable by WebSocket where it listens, by a relay otherwise. WebRTC would be one transport more. */
export const platform: NetPlatform = {
  ticker: timerTicker(),
  transports: () => [webSockets(), circuitRelayTransport()],
  listen: ({ relayed }) => (relayed ? ['/p2p-circuit'] : []),
  onLeave: () => () => {} // a process that ends closes its sockets
}
