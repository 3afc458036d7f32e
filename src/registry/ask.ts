import type { PeerId, Stream } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { openStream, request, standingConnection } from '../net/index.ts'
import { type Signed, signed } from '../wire/index.ts'
import { ADVERT_TIMEOUT, DIAL_TIMEOUT, MESSAGE_MAX } from './constants.ts'
import type { SwarmRegistryComponents } from './index.ts'

type Components = Pick<SwarmRegistryComponents, 'connectionManager' | 'peerId' | 'peerStore'>

/**
 * Asks a peer for its advert, and tells one's own where there is news. A relayed connection will do: libp2p would
 * wait for the direct one that is being made, and to a stranger it would make one only to ask.
 *
 * @throws NetError, WireError, or what libp2p's dial throws
 */
export async function askAdvert(
  components: Components,
  protocol: string,
  peer: PeerId,
  mine: Signed | null,
  shutdown: AbortSignal
): Promise<Signed> {
  const { connectionManager, peerId } = components
  const standing = standingConnection(peerId, connectionManager.getConnections(peer))
  const timeout = AbortSignal.timeout(standing === undefined ? DIAL_TIMEOUT : ADVERT_TIMEOUT)
  const signal = AbortSignal.any([shutdown, timeout])
  const options = { signal, runOnLimitedConnection: true }
  const stream =
    standing === undefined
      ? await dial(components, protocol, peer, options)
      : await openStream(standing, protocol, options)
  return request(stream, signed, { t: 'advert', mine }, { maxBytes: MESSAGE_MAX, signal })
}

async function dial(
  { connectionManager, peerStore }: Components,
  protocol: string,
  peer: PeerId,
  options: { signal: AbortSignal; runOnLimitedConnection: boolean }
): Promise<Stream> {
  const known = (await peerStore.has(peer, options)) ? (await peerStore.get(peer, options)).addresses : []
  const relayed = known.map(({ multiaddr }) => multiaddr).filter(isRelayed)
  if (relayed.length === 0) {
    return connectionManager.openStream(peer, protocol, options)
  }
  const addresses = relayed.map((address) => withPeer(address, peer))
  const connection = await connectionManager.openConnection(addresses, options)
  return openStream(connection, protocol, options)
}

/** `…/p2p-circuit`, with nothing that would be dialled through it. */
function isRelayed(address: Multiaddr): boolean {
  const names = address.getComponents().map(({ name }) => name)
  return names.includes('p2p-circuit') && !names.includes('webrtc')
}

function withPeer(address: Multiaddr, peer: PeerId): Multiaddr {
  return address.getComponents().at(-1)?.name === 'p2p' ? address : address.encapsulate(`/p2p/${peer}`)
}
