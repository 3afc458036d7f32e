import { expect, test } from 'vitest'
import { connect, type RegistryNode, registryNode } from '../../fixtures/registry-node.ts'

const skill = { name: 'matmul-i8', version: '1.0.0', kernel: new Uint8Array(32), rate: 1000 }

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
