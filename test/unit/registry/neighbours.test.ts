import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection, Stream } from '@libp2p/interface'
import { defaultLogger } from '@libp2p/logger'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { streamPair } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import { type SwarmRegistryComponents, swarmRegistry } from '../../../src/registry/index.ts'
import { SwarmRegistry } from '../../../src/registry/registry.ts'
import { NETWORKS, networkOf } from '../../../src/wire/index.ts'

const network = await networkOf(NETWORKS.local)
const skill = { name: 'matmul-i8', version: '1.0.0', kernel: new Uint8Array(32), rate: 1000 }

type Handler = (stream: Stream, connection: Connection) => void
interface Topology {
  onConnect(peer: ReturnType<typeof peerIdFromPrivateKey>): void
}

/** A registry whose only connections are those that the test makes. */
async function registryNode() {
  const privateKey = await generateKeyPair('Ed25519')
  const peerId = peerIdFromPrivateKey(privateKey)
  const connections: Connection[] = []
  let handle: Handler | undefined
  let topology: Topology | undefined
  const components = {
    registrar: {
      handle: async (_: string, handler: Handler) => {
        handle = handler
      },
      unhandle: async () => {},
      register: async (_: string, given: Topology) => {
        topology = given
        return 'topology'
      },
      unregister: () => {}
    },
    connectionManager: {
      getConnections: () => connections,
      openStream: () => Promise.reject(new Error('libp2p would dial here'))
    },
    contentRouting: {
      provide: () => Promise.reject(new Error('no routing')),
      cancelReprovide: async () => {}
    },
    peerRouting: { getClosestPeers: () => [] },
    addressManager: { getAddresses: () => [] },
    events: new EventTarget(),
    peerId,
    privateKey,
    logger: defaultLogger()
  } as unknown as SwarmRegistryComponents // what the registry asks of libp2p here
  const registry = swarmRegistry({ network })(components)
  if (!(registry instanceof SwarmRegistry)) {
    throw new Error('the door gives another class')
  }
  await registry.start()
  return {
    registry,
    peerId,
    connections,
    answer: (stream: Stream, from: Connection) => handle?.(stream, from),
    meet: (peer: typeof peerId) => topology?.onConnect(peer)
  }
}

type RegistryNode = Awaited<ReturnType<typeof registryNode>>

/** A connection from one to the other; each stream is answered by the other's registry. */
function connect(from: RegistryNode, to: RegistryNode, isRelayed: boolean) {
  const opened: boolean[] = []
  const limits = isRelayed ? { seconds: 120 } : undefined
  const seenFromThere = { remotePeer: from.peerId } as Connection // all that an answer looks at
  from.connections.push({
    remotePeer: to.peerId,
    remoteAddr: multiaddr(isRelayed ? `/p2p-circuit/p2p/${to.peerId}` : `/webrtc/p2p/${to.peerId}`),
    timeline: { open: 1 },
    status: 'open',
    limits,
    newStream: async (_: string, options: { runOnLimitedConnection?: boolean }) => {
      opened.push(options.runOnLimitedConnection === true)
      const [near, far] = await streamPair({ delay: 0 })
      to.answer(far, seenFromThere)
      return near
    }
  } as unknown as Connection) // as much of it as the registry uses
  return opened
}

const heard = (node: RegistryNode) =>
  new Promise<string[]>((resolve) =>
    node.registry.addEventListener(
      'advert',
      ({ detail }) => resolve(detail.advert.skills.map(({ name }) => name)),
      { once: true }
    )
  )

test('a provider tells a new neighbour what it serves with its first question, over a relayed connection', async () => {
  const [provider, requester, early] = await Promise.all([registryNode(), registryNode(), registryNode()])
  const opened = connect(provider, requester, true)
  connect(early, provider, false)
  provider.registry.offer(() => ({
    skills: [skill],
    device: { backend: 'cpu', class: 'cpu-2' },
    load: 0,
    uptime: 1
  }))
  const firstNews = heard(early)
  early.meet(provider.peerId)
  await firstNews // by now those who were neighbours when it began to serve have been told
  const news = heard(requester)
  provider.meet(requester.peerId)
  expect(await news).toEqual(['matmul-i8'])
  expect(opened).toEqual([true])
  await Promise.all([provider, requester, early].map(({ registry }) => registry.stop()))
})

test('a direct connection is asked over rather than a relayed one', async () => {
  const [asker, asked] = await Promise.all([registryNode(), registryNode()])
  const relayed = connect(asker, asked, true)
  const direct = connect(asker, asked, false)
  const news = heard(asker)
  asker.meet(asked.peerId)
  await news
  expect([relayed.length, direct.length]).toEqual([0, 1])
  await Promise.all([asker.registry.stop(), asked.registry.stop()])
})
