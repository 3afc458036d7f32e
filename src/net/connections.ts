import type { Connection, PeerId } from '@libp2p/interface'

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

/** Whether a connection is the one to a relay that was named: by its peer id or, without `/p2p/…`, by its address. */
export function isTo(relay: string, { remotePeer, remoteAddr }: Connection): boolean {
  return relay.includes('/p2p/')
    ? relay.endsWith(remotePeer.toString())
    : `${remoteAddr}/`.startsWith(`${relay}/`)
}

/** Streams that come and go by themselves: a connection with only these carries nothing. */
const HOUSEKEEPING = /^\/ipfs\/(id|id\/push|ping)\/|^\/webrtc-signaling\/|\/kad\/|^\/libp2p\/(dcutr|autonat)/

export function isBusy(connection: Connection): boolean {
  return connection.streams.some(({ protocol }) => !HOUSEKEEPING.test(protocol))
}

/**
 * Best first: direct before relayed, then the one that the peer with the smaller id opened, then the older one.
 * Both sides see the same order, so that neither uses what the other is about to close.
 *
 * @param self this node's peer id
 */
export function bestFirst(self: PeerId): (a: Connection, b: Connection) => number {
  const openedBySmaller = ({ direction, remotePeer }: Connection) =>
    (direction === 'outbound') === self.toString() < remotePeer.toString()
  return (a, b) =>
    Number(isDirect(b)) - Number(isDirect(a)) ||
    Number(openedBySmaller(b)) - Number(openedBySmaller(a)) ||
    a.timeline.open - b.timeline.open
}

/** The open connection to use for a small message: a direct one if there is any, else a relayed one. */
export function standingConnection(self: PeerId, connections: readonly Connection[]): Connection | undefined {
  return connections.filter(({ status }) => status === 'open').toSorted(bestFirst(self))[0]
}
