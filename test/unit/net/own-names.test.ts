import { Resolver } from 'node:dns/promises'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { TrafficCounter } from '../../../relay/counters.ts'
import { startRelayNode } from '../../../relay/relay-node.ts'
import { createNode } from '../../../src/net/index.ts'
import { cleanups, network, startRelay } from '../../fixtures/started-relay.ts'

// Whose names are looked up in the DNS: a node's own relays', and nobody else's.

const STRANGER = multiaddr(
  '/dnsaddr/stranger.example/p2p/12D3KooWBLP24MWVvt3gNzUJzKSCoU9qxd8yETfHfKnk4vH66666'
)

/** What the DNS says, and what it was asked. */
let texts: Record<string, string> = {}
let asked: string[] = []
beforeEach(() => {
  asked = []
  vi.spyOn(Resolver.prototype, 'resolveTxt').mockImplementation(async (name) => {
    asked.push(name)
    return [[`dnsaddr=${texts[name] ?? '/ip4/127.0.0.1/tcp/9/ws'}`]]
  })
})
afterEach(() => vi.restoreAllMocks())

test('a node asks for the name of its relay, and for what that names; for a stranger’s nobody', async () => {
  const relay = await startRelay()
  const own = multiaddr(`/dnsaddr/relay.example/p2p/${relay.peer}`)
  texts = {
    '_dnsaddr.relay.example': `/dnsaddr/second.example/p2p/${relay.peer}`,
    '_dnsaddr.second.example': relay.multiaddrs[0] ?? ''
  }
  const node = await createNode({
    privateKey: await generateKeyPair('Ed25519'),
    network,
    relays: [own.toString()],
    allowPrivate: true
  })
  cleanups.push(() => node.stop())
  await expect(node.dial(STRANGER)).rejects.toMatchObject({ name: 'NoValidAddressesError' })
  const connection = await node.dial(own)
  expect(connection.remotePeer.toString()).toBe(relay.peer)
  expect(asked).toEqual(['_dnsaddr.relay.example', '_dnsaddr.second.example'])
})

test('a relay asks for nobody’s', async () => {
  const { node } = await startRelayNode({
    privateKey: await generateKeyPair('Ed25519'),
    network,
    announce: [],
    allowPrivate: true,
    maxConnections: 8,
    circuits: {},
    traffic: new TrafficCounter()
  })
  cleanups.push(() => node.stop())
  await expect(node.dial(STRANGER)).rejects.toMatchObject({ name: 'NoValidAddressesError' })
  expect(asked).toEqual([])
})
