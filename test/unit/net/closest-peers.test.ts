import { afterEach, expect, test, vi } from 'vitest'
import { closestPeers } from '../../../src/net/index.ts'
import { type PlainNode, plainSwarm } from '../../fixtures/memory-swarm.ts'

const COUNT = 6
let nodes: PlainNode[] = []

afterEach(async () => {
  await Promise.all(nodes.map((node) => node.stop()))
})

test('one walk finds everybody, and nobody is asked twice, though no addresses come with the names', async () => {
  nodes = await plainSwarm(COUNT)
  const [self] = nodes
  if (self === undefined) {
    throw new Error('there are no nodes')
  }
  const others = nodes.slice(1).map(({ peerId }) => peerId.toString())
  const key = self.peerId.toMultihash().bytes
  await vi.waitFor(
    async () => {
      const found = await closestPeers(self.peerRouting, key)
      expect(found.map(String).sort()).toEqual(others.toSorted())
    },
    { timeout: 10_000, interval: 100 }
  )
  // kad-dht's own: every request of every walk goes through it
  const { network } = self.services.dht as unknown as { network: { sendRequest(): unknown } }
  const asked = vi.spyOn(network, 'sendRequest')
  const found = await closestPeers(self.peerRouting, key)
  expect(found).toHaveLength(COUNT - 1)
  expect(asked.mock.calls.length).toBeLessThanOrEqual(COUNT - 1)
  asked.mockClear()
  // what it is there to avoid
  for await (const _ of self.peerRouting.getClosestPeers(key)) {
    // only counted
  }
  expect(asked.mock.calls.length).toBeGreaterThan(2 * COUNT)
})

test('other routers than the DHT are heard, and a peer that comes by both ways is named once', async () => {
  nodes = await plainSwarm(2)
  const [self, other] = nodes
  if (self === undefined || other === undefined) {
    throw new Error('there are no nodes')
  }
  const routing = {
    async *getClosestPeers(_: Uint8Array, { onProgress }: { onProgress?: (event: Event) => void } = {}) {
      const detail = { peer: { id: other.peerId, multiaddrs: [] } }
      onProgress?.(new CustomEvent('kad-dht:query:final-peer', { detail }))
      onProgress?.(new CustomEvent('kad-dht:query:final-peer', { detail: { peer: null } }))
      onProgress?.(new CustomEvent('kad-dht:query:final-peer'))
      yield { id: other.peerId, multiaddrs: [] }
      yield { id: self.peerId, multiaddrs: [] }
    }
  }
  const found = await closestPeers(routing, new Uint8Array(32))
  expect(found.map(String)).toEqual([other.peerId.toString(), self.peerId.toString()])
})
