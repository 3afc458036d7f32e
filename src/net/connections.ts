import type { Connection } from '@libp2p/interface'

/** True for a connection that no relay carries: the only kind that jobs run over. */
export function isDirect(connection: Connection): boolean {
  return connection.limits === undefined && transportNames(connection).at(-1) !== 'p2p-circuit'
}

/** What carries the connection. A relayed connection is one over WebSocket. */
export function transportOf(connection: Connection): 'webrtc' | 'websocket' | 'other' {
  switch (transportNames(connection).at(-1)) {
    case 'webrtc':
    case 'webrtc-direct':
      return 'webrtc'
    case 'ws':
    case 'wss':
    case 'p2p-circuit':
      return 'websocket'
    default:
      return 'other'
  }
}

const TRANSPORTS = new Set(['ws', 'wss', 'webrtc', 'webrtc-direct', 'p2p-circuit'])

/** Of `/ip4/…/ws/p2p/…/p2p-circuit/webrtc/p2p/…`, outermost first: the last one carries the connection. */
function transportNames(connection: Connection): string[] {
  return connection.remoteAddr
    .getComponents()
    .map(({ name }) => name)
    .filter((name) => TRANSPORTS.has(name))
}
