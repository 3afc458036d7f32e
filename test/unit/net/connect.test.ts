import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection, PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { beforeEach, expect, test } from 'vitest'
import { connect } from '../../../src/net/connect.ts'

const DIRECT = '/ip4/127.0.0.1/tcp/1/ws'
const RELAY = '/ip4/127.0.0.1/tcp/2/ws/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'

let self: PeerId
let other: PeerId
beforeEach(async () => {
  ;[self, other] = (await Promise.all(
    [0, 1].map(async () => peerIdFromPrivateKey(await generateKeyPair('Ed25519')))
  )) as [PeerId, PeerId]
})

interface Known {
  readonly stored?: string[]
  readonly own?: string[]
  readonly found?: string[]
  /** Addresses that cannot be reached. */
  readonly dead?: string[]
}

/** Where a node dials, given what it knows. */
async function dialled({ stored = [], own = [], found = [], dead = [] }: Known) {
  const dials: string[][] = []
  const node = {
    peerId: self,
    getConnections: () => [],
    getMultiaddrs: () => own.map((address) => multiaddr(address)),
    peerStore: {
      has: async () => stored.length > 0,
      get: async () => ({ addresses: stored.map((address) => ({ multiaddr: multiaddr(address) })) })
    },
    peerRouting: { findPeer: async () => ({ multiaddrs: found.map((address) => multiaddr(address)) }) },
    dial: async (addresses: PeerId | Multiaddr[]) => {
      if (!Array.isArray(addresses)) {
        throw new Error('a dial by id waits for the walk that waits for it')
      }
      const texts = addresses.map((address) => address.toString())
      dials.push(texts)
      if (texts.every((text) => dead.some((each) => text.startsWith(each)))) {
        throw new Error('nobody is there')
      }
      return {} as Connection
    }
  }
  const outcome = await connect(node as unknown as Parameters<typeof connect>[0], other).then(
    () => 'connected',
    (error: { code: string }) => error.code
  )
  return { dials, outcome }
}

test('goes by the addresses that it knows, through its own relays, then by the DHT, and never by the bare id', async () => {
  const through = `${RELAY}/p2p-circuit`
  const everything = {
    stored: [DIRECT],
    own: [through, `${through}/webrtc`],
    found: [`${DIRECT}/p2p/${other}`]
  }
  expect(await dialled(everything)).toEqual({ dials: [[`${DIRECT}/p2p/${other}`]], outcome: 'connected' })
  expect(await dialled({ ...everything, stored: [] })).toEqual({
    dials: [[`${through}/p2p/${other}`]],
    outcome: 'connected'
  })
  expect(await dialled({ ...everything, dead: [DIRECT] })).toMatchObject({ outcome: 'connected' })
  expect(await dialled({ ...everything, stored: [], own: [] })).toEqual({
    dials: [[`${DIRECT}/p2p/${other}`]],
    outcome: 'connected'
  })
})

test('says that there is no way', async () => {
  expect(await dialled({})).toEqual({ dials: [], outcome: 'UNREACHABLE' })
  const { dials, outcome } = await dialled({ stored: [DIRECT], own: [`${RELAY}/p2p-circuit`], dead: ['/'] })
  expect(dials).toHaveLength(2)
  expect(outcome).toBe('UNREACHABLE')
})
