import { generateKeyPair } from '@libp2p/crypto/keys'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { createNode, isDirect, type SwarmNode, watchRelays } from '../../src/net/index.ts'
import { type Offer, type SwarmRegistry, swarmRegistry } from '../../src/registry/index.ts'
import { NETWORKS, networkOf, type PeerIdString } from '../../src/wire/index.ts'

/** One tab of the bench `discovery`: a node with a registry, and nothing else. */

let node: SwarmNode<{ registry: SwarmRegistry }>

const offerOf = (skills: readonly string[]): Offer => ({
  skills: skills.map((name) => ({ name, version: '1.0.0', kernel: new Uint8Array(32), rate: 1_000 })),
  device: { backend: 'cpu', class: 'none' },
  load: 0,
  uptime: 0
})

/** Comparable between the tabs of one machine. */
const clock = () => performance.timeOrigin + performance.now()

const finder = {
  async start(relays: string[], refreshInterval: number): Promise<string> {
    const network = await networkOf(NETWORKS.local)
    node = await createNode({
      privateKey: await generateKeyPair('Ed25519'),
      network,
      relays,
      services: { registry: swarmRegistry({ network, refreshInterval }) }
    })
    watchRelays(node, relays)
    return node.peerId.toString()
  },

  /** Peers directly connected, those in `peers` only. */
  connected: (peers: readonly string[]) =>
    node
      .getConnections()
      .filter((connection) => isDirect(connection) && peers.includes(connection.remotePeer.toString()))
      .length,

  /** @returns when it began, by the clock of all tabs */
  offer(skills: readonly string[]): number {
    node.services.registry.offer(() => offerOf(skills))
    return clock()
  },

  /** Looks until it finds the peer. @returns when that was, by the clock of all tabs */
  async find(skill: string, peer: string): Promise<number> {
    for (;;) {
      for await (const { advert } of node.services.registry.find(skill)) {
        if (advert.peer === peer) {
          return clock()
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  },

  /** Looks until the advert of the peer comes no more. @returns when it came last, by the clock of all tabs */
  async lose(skill: string, peer: string): Promise<number> {
    for (let last = clock(), isThere = true; ; ) {
      for await (const { advert } of node.services.registry.find(skill)) {
        isThere ||= advert.peer === peer
        last = advert.peer === peer ? clock() : last
      }
      if (!isThere && node.services.registry.known(peer as PeerIdString) === undefined) {
        return last // the peer is as `start` gave it in another tab
      }
      isThere = false
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  },

  /** Milliseconds to put a provider record for a random key into the DHT. */
  async provide(): Promise<number> {
    const begun = performance.now()
    await node.contentRouting.provide(randomKey())
    return performance.now() - begun
  }
}

function randomKey(): CID {
  return CID.createV1(0x55, Digest.create(0x12, crypto.getRandomValues(new Uint8Array(32))))
}

declare global {
  interface Window {
    finder?: typeof finder
  }
}
window.finder = finder
