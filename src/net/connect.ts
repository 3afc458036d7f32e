import type { Connection, Libp2p, PeerId } from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { standingConnection } from './connections.ts'
import { NetError } from './errors.ts'

type Dialler = Pick<
  Libp2p,
  'getConnections' | 'getMultiaddrs' | 'peerStore' | 'peerRouting' | 'peerId' | 'dial'
>

/**
 * A connection for small messages, relayed or not: the one that stands, or a new one to the addresses that are known,
 * through our own relays, or as the DHT says.
 *
 * Never `dial(id)`: its dial would stand in the DHT's queue for the walk that finds our first neighbours, and that walk
 * would join the dial and wait for it, until both time out.
 *
 * @throws NetError `UNREACHABLE`, or the reason of `signal`
 */
export async function connect(
  node: Dialler,
  id: PeerId,
  options: { readonly signal?: AbortSignal } = {}
): Promise<Connection> {
  const standing = standingConnection(node.peerId, node.getConnections(id))
  if (standing !== undefined) {
    return standing
  }
  let cause: unknown
  for (const lookUp of [knownAddresses, relayedAddresses, foundAddresses]) {
    try {
      const addresses = await lookUp(node, id, options)
      if (addresses.length > 0) {
        return await node.dial(addresses, options)
      }
    } catch (error) {
      options.signal?.throwIfAborted()
      cause = error
    }
  }
  throw new NetError('UNREACHABLE', `No way to ${id} is known now: try later.`, { retryable: true, cause })
}

async function knownAddresses({ peerStore }: Dialler, id: PeerId, options: { signal?: AbortSignal }) {
  return (await peerStore.has(id, options))
    ? withPeer(
        (await peerStore.get(id, options)).addresses.map((address) => address.multiaddr),
        id
      )
    : []
}

/** A peer that has a reservation where we have one. */
async function relayedAddresses(node: Dialler, id: PeerId): Promise<Multiaddr[]> {
  const own = node.getMultiaddrs().map((address) => address.toString().split('/p2p-circuit', 2))
  const relays = own.flatMap(([relay, through]) => (relay && through !== undefined ? [relay] : []))
  return [...new Set(relays)].map((relay) => multiaddr(`${relay}/p2p-circuit/p2p/${id}`))
}

async function foundAddresses({ peerRouting }: Dialler, id: PeerId, options: { signal?: AbortSignal }) {
  return withPeer((await peerRouting.findPeer(id, options)).multiaddrs, id)
}

const withPeer = (addresses: readonly Multiaddr[], id: PeerId) =>
  addresses.map((address) =>
    address.getComponents().at(-1)?.name === 'p2p' ? address : address.encapsulate(`/p2p/${id}`)
  )
