import { generateKeyPair } from '@libp2p/crypto/keys'
import { passthroughMapper } from '@libp2p/kad-dht'
import { memory } from '@libp2p/memory'
import { createLibp2p } from 'libp2p'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { boundedDht } from '../../../src/net/bounded-dht.ts'
import { baseOptions, closestPeers, type SwarmNode } from '../../../src/net/index.ts'
import { closeSpareConnections } from '../../../src/net/spare-connections.ts'
import { type SwarmRegistry, swarmRegistry } from '../../../src/registry/index.ts'
import { NETWORKS, networkOf } from '../../../src/wire/index.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { offerOf } from '../../fixtures/memory-swarm.ts'

// A swarm in small: a tenth of the product's connections and fewer contacts, so that 16 nodes are many.

type Node = SwarmNode<{ registry: SwarmRegistry }>

const NODES = 16
const K = 4
const LIMITS = { closest: K, far: 1 }
/** One of each of five groups: so few share as many leading bits, but are not among the closest. */
const CONTACTS = K + 5
/** From 6 on a node closes those that it opened and does not need, from 9 on others' too; the rest are of this moment. */
const MOST = 6
const CONNECTIONS = 13
/** All nodes share this thread. */
const PATIENCE = { timeout: 90_000 }
const WAIT = 80_000

const nodes: Node[] = []
beforeAll(async () => {
  const network = await networkOf(NETWORKS.local)
  for (let i = 0; i < NODES; i++) {
    const base = baseOptions({ privateKey: await generateKeyPair('Ed25519'), network, allowPrivate: true })
    const node = await createLibp2p({
      ...base,
      start: true,
      addresses: { listen: [`/memory/bounded-${i}`] },
      transports: [memory()],
      connectionMonitor: { enabled: false },
      connectionManager: {
        inboundConnectionThreshold: 10_000,
        maxIncomingPendingConnections: 10_000
      },
      services: {
        ...base.services,
        dht: boundedDht({
          protocol: '/test/kad/1.0.0',
          clientMode: false,
          kBucketSize: K,
          peerInfoMapper: passthroughMapper,
          initialQuerySelfInterval: 50,
          contacts: LIMITS
        }),
        spares: closeSpareConnections({ most: MOST, youngMs: 200, checkEveryMs: 100 }),
        registry: swarmRegistry({ network })
      }
    })
    const known = nodes[(i * 7) % Math.max(1, i)]
    if (known !== undefined) {
      await node.dial(known.getMultiaddrs())
      // With one contact alone it would be lost if that one closed the connection: here no relay brings it back.
      await eventually(async () => {
        expect((await contactsOf(node)).length).toBeGreaterThanOrEqual(Math.min(2, i))
      }, WAIT)
    }
    nodes.push(node)
  }
}, 120_000)
afterAll(() => Promise.all(nodes.map((node) => node.stop())))

async function contactsOf(node: Node) {
  const peers = await node.peerStore.all({ filters: [({ tags }) => tags.has('kad-peer')] })
  return peers.map(({ id }) => id)
}

const connectionsOf = (node: Node) => node.getConnections().length

function at(index: number): Node {
  const node = nodes[index]
  if (node === undefined) {
    throw new Error(`There is no node ${index}.`)
  }
  return node
}

describe('sixteen nodes', () => {
  test('keep in touch with a few contacts each, and close what else they opened', PATIENCE, () =>
    eventually(async () => {
      for (const node of nodes) {
        const contacts = await contactsOf(node)
        expect(contacts.length).toBeGreaterThan(1)
        expect(contacts.length).toBeLessThanOrEqual(CONTACTS)
        expect(contacts.filter((id) => node.getConnections(id).length === 0)).toEqual([])
        expect(connectionsOf(node)).toBeLessThanOrEqual(CONNECTIONS)
      }
    }, WAIT)
  )

  test('find each other by a walk, however far apart they are', PATIENCE, async () => {
    for (const [i, target] of nodes.slice(0, 5).entries()) {
      const walker = at((i + 7) % nodes.length)
      await eventually(async () => {
        const found = await closestPeers(walker.peerRouting, target.peerId.toMultihash().bytes)
        expect(found.some((id) => id.equals(target.peerId))).toBe(true)
      }, WAIT)
    }
  })

  test('find who serves a skill, though they are not connected', PATIENCE, async () => {
    const provider = at(5)
    const stranger = nodes.find(
      (node) => node !== provider && node.getConnections(provider.peerId).length === 0
    )
    if (stranger === undefined) {
      throw new Error('everybody is connected to everybody')
    }
    provider.services.registry.offer(() => offerOf('rare'))
    await eventually(async () => {
      const found: string[] = []
      for await (const { advert } of stranger.services.registry.find('rare')) {
        found.push(advert.peer)
      }
      expect(found).toEqual([provider.peerId.toString()])
    }, WAIT)
  })

  test('forget at once who leaves', PATIENCE, async () => {
    const leaver = at(3)
    const knew: Node[] = []
    for (const node of nodes.filter((other) => other !== leaver)) {
      if ((await contactsOf(node)).some((id) => id.equals(leaver.peerId))) {
        knew.push(node)
      }
    }
    expect(knew.length).toBeGreaterThan(0)
    await leaver.stop()
    nodes.splice(3, 1)
    await eventually(async () => {
      for (const node of knew) {
        expect((await contactsOf(node)).filter((id) => id.equals(leaver.peerId))).toEqual([])
      }
    }, WAIT)
  })
})
