import type { PeerInfo, SwarmState } from '../api.ts'
import { isDirect, isTo, type SwarmNode, transportOf } from '../net/index.ts'
import type { SwarmRegistry } from '../registry/index.ts'
import { isPeerIdString } from '../wire/index.ts'

/** Everyone that this node has an open connection to, by the best one. */
export function connectedPeers(
  node: SwarmNode<{ registry: SwarmRegistry }>,
  relays: readonly string[]
): PeerInfo[] {
  return node.getPeers().flatMap((id) => {
    const peer = id.toString()
    const connections = node.getConnections(id).filter(({ status }) => status === 'open')
    const best = connections.find(isDirect) ?? connections[0]
    if (best === undefined || !isPeerIdString(peer)) {
      return []
    }
    return [
      {
        peer,
        connection: isDirect(best) ? ('direct' as const) : ('relayed' as const),
        transport: transportOf(best),
        isRelay: relays.some((relay) => connections.some((each) => isTo(relay, each))),
        skills: node.services.registry.known(peer)?.skills.map(({ name }) => name) ?? [],
        ...(best.rtt === undefined ? {} : { rttMs: best.rtt })
      }
    ]
  })
}

/** @param reserved relays that this node can be reached at now, of `relays` in all */
export function stateOf(peers: readonly PeerInfo[], reserved: number, relays: number): SwarmState {
  if (peers.some(({ isRelay, connection }) => !isRelay && connection === 'direct')) {
    return 'direct'
  }
  if (reserved > 0) {
    return 'relayed'
  }
  return relays > 0 ? 'bootstrapping' : 'offline'
}
