import { afterEach, describe, expect, test, vi } from 'vitest'
import { eventually } from '../../fixtures/eventually.ts'
import { offerOf, type PlainNode, plainNode, plainSwarm } from '../../fixtures/memory-swarm.ts'

// The registry in plain js-libp2p nodes, which share nothing with this house but the service itself.

const nodes: PlainNode[] = []
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.stop()))
})

async function swarm(...init: Parameters<typeof plainSwarm>): Promise<PlainNode[]> {
  nodes.push(...(await plainSwarm(...init)))
  return nodes
}

async function findPeers(node: PlainNode, skill: string): Promise<string[]> {
  const peers = new Set<string>()
  for await (const { advert } of node.services.registry.find(skill)) {
    peers.add(advert.peer)
  }
  return [...peers].sort()
}

const idsOf = (some: PlainNode[]) => some.map(({ peerId }) => peerId.toString()).sort()

describe('in a swarm of six', () => {
  test('each finds all providers of a skill, and no others', async () => {
    const all = await swarm(6)
    const providers = all.slice(0, 2)
    for (const { services } of providers) {
      services.registry.offer(() => offerOf('sort'))
    }
    all[2]?.services.registry.offer(() => offerOf('nbody'))
    for (const finder of all.slice(4)) {
      await eventually(async () => expect(await findPeers(finder, 'sort')).toEqual(idsOf(providers)))
    }
  })

  test('a node that never met the provider finds it through the DHT', async () => {
    const [first, provider] = await swarm(6)
    provider?.services.registry.offer(() => offerOf('sort'))
    const newcomer = await plainNode()
    nodes.push(newcomer)
    await newcomer.dial(first?.getMultiaddrs() ?? [])
    await eventually(async () =>
      expect(await findPeers(newcomer, 'sort')).toEqual([provider?.peerId.toString()])
    )
  })
})

test.each<[string, (provider: PlainNode) => unknown]>([
  ['withdraws', ({ services }) => services.registry.withdraw()],
  ['only stops its node', (provider) => provider.stop()]
])('a provider that %s is found no more, at once by those who are connected', async (_, leave) => {
  const [provider, finder] = await swarm(3)
  if (provider === undefined || finder === undefined) {
    throw new Error('three nodes were made')
  }
  const heard = (skills: number) =>
    new Promise<void>((resolve) => {
      finder.services.registry.addEventListener('advert', function listen({ detail }) {
        if (detail.advert.peer === provider.peerId.toString() && detail.advert.skills.length === skills) {
          finder.services.registry.removeEventListener('advert', listen)
          resolve()
        }
      })
    })
  const offered = heard(1)
  provider.services.registry.offer(() => offerOf('sort'))
  await offered
  const withdrawn = heard(0)
  await leave(provider)
  await withdrawn
  expect(await findPeers(finder, 'sort')).toEqual([])
})

test('a provider that is gone is found no more, though its advert and its record are still there', async () => {
  const [provider, finder, third] = await swarm(3)
  provider?.services.registry.offer(() => offerOf('sort'))
  await eventually(async () => expect(await findPeers(third as PlainNode, 'sort')).toHaveLength(1))
  await eventually(async () => expect(await findPeers(finder as PlainNode, 'sort')).toHaveLength(1))
  const gone = new Promise((resolve) =>
    finder?.addEventListener('peer:disconnect', ({ detail }) => {
      if (detail.equals(provider?.peerId)) {
        resolve(undefined)
      }
    })
  )
  vi.spyOn(provider?.services.registry as PlainNode['services']['registry'], 'withdraw').mockReturnValue() // no goodbye
  await provider?.stop()
  await gone
  expect(await findPeers(finder as PlainNode, 'sort')).toEqual([])
})

test('whoever is connected to the whole swarm does not walk the DHT at each look around', async () => {
  const [first, second] = await swarm(3)
  if (first === undefined || second === undefined) {
    throw new Error('three nodes were made')
  }
  second.services.registry.offer(() => offerOf('sort'))
  await eventually(async () => expect(await findPeers(first, 'sort')).toHaveLength(1))
  const walks = vi.spyOn(first.services.dht, 'findProviders')
  await eventually(async () => {
    walks.mockClear()
    for (const skill of ['sort', 'nbody', 'sort', 'nbody']) {
      await findPeers(first, skill)
    }
    expect(walks).not.toHaveBeenCalled()
  })
  expect(await findPeers(first, 'sort')).toEqual([second.peerId.toString()])
})

test('whoever does nothing but look still hears of a provider that begins meanwhile', async () => {
  const [first, second] = await swarm(3)
  const registry = first?.services.registry
  await eventually(() => expect(first?.getPeers()).toHaveLength(2))
  setTimeout(() => second?.services.registry.offer(() => offerOf('sort')), 300)
  const look = async () => {
    for (;;) {
      for await (const { advert } of registry?.find('sort') ?? []) {
        return advert.peer
      }
    }
  }
  expect(await look()).toBe(second?.peerId.toString())
})
