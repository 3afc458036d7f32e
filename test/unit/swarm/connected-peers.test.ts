import type { Connection } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import type { SwarmNode } from '../../../src/net/index.ts'
import type { SwarmRegistry } from '../../../src/registry/index.ts'
import { connectedPeers, stateOf } from '../../../src/swarm/connected-peers.ts'

const RELAY = '12D3KooWGC6TvWhfagifX6kzyKbJLpLGzLgmgaRRyFEgJHSwq3Qh'
const remotePeer = peerIdFromString(RELAY)

/** A node with one open connection, as far as `connectedPeers` looks at it. */
function nodeAt(address: string): SwarmNode<{ registry: SwarmRegistry }> {
  const remoteAddr = multiaddr(`${address}/p2p/${RELAY}`)
  const connection = { remotePeer, remoteAddr, status: 'open' } as Connection
  const node = {
    getPeers: () => [remotePeer],
    getConnections: () => [connection],
    services: { registry: { known: () => undefined } }
  }
  return node as unknown as SwarmNode<{ registry: SwarmRegistry }>
}

test.each([
  ['an address with its peer id', `/dns4/relay.example/tcp/443/tls/ws/p2p/${RELAY}`, true],
  ['another address of it', `/ip4/192.0.2.1/tcp/80/ws/p2p/${RELAY}`, true],
  ['its address alone', '/dns4/relay.example/tcp/443/tls/ws', true],
  ['an address that begins like it', '/dns4/relay.example/tcp/4', false],
  ['another address alone', '/ip4/192.0.2.1/tcp/80/ws', false]
])('a relay is known by %s', (_, relay, isRelay) => {
  const peers = connectedPeers(nodeAt('/dns4/relay.example/tcp/443/tls/ws'), [relay])
  expect(peers).toMatchObject([{ isRelay, connection: 'direct' }])
  expect(stateOf(peers, 1, 1)).toBe(isRelay ? 'relayed' : 'direct')
})
