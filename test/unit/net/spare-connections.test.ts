import { generateKeyPair } from '@libp2p/crypto/keys'
import { type Connection, type Libp2pEvents, type PeerId, TypedEventEmitter } from '@libp2p/interface'
import { defaultLogger } from '@libp2p/logger'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { describe, expect, onTestFinished, test } from 'vitest'
import { distanceOf } from '../../../src/net/index.ts'
import { SpareConnections } from '../../../src/net/spare-connections.ts'
import { eventually } from '../../fixtures/eventually.ts'

const newPeer = async () => peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
const self = await newPeer()
const peers = await Promise.all(Array.from({ length: 12 }, newPeer))
const far = await Promise.all(peers.map(async (peer) => ({ peer, at: await distanceOf(self, peer) })))
/** The farthest first. */
const sorted = far.toSorted((a, b) => b.at - a.at).map(({ peer }) => peer)

interface Kind {
  readonly inbound?: boolean
  readonly busy?: boolean
  readonly young?: boolean
  readonly tags?: readonly string[]
}

/** What is left of connections to the peers, the farthest first, once a node that bears `most` has looked. */
async function left(most: number, kinds: readonly Kind[]): Promise<number[]> {
  const open = new Map<Connection, number>()
  const tagsOf = new Map<string, readonly string[]>()
  for (const [i, { inbound, busy, young, tags = [] }] of kinds.entries()) {
    const remotePeer = sorted[i]
    if (remotePeer === undefined) {
      throw new Error('there are not so many peers')
    }
    tagsOf.set(remotePeer.toString(), tags)
    const connection = {
      remotePeer,
      direction: inbound === true ? 'inbound' : 'outbound',
      status: 'open',
      streams: [
        { protocol: '/ipfs/ping/1.0.0' },
        ...(busy === true ? [{ protocol: '/swarmharness/job/1.0.0' }] : [])
      ],
      timeline: { open: young === true ? Date.now() : 0 },
      close: async () => void open.delete(connection)
    } as unknown as Connection // all that is looked at
    open.set(connection, i)
  }
  const events = new TypedEventEmitter<Libp2pEvents>()
  let looked = 0
  const spares = new SpareConnections(
    {
      peerId: self,
      events,
      logger: defaultLogger(),
      connectionManager: {
        getConnections: () => {
          looked++
          return [...open.keys()]
        }
      },
      peerStore: {
        has: async () => true,
        get: async (peer: PeerId) => ({
          tags: new Map((tagsOf.get(peer.toString()) ?? []).map((tag) => [tag, { value: 1 }]))
        })
      } as never // a peer's tags are all that is asked for
    },
    { most, checkEveryMs: 1 }
  )
  spares.start()
  onTestFinished(() => spares.stop())
  events.safeDispatchEvent('connection:open')
  // it looks again as long as there are too many
  await eventually(() => expect(open.size <= most || looked > 30).toBe(true))
  return [...open.values()]
}

const many = (count: number, kind: Kind = {}) => Array.from({ length: count }, () => kind)

describe('of more connections than a node bears', () => {
  test('the farthest are closed, down to what it bears', async () => {
    expect(await left(4, many(10))).toEqual([6, 7, 8, 9])
  })

  test('none is closed that is young, busy, or leads to a contact or a relay', async () => {
    const kept = [
      { young: true },
      { busy: true },
      { tags: ['kad-peer'] },
      { tags: ['keep-alive-circuit-relay'] }
    ]
    expect(await left(1, [...kept, {}, {}])).toEqual([0, 1, 2, 3])
  })

  test('those that others opened are left alone up to half as many again', async () => {
    expect(await left(8, many(12, { inbound: true }))).toHaveLength(12)
    expect(await left(6, [...many(11, { inbound: true }), {}])).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10])
  })
})

test('as many as a node bears are all left', async () => {
  expect(await left(10, many(10))).toHaveLength(10)
})
