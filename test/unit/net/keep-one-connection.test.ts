import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection, Libp2pEvents, PeerId } from '@libp2p/interface'
import { TypedEventEmitter } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { bestFirst } from '../../../src/net/connections.ts'
import { endDeadConnections } from '../../../src/net/end-dead-connections.ts'
import { createNode, isDirect, transportOf } from '../../../src/net/index.ts'
import { extraConnections, keepOneConnection } from '../../../src/net/keep-one-connection.ts'
import { NETWORKS, networkOf } from '../../../src/wire/index.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { ManualTicker } from './manual-ticker.ts'

const RELAY = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'
let small: PeerId
let large: PeerId
beforeAll(async () => {
  const ids = await Promise.all(
    [0, 1].map(async () => peerIdFromPrivateKey(await generateKeyPair('Ed25519')))
  )
  const [first, second] = ids.toSorted((a, b) => (a.toString() < b.toString() ? -1 : 1))
  if (first === undefined || second === undefined) {
    throw new Error('two ids were made')
  }
  small = first
  large = second
})

interface Kind {
  relayed: boolean
  busy: boolean
  age: number
  outbound: boolean
}

/** A connection of which only what the rule looks at is there. */
function fake(remotePeer: PeerId, { relayed, busy, age, outbound }: Kind) {
  const circuit = `/ip4/127.0.0.1/tcp/1/ws/p2p/${RELAY}/p2p-circuit`
  const connection = {
    remotePeer,
    direction: outbound ? 'outbound' : 'inbound',
    status: 'open',
    limits: relayed ? { bytes: 1n } : undefined,
    remoteAddr: multiaddr(relayed ? `${circuit}/p2p/${remotePeer}` : `${circuit}/webrtc/p2p/${remotePeer}`),
    streams: [{ protocol: '/ipfs/ping/1.0.0' }, ...(busy ? [{ protocol: '/swarmharness/job/1.0.0' }] : [])],
    timeline: { open: age },
    close: async () => {
      connection.status = 'closed'
    },
    abort: () => undefined
  }
  return connection as unknown as Connection
}

/** A node with these connections, that says when one opens. */
class FakeNode extends TypedEventEmitter<Libp2pEvents> {
  readonly connections: Connection[]

  constructor(connections: Connection[]) {
    super()
    this.connections = connections
  }

  get peerId(): PeerId {
    return small
  }

  getConnections(): Connection[] {
    return this.connections
  }

  opens(connection: Connection): void {
    this.connections.push(connection)
    this.safeDispatchEvent('connection:open', { detail: connection })
  }
}

const kind = fc.record({
  relayed: fc.boolean(),
  busy: fc.boolean(),
  age: fc.nat(1_000),
  outbound: fc.boolean()
})

describe('the rule', () => {
  test('leaves a connection, a direct one if there is any, and never closes a busy one', () => {
    fc.assert(
      fc.property(fc.array(kind, { minLength: 1, maxLength: 6 }), (kinds) => {
        const connections = kinds.map((one) => fake(large, one))
        const extra = new Set(extraConnections(small, connections))
        const left = connections.filter((connection) => !extra.has(connection))
        expect(left.length).toBeGreaterThan(0)
        expect(left.some(isDirect)).toBe(connections.some(isDirect))
        expect([...extra].some(({ streams }) => streams.length > 1)).toBe(false)
        const idle = left.filter(({ streams }) => streams.length === 1)
        expect(idle.length).toBeLessThanOrEqual(1)
      })
    )
  })

  test('only one of the two sides closes', () => {
    fc.assert(
      fc.property(fc.array(kind, { minLength: 2, maxLength: 4 }), (kinds) => {
        const seenByLarge = kinds.map((one) => fake(small, one))
        expect(extraConnections(large, seenByLarge)).toEqual([])
      })
    )
  })

  test('both sides hold the same one for the best, whoever opened it and saw it first', () => {
    fc.assert(
      fc.property(fc.array(kind, { minLength: 2, maxLength: 4 }), fc.nat(1_000), (kinds, drift) => {
        fc.pre(new Set(kinds.map(({ relayed, outbound }) => `${relayed} ${outbound}`)).size === kinds.length)
        const best = (self: PeerId, connections: Connection[]) =>
          connections.indexOf(connections.toSorted(bestFirst(self))[0] as Connection)
        const here = kinds.map((one) => fake(large, one))
        const there = kinds.map((one) =>
          fake(small, { ...one, outbound: !one.outbound, age: drift - one.age })
        )
        expect(best(large, there)).toBe(best(small, here))
      })
    )
  })

  test('a relayed connection is closed after three checks, unless work came on it meanwhile', () => {
    const direct = fake(large, { relayed: false, busy: false, age: 2, outbound: true })
    const idle = fake(large, { relayed: true, busy: false, age: 1, outbound: true })
    const used = fake(large, { relayed: true, busy: false, age: 3, outbound: true })
    const ticker = new ManualTicker()
    const node = new FakeNode([direct, idle, used])
    const stop = keepOneConnection(node, ticker)
    ticker.tick(2)
    expect(idle.status).toBe('open')
    used.streams.push({ protocol: '/swarmharness/ledger/1.0.0' } as Connection['streams'][number])
    ticker.tick()
    expect([direct.status, idle.status, used.status]).toEqual(['open', 'closed', 'open'])
    stop()
    expect(ticker.listeners).toBe(0)
  })
})

describe('a peer that opens another connection', () => {
  const ANSWER_MS = 50

  /** Whether it is ended, with a peer that answers a ping, never does, or refuses the stream. */
  async function isEnded(age: number, peer: 'is dead' | 'refuses'): Promise<boolean> {
    const old = fake(large, { relayed: false, busy: false, age: 1_000, outbound: true })
    const asked = Promise.withResolvers<void>()
    let ended = false
    Object.assign(old, {
      abort: () => {
        ended = true
      },
      newStream: async (_: string, { signal }: { signal: AbortSignal }) => {
        asked.resolve()
        if (peer !== 'is dead') {
          throw new Error('no more streams')
        }
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      }
    })
    const node = new FakeNode([old])
    const dead = endDeadConnections(node, ANSWER_MS)
    node.opens(fake(large, { relayed: false, busy: false, age: 1_000 + age, outbound: true }))
    if (dead.isDoubtful(old)) {
      await asked.promise
      await eventually(() => expect(dead.isDoubtful(old)).toBe(false))
    }
    dead.stop()
    return ended
  }

  test('has its older one ended if that is silent, and only then', async () => {
    expect(await isEnded(60_000, 'is dead')).toBe(true)
    expect(await isEnded(60_000, 'refuses')).toBe(false)
    expect(await isEnded(500, 'is dead')).toBe(false) // both dialled at once
  })

  test('over the wire: one that lives is kept', async () => {
    const network = await networkOf(NETWORKS.local)
    const start = async () =>
      createNode({
        privateKey: await generateKeyPair('Ed25519'),
        network,
        relays: [],
        listen: ['/ip4/127.0.0.1/tcp/0/ws']
      })
    const [one, two] = await Promise.all([start(), start()])
    const first = await one.dial(two.getMultiaddrs())
    const dead = endDeadConnections(one, 5_000)
    first.timeline.open -= 60_000 // as if it were old
    const second = await one.dial(two.getMultiaddrs(), { force: true })
    expect(second.id).not.toBe(first.id)
    expect(dead.isDoubtful(first)).toBe(true)
    await eventually(() => expect(dead.isDoubtful(first)).toBe(false), 5_000)
    expect([first.status, second.status]).toEqual(['open', 'open'])
    dead.stop()
    await Promise.all([one.stop(), two.stop()])
  })
})

test('the address tells what carries a connection', () => {
  const at = (address: string, limited = false) => {
    const connection = { remoteAddr: multiaddr(address), limits: limited ? {} : undefined } as Connection
    return [isDirect(connection), transportOf(connection)]
  }
  const circuit = `/dns4/relay.example/tcp/443/tls/ws/p2p/${RELAY}/p2p-circuit`
  expect(at(`${circuit}/webrtc/p2p/${RELAY}`)).toEqual([true, 'webrtc'])
  expect(at(`/webrtc/p2p/${RELAY}`)).toEqual([true, 'webrtc'])
  expect(at(`${circuit}/p2p/${RELAY}`, true)).toEqual([false, 'websocket'])
  expect(at(`${circuit}/p2p/${RELAY}`)).toEqual([false, 'websocket'])
  expect(at('/ip4/127.0.0.1/tcp/1/ws')).toEqual([true, 'websocket'])
  expect(at('/memory/1')).toEqual([true, 'other'])
})
