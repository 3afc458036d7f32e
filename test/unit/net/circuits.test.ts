import { RELAY_V2_HOP_CODEC } from '@libp2p/circuit-relay-v2'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { type PeerId, TypedEventEmitter } from '@libp2p/interface'
import { defaultLogger } from '@libp2p/logger'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { describe, expect, test } from 'vitest'
import { circuitTransport } from '../../../src/net/circuits.ts'
import { eventually } from '../../fixtures/eventually.ts'

const newPeer = async () => peerIdFromPrivateKey(await generateKeyPair('Ed25519'))

/** The search for relays of a node that is connected to a relay and to a peer that is none. */
async function searching() {
  const [self, relay, other] = await Promise.all([newPeer(), newPeer(), newPeer()])
  let walks = 0
  const components = {
    peerId: self,
    logger: defaultLogger(),
    events: new TypedEventEmitter(),
    connectionManager: { getConnections: () => [{ remotePeer: other }, { remotePeer: relay }] },
    peerStore: {
      all: async () => [],
      has: async () => true,
      get: async (peer: PeerId) => ({ protocols: peer.equals(relay) ? [RELAY_V2_HOP_CODEC] : [] })
    },
    randomWalk: {
      walk: () => {
        walks++
        return []
      }
    }
  }
  const transport = circuitTransport()(components as never) // what a search uses, and no more
  const { discovery } = transport as unknown as {
    discovery: EventTarget & { startDiscovery(): void; stopDiscovery(): void }
  }
  const found: string[] = []
  discovery.addEventListener('relay:discover', (event) => {
    found.push((event as CustomEvent<PeerId>).detail.toString())
  })
  return { discovery, found, relay: relay.toString(), walks: () => walks }
}

describe('a node that wants a relay', () => {
  test('takes one that it is connected to, and walks nowhere', async () => {
    const { discovery, found, relay, walks } = await searching()
    discovery.startDiscovery()
    await eventually(() => expect(found).toEqual([relay]))
    expect(walks()).toBe(0)
  })

  test('asks it once until it needs no more, and again when it lacks one later', async () => {
    const { discovery, found, relay } = await searching()
    discovery.startDiscovery()
    discovery.startDiscovery()
    await eventually(() => expect(found).toEqual([relay]))
    discovery.stopDiscovery()
    discovery.startDiscovery()
    await eventually(() => expect(found).toEqual([relay, relay]))
  })
})
