import { generateKeyPair } from '@libp2p/crypto/keys'
import { expect, test } from 'vitest'
import { createNode } from '../../../src/net/index.ts'
import { NETWORKS, networkOf } from '../../../src/wire/index.ts'

const start = async (init: { relays: string[]; allowPrivate?: boolean }) =>
  createNode({
    privateKey: await generateKeyPair('Ed25519'),
    network: await networkOf(NETWORKS.local),
    ...init
  })

const RELAY = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'

test('a tab is a DHT server, whatever its addresses', async () => {
  const node = await start({ relays: [] })
  expect(node.services.dht.getMode()).toBe('server')
  expect(node.getProtocols()).toContain('/local/swarmharness/kad/1.0.0')
  expect(node.getProtocols()).toContain('/webrtc-signaling/0.0.1')
  await node.stop()
})

test('with a public relay private addresses and plain ws are not dialled', async () => {
  const node = await start({ relays: [`/dns4/relay.example/tcp/443/tls/ws/p2p/${RELAY}`] })
  const { multiaddr } = await import('@multiformats/multiaddr')
  for (const address of [
    `/ip4/127.0.0.1/tcp/1/ws/p2p/${RELAY}`,
    `/ip4/192.168.1.1/tcp/1/tls/ws/p2p/${RELAY}`,
    `/dns4/relay.example/tcp/80/ws/p2p/${RELAY}`
  ]) {
    expect(await node.isDialable(multiaddr(address)), address).toBe(false)
  }
  expect(await node.isDialable(multiaddr(`/dns4/other.example/tcp/443/tls/ws/p2p/${RELAY}`))).toBe(true)
  await node.stop()
})

test('a relay address that is none is a typed error', async () => {
  await expect(start({ relays: ['http://localhost'] })).rejects.toMatchObject({ code: 'BAD_ADDRESS' })
})
