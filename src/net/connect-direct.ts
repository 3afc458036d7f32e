import type { Connection, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { PeerIdString } from '../wire/index.ts'
import { bestFirst, isDirect } from './connections.ts'
import { NetError } from './errors.ts'
import type { SwarmNode } from './types.ts'

/**
 * A connection to the peer that no relay carries: the one that stands, or a new one (WebRTC, WebSocket) to the
 * addresses that the peer store or else the DHT knows.
 *
 * @throws NetError `UNREACHABLE`, or the reason of `signal`
 */
export async function connectDirect(
  node: Pick<SwarmNode, 'getConnections' | 'peerStore' | 'peerRouting' | 'dial'>,
  peer: PeerIdString,
  options: { signal?: AbortSignal } = {}
): Promise<Connection> {
  const id = peerIdFromString(peer)
  const standing = node
    .getConnections(id)
    .filter((connection) => connection.status === 'open' && isDirect(connection))
    .toSorted(bestFirst)[0]
  if (standing !== undefined) {
    return standing
  }
  try {
    const connection = await node.dial(await directAddresses(node, id, options), options)
    if (isDirect(connection)) {
      return connection
    }
  } catch (cause) {
    options.signal?.throwIfAborted()
    throw unreachable(peer, cause)
  }
  throw unreachable(peer)
}

async function directAddresses(
  node: Pick<SwarmNode, 'peerStore' | 'peerRouting'>,
  id: PeerId,
  options: { signal?: AbortSignal }
): Promise<Multiaddr[]> {
  const known = (await node.peerStore.has(id, options))
    ? (await node.peerStore.get(id, options)).addresses
    : []
  const direct = known.map(({ multiaddr }) => multiaddr).filter(leadsDirectly)
  const found = direct.length > 0 ? direct : (await node.peerRouting.findPeer(id, options)).multiaddrs
  return found.filter(leadsDirectly).map((address) => withPeer(address, id))
}

/** False for `…/p2p-circuit/p2p/…`: true for `…/p2p-circuit/webrtc/…`, where the relay only introduces. */
function leadsDirectly(address: Multiaddr): boolean {
  const names = address.getComponents().map(({ name }) => name)
  return !names.includes('p2p-circuit') || names.includes('webrtc')
}

function withPeer(address: Multiaddr, id: PeerId): Multiaddr {
  const last = address.getComponents().at(-1)
  return last?.name === 'p2p' ? address : address.encapsulate(`/p2p/${id}`)
}

function unreachable(peer: PeerIdString, cause?: unknown): NetError {
  return new NetError('UNREACHABLE', `No direct way to ${peer} now: ask another peer, or try later.`, {
    retryable: true,
    cause
  })
}
