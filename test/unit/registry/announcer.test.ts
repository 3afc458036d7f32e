import { generateKeyPair } from '@libp2p/crypto/keys'
import { defaultLogger } from '@libp2p/logger'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import type { CID } from 'multiformats/cid'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Announcer, type AnnouncerInit } from '../../../src/registry/announcer.ts'
import { skillKey } from '../../../src/registry/keys.ts'
import { probes } from '../../../src/registry/sharding.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { network } from '../../fixtures/registry-node.ts'

const ADDRESS = multiaddr('/memory/here')
let over: AbortController
beforeEach(() => {
  over = new AbortController()
})
afterEach(() => over.abort())

/** A DHT that is a map, shared by the nodes that are given the same one. */
type Records = Map<string, Set<string>>

async function node(
  init: Partial<Pick<AnnouncerInit, 'shardSize' | 'refreshInterval'>> & { size?: number } = {},
  records: Records = new Map()
) {
  const peerId = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
  const state = { addresses: [ADDRESS], takers: 20 }
  const provides: number[] = []
  const cancelled: string[] = []
  const contentRouting = {
    async provide(key: CID, { onProgress }: { onProgress(event: unknown): void }) {
      provides.push(performance.now())
      for (let i = 0; i < state.takers; i++) {
        onProgress({ type: 'kad-dht:query:peer-response', detail: { messageType: 'ADD_PROVIDER' } })
      }
      // what the walk to those who take the record is answered with is no acknowledgement
      onProgress({ type: 'kad-dht:query:peer-response', detail: { messageType: 'FIND_NODE' } })
      records.set(key.toString(), (records.get(key.toString()) ?? new Set()).add(peerId.toString()))
    },
    async cancelReprovide(key: CID) {
      cancelled.push(key.toString())
      records.get(key.toString())?.delete(peerId.toString())
    },
    async *findProviders(key: CID) {
      yield* (records.get(key.toString()) ?? []).values()
    }
  }
  const announcer = new Announcer({
    components: {
      contentRouting,
      addressManager: { getAddresses: () => state.addresses },
      peerId
    } as unknown as AnnouncerInit['components'], // what the announcer asks of libp2p
    network,
    log: defaultLogger().forComponent('test'),
    shardSize: init.shardSize ?? 500,
    refreshInterval: init.refreshInterval ?? 60_000,
    random: Math.random,
    swarmSize: async () => init.size ?? 30
  })
  return { announcer, state, provides, cancelled, records }
}

const until = (count: number, provides: unknown[], timeout = 3_000) =>
  vi.waitFor(() => expect(provides.length).toBeGreaterThanOrEqual(count), { timeout, interval: 5 })

test('without an address nothing is provided; with the first one it is, at once', async () => {
  const { announcer, state, provides } = await node({ refreshInterval: 600_000 })
  state.addresses = []
  announcer.checkAddresses()
  void announcer.keep('sort', over.signal)
  await until(0, provides)
  await new Promise((resolve) => setImmediate(resolve))
  expect(provides).toEqual([])
  state.addresses = [ADDRESS]
  announcer.checkAddresses()
  await until(1, provides) // the next refresh is ten minutes away
})

test('a change of something else than the addresses does not provide again', async () => {
  const { announcer, provides } = await node()
  announcer.checkAddresses()
  void announcer.keep('sort', over.signal)
  await until(1, provides)
  announcer.checkAddresses()
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(provides).toHaveLength(1)
})

test('a record that nobody took is provided again after about a second', async () => {
  const { announcer, state, provides } = await node()
  state.takers = 0
  void announcer.keep('sort', over.signal)
  await until(2, provides)
  const [first = 0, second = 0] = provides
  expect(second - first).toBeGreaterThan(850)
  expect(second - first).toBeLessThan(1_900)
})

test('one that enough took is not, until it is time', async () => {
  const { announcer, provides } = await node({ refreshInterval: 100 })
  void announcer.keep('sort', over.signal)
  await until(3, provides)
  const gaps = provides.slice(1).map((at, i) => at - (provides[i] ?? at))
  expect(Math.min(...gaps)).toBeGreaterThan(80)
})

test('withdrawn, the DHT is told to forget it', async () => {
  const { announcer, provides, cancelled } = await node()
  void announcer.keep('sort', over.signal)
  void announcer.keep('nbody', over.signal)
  await until(2, provides)
  await announcer.withdraw()
  expect(cancelled.toSorted()).toEqual(
    (await Promise.all(['sort', 'nbody'].map((skill) => skillKey(network, skill)))).map(String).toSorted()
  )
})

test('sixty providers that shards of ten are made for spread over keys, and are found whatever one believes', async () => {
  const records: Records = new Map()
  const nodes = await Promise.all(
    Array.from({ length: 60 }, () => node({ shardSize: 10, refreshInterval: 200, size: 60 }, records))
  )
  for (const { announcer } of nodes) {
    void announcer.keep('sort', over.signal)
  }
  await Promise.all(nodes.map(({ provides }) => until(5, provides, 15_000)))
  const levels = await eventually(() => {
    const found = nodes.map(({ announcer }) => announcer.levels.get('sort') ?? 0)
    expect(Math.min(...found)).toBeGreaterThanOrEqual(1)
    return found
  })
  expect(Math.max(...levels)).toBeLessThanOrEqual(4)
  for (const believed of [0, 1, 2, 3, 6, 12]) {
    const keys = await Promise.all(
      probes(believed, Math.random).map((shard) => skillKey(network, 'sort', shard))
    )
    const names = new Set(keys.flatMap((key) => [...(records.get(key.toString()) ?? [])]))
    expect(names.size, `level ${believed}`).toBeGreaterThanOrEqual(4)
  }
})
