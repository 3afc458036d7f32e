import type { AbortOptions, PeerId } from '@libp2p/interface'
import { type KadDHT, type KadDHTComponents, type KadDHTInit, kadDHT } from '@libp2p/kad-dht'
import type { Milliseconds } from '../wire/index.ts'
import { leadsDirectly } from './connect-direct.ts'
import { isDirect } from './connections.ts'
import { CONTACT_LIMITS, type Contact, type ContactLimits, isWanted, surplusContacts } from './contacts.ts'
import { distanceBetween, placeOf } from './swarm-size.ts'

/** A contact that closed its connection is not called back so soon: it has enough others, or is gone. */
const PARTED: Milliseconds = 30_000
const PARTED_REMEMBERED = 256
/** Leading bits by which kad-dht may split its buckets: so many that none is ever full. */
const PREFIX_LENGTH = 32

export interface BoundedDhtInit extends Omit<KadDHTInit, 'prefixLength' | 'disjointPaths'> {
  /** @default the 20 closest, and six of each group beyond */
  readonly contacts?: ContactLimits
}

interface TableEntry {
  readonly peerId: PeerId
  readonly kadId: Uint8Array
  readonly lastPing: number
}

/** What of kad-dht's routing table its types leave out; of version 16.4. */
interface RoutingTable {
  readonly kb: {
    readonly localPeer?: { readonly kadId: Uint8Array }
    toIterable(): Iterable<TableEntry>
    verify(peer: TableEntry, options?: AbortOptions): Promise<boolean>
  }
  add(peer: PeerId, options?: AbortOptions): Promise<void>
  remove(peer: PeerId, options?: AbortOptions): Promise<void>
}

/**
 * kad-dht, but for whom it keeps in touch with. By itself it dials everybody that it hears of until it knows 1,280
 * peers; and each walk takes ten paths, of which each ends when it has asked twenty peers. In a tab every one of these
 * is a WebRTC connection. Here a node has the contacts that `surplusContacts` leaves it, all of them connected, so that
 * one that is gone is forgotten at once; and a walk is one path, ten questions at a time.
 */
export function boundedDht({
  contacts = CONTACT_LIMITS,
  ...init
}: BoundedDhtInit): (components: KadDHTComponents) => KadDHT {
  return (components) => {
    const dht = kadDHT({ ...init, prefixLength: PREFIX_LENGTH, disjointPaths: 1 })(components)
    // its class has the table, its interface only the size of it
    boundTable((dht as unknown as { readonly routingTable: RoutingTable }).routingTable, contacts, components)
    return dht
  }
}

function boundTable(
  table: RoutingTable,
  limits: ContactLimits,
  {
    connectionManager,
    peerStore,
    events
  }: Pick<KadDHTComponents, 'connectionManager' | 'peerStore' | 'events'>
): void {
  const add = table.add.bind(table)
  /** On their way into the table. */
  const coming = new Set<Contact>()
  const parted = new Map<string, Milliseconds>()
  const isContact = (peer: PeerId) => [...table.kb.toIterable()].some(({ peerId }) => peerId.equals(peer))
  const isConnected = (peer: PeerId) =>
    connectionManager.getConnections(peer).some((one) => one.status === 'open' && isDirect(one))

  /** A circuit is no connection for a DHT: it is not opened only to learn that. */
  const isReachable = async (peer: PeerId) => {
    const { addresses } = (await peerStore.has(peer)) ? await peerStore.get(peer) : { addresses: [] }
    return addresses.length === 0 || addresses.some(({ multiaddr }) => leadsDirectly(multiaddr))
  }

  // In the place of a ping, which costs a stream more, and after which kad-dht would have the closest that ever
  // answered called back whenever their connection ends.
  table.kb.verify = async ({ peerId }, options = {}) =>
    isConnected(peerId) ||
    ((await isReachable(peerId)) && isDirect(await connectionManager.openConnection(peerId, options)))

  table.add = async (peer, options) => {
    const self = table.kb.localPeer?.kadId
    if (self === undefined || isContact(peer) || (!isConnected(peer) && isIn(parted, peer))) {
      return
    }
    const distance = distanceBetween(self, await placeOf(peer))
    if (!isWanted([...contactsOf(table, self), ...coming], distance, limits)) {
      return
    }
    const candidate = { distance, since: Number.POSITIVE_INFINITY }
    coming.add(candidate)
    try {
      await add(peer, options)
    } finally {
      coming.delete(candidate)
    }
    if (!isConnected(peer)) {
      await table.remove(peer)
    }
    for (const { peer: surplus } of surplusContacts(contactsOf(table, self), limits)) {
      await table.remove(surplus)
    }
  }

  events.addEventListener('connection:close', ({ detail: { remotePeer: peer } }) => {
    if (isContact(peer) && !isConnected(peer)) {
      remember(parted, peer)
      table.remove(peer).catch(() => {}) // only its tag in the peer store is left, which stops
    }
  })
}

function contactsOf({ kb }: RoutingTable, self: Uint8Array): Array<Contact & { readonly peer: PeerId }> {
  return Array.from(kb.toIterable(), ({ peerId, kadId, lastPing }) => ({
    peer: peerId,
    distance: distanceBetween(self, kadId),
    since: lastPing
  }))
}

function isIn(parted: ReadonlyMap<string, Milliseconds>, peer: PeerId): boolean {
  return performance.now() - (parted.get(peer.toString()) ?? Number.NEGATIVE_INFINITY) < PARTED
}

function remember(parted: Map<string, Milliseconds>, peer: PeerId): void {
  parted.delete(peer.toString())
  parted.set(peer.toString(), performance.now())
  const [oldest] = parted.keys()
  if (parted.size > PARTED_REMEMBERED && oldest !== undefined) {
    parted.delete(oldest)
  }
}
