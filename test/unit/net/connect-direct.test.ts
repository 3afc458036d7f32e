import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import { connectDirect } from '../../../src/net/connect-direct.ts'
import type { PeerIdString } from '../../../src/wire/index.ts'

const RELAY = '/ip4/127.0.0.1/tcp/9/ws/p2p/12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5/p2p-circuit'
const remotePeer = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
const peer = remotePeer.toString() as PeerIdString // made from an Ed25519 key in the line above
const other = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))

const connection = (from: typeof remotePeer, address: string) =>
  ({ remotePeer: from, remoteAddr: multiaddr(address), status: 'open', streams: [] }) as unknown as Connection

/** A node whose dials end only when the test says so. */
function dialling() {
  const dial = Promise.withResolvers<Connection>()
  const begun = Promise.withResolvers<void>()
  const events = new EventTarget()
  const node = {
    getConnections: () => [],
    peerStore: { has: async () => false },
    peerRouting: { findPeer: () => Promise.reject(new Error('not found')) },
    getMultiaddrs: () => [multiaddr(RELAY)],
    dial: () => {
      begun.resolve()
      return dial.promise
    },
    addEventListener: events.addEventListener.bind(events),
    removeEventListener: events.removeEventListener.bind(events)
  } as unknown as Parameters<typeof connectDirect>[0] // what connectDirect asks of a node here
  const open = (opened: Connection) =>
    events.dispatchEvent(new CustomEvent('connection:open', { detail: opened }))
  return { node, dial, begun: begun.promise, open }
}

test('the peer dials us while we dial it: its direct connection is taken, no relayed and no other one', async () => {
  const { node, begun, open } = dialling()
  const connecting = connectDirect(node, peer)
  await begun
  const inbound = connection(remotePeer, `/webrtc/p2p/${peer}`)
  open(connection(other, `/webrtc/p2p/${other}`))
  open(connection(remotePeer, `${RELAY}/p2p/${peer}`))
  open(inbound)
  expect(await connecting).toBe(inbound)
})

test('nobody dials us: our own dial counts', async () => {
  const { node, dial, begun } = dialling()
  const connecting = connectDirect(node, peer)
  await begun
  const outbound = connection(remotePeer, `${RELAY}/webrtc/p2p/${peer}`)
  dial.resolve(outbound)
  expect(await connecting).toBe(outbound)
})

test('every dial fails: the error says so', async () => {
  const { node, dial } = dialling()
  dial.reject(new Error('no answer'))
  await expect(connectDirect(node, peer)).rejects.toMatchObject({ code: 'UNREACHABLE', retryable: true })
})
