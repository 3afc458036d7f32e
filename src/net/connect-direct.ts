import type { Connection, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { PeerIdString } from '../wire/index.ts'
import { bestFirst, isDirect } from './connections.ts'
import { NetError } from './errors.ts'
import type { SwarmNode } from './types.ts'

type Dialler = Pick<
  SwarmNode,
  | 'getConnections'
  | 'peerStore'
  | 'peerRouting'
  | 'getMultiaddrs'
  | 'peerId'
  | 'dial'
  | 'addEventListener'
  | 'removeEventListener'
>

/**
 * A connection to the peer that no relay carries: the one that stands, or a new one (WebRTC, WebSocket) to the
 * addresses that the peer store knows, else to those of the DHT and through our own relays. If the peer dials
 * us meanwhile and is faster, its connection.
 *
 * @throws NetError `UNREACHABLE`, or the reason of `signal`
 */
export async function connectDirect(
  node: Dialler,
  peer: PeerIdString,
  options: { signal?: AbortSignal } = {}
): Promise<Connection> {
  const id = peerIdFromString(peer)
  const standing = node
    .getConnections(id)
    .filter((connection) => connection.status === 'open' && isDirect(connection))
    .toSorted(bestFirst(node.peerId))[0]
  if (standing !== undefined) {
    return standing
  }
  const arrival = Promise.withResolvers<Connection>()
  const onOpen = ({ detail }: { detail: Connection }) => {
    if (detail.remotePeer.equals(id) && isDirect(detail)) {
      arrival.resolve(detail)
    }
  }
  node.addEventListener('connection:open', onOpen)
  try {
    // Our own dial goes on: two peers that both gave way to the other's would be left with none.
    return await Promise.race([arrival.promise, dialDirect(node, id, options)])
  } finally {
    node.removeEventListener('connection:open', onOpen)
  }
}

async function dialDirect(node: Dialler, id: PeerId, options: { signal?: AbortSignal }): Promise<Connection> {
  let cause: unknown
  for (const lookUp of [knownAddresses, freshAddresses]) {
    try {
      const connection = await node.dial(await lookUp(node, id, options), options)
      if (isDirect(connection)) {
        return connection
      }
    } catch (error) {
      options.signal?.throwIfAborted()
      cause = error
    }
  }
  throw new NetError('UNREACHABLE', `No direct way to ${id} now: ask another peer, or try later.`, {
    retryable: true,
    cause
  })
}

type AddressBook = Pick<SwarmNode, 'peerStore' | 'peerRouting' | 'getMultiaddrs'>

async function knownAddresses(
  node: AddressBook,
  id: PeerId,
  options: { signal?: AbortSignal }
): Promise<Multiaddr[]> {
  const known = (await node.peerStore.has(id, options))
    ? (await node.peerStore.get(id, options)).addresses
    : []
  return direct(
    known.map(({ multiaddr }) => multiaddr),
    id
  )
}

/** What the DHT knows, and our own relays: a peer that came a moment ago is reserved there before it is known. */
async function freshAddresses(
  node: AddressBook,
  id: PeerId,
  options: { signal?: AbortSignal }
): Promise<Multiaddr[]> {
  const found = await node.peerRouting.findPeer(id, options).then(
    ({ multiaddrs }) => multiaddrs,
    () => [] // not found is no reason to give up: the relays are left
  )
  const relays = node
    .getMultiaddrs()
    .map((address) => address.toString().split('/p2p-circuit', 2))
    .flatMap(([relay, through]) => (relay === undefined || through === undefined ? [] : [relay]))
  const viaRelays = [...new Set(relays)].map((relay) => multiaddr(`${relay}/p2p-circuit/webrtc/p2p/${id}`))
  return direct([...found, ...viaRelays], id)
}

function direct(addresses: readonly Multiaddr[], id: PeerId): Multiaddr[] {
  const texts = addresses.filter(leadsDirectly).map((address) => withPeer(address, id).toString())
  return [...new Set(texts)].map((text) => multiaddr(text))
}

/** False for `…/p2p-circuit/p2p/…`: true for `…/p2p-circuit/webrtc/…`, where the relay only introduces. */
export function leadsDirectly(address: Multiaddr): boolean {
  const names = address.getComponents().map(({ name }) => name)
  return !names.includes('p2p-circuit') || names.includes('webrtc')
}

function withPeer(address: Multiaddr, id: PeerId): Multiaddr {
  const last = address.getComponents().at(-1)
  return last?.name === 'p2p' ? address : address.encapsulate(`/p2p/${id}`)
}
