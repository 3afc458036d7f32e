import type { AbortOptions, PeerId, PeerRouting } from '@libp2p/interface'

interface Progress {
  readonly type: string
  readonly detail: unknown
}

/**
 * The peers closest to a key, by one walk of the DHT.
 *
 * libp2p's own `getClosestPeers` looks up the addresses of every peer that the walk began with, by a further walk each:
 * twenty walks for one. Nobody needs them here, so those are told not to go to the network; and then libp2p leaves
 * these peers out, so they are taken from the walk's progress.
 */
export async function closestPeers(
  peerRouting: Pick<PeerRouting, 'getClosestPeers'>,
  key: Uint8Array,
  options: AbortOptions = {}
): Promise<PeerId[]> {
  const found = new Map<string, PeerId>()
  const note = (id: PeerId) => found.set(id.toString(), id)
  const quick = {
    ...options,
    /** An option of kad-dht's `findPeer`; its walk has none of that name. */
    useNetwork: false,
    onProgress: (event: Progress) => {
      const id = finalPeer(event)
      if (id !== undefined) {
        note(id)
      }
    }
  }
  for await (const { id } of peerRouting.getClosestPeers(key, quick)) {
    note(id)
  }
  return [...found.values()]
}

/** kad-dht's event for each of the peers that a walk has found. */
function finalPeer({ type, detail }: Progress): PeerId | undefined {
  if (type !== 'kad-dht:query:final-peer' || typeof detail !== 'object' || detail === null) {
    return undefined
  }
  // as kad-dht's FinalPeerEvent has it
  return (detail as { peer?: { id?: PeerId } }).peer?.id
}
