import type { Connection } from '@libp2p/interface'
import { streamPair } from '@libp2p/utils'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { request } from '../../../src/net/index.ts'
import { signed } from '../../../src/wire/index.ts'
import {
  answering,
  fieldsOf,
  findAll,
  LIFETIME,
  type RegistryNode,
  registryNode,
  type Stranger,
  signAdvert,
  stranger
} from '../../fixtures/registry-node.ts'

// What strangers say, and what it may cost.

const NOW = 1_800_000_000_000
const clock = { now: NOW }
let node: RegistryNode
let other: Stranger

beforeEach(async () => {
  clock.now = NOW
  node = await registryNode({ now: () => clock.now })
  other = await stranger()
  node.dht.named = [other.peerId]
})
afterEach(() => node.registry.stop())

/** The stranger can be dialled, and answers with these fields in place of the true ones. */
function says(change: (now: number) => object = () => ({}), by: Stranger = other) {
  node.reachable.set(
    other.peer,
    answering(() => signAdvert(by, { ...fieldsOf(other, clock.now), ...change(clock.now) }))
  )
}

const told = async (from: Stranger, envelope: unknown): Promise<void> => {
  const [near, far] = await streamPair({ delay: 0 })
  node.answer(far, { remotePeer: from.peerId } as Connection) // all that an answer looks at
  await request(near, signed, { t: 'advert', mine: envelope }, { maxBytes: 64 * 1024 })
}

test('an honest stranger is found, and kept until its advert expires', async () => {
  says()
  expect((await findAll(node)).map(({ advert }) => advert.peer)).toEqual([other.peer])
  expect(node.registry.known(other.peer)).toBeDefined()
  clock.now += LIFETIME
  expect(node.registry.known(other.peer)).toBeUndefined()
})

describe('an answer is refused, and its peer set aside, if it is', () => {
  test.each<[string, (now: number) => object]>([
    ['expired', (now) => ({ ts: now - LIFETIME, expires: now - 1 })],
    ['from a clock that is ahead', (now) => ({ ts: now + 120_001, expires: now + 200_000 })],
    ['made to live for ever', (now) => ({ expires: now + 10 * LIFETIME })],
    ['of another network', () => ({ net: new Uint8Array(32) })],
    [
      'a flood of skills',
      (now) => ({
        skills: Array.from({ length: 33 }, (_, i) => ({
          ...fieldsOf(other, now).skills[0],
          name: `sort-${i}`
        }))
      })
    ],
    ['oversized', () => ({ padding: 'x'.repeat(9_000) })],
    ['no advert', () => ({ v: 2 })]
  ])('%s', async (_, change) => {
    says(change)
    expect(await findAll(node)).toEqual([])
    expect(node.dials).toHaveLength(1)
    says()
    expect(await findAll(node)).toEqual([])
    expect(node.dials).toHaveLength(1)
    clock.now += 30_000
    expect(await findAll(node)).toHaveLength(1)
  })

  test('of another peer, well signed by it', async () => {
    const third = await stranger()
    node.reachable.set(
      other.peer,
      answering(() => signAdvert(third, fieldsOf(third, clock.now)))
    )
    expect(await findAll(node)).toEqual([])
  })

  test('forged: signed by another key', async () => {
    says(undefined, await stranger())
    expect(await findAll(node)).toEqual([])
  })

  test('replayed: older than the one that is known', async () => {
    says()
    await findAll(node)
    const seq = node.registry.known(other.peer)?.seq ?? 0
    clock.now += 10_000
    says(() => ({ seq: seq - 1, load: 100 }))
    await findAll(node)
    expect(node.registry.known(other.peer)).toMatchObject({ seq, load: 0 })
  })
})

describe('a provider record that nobody answers for', () => {
  test('costs one dial; then the peer is left alone, twice as long each time', async () => {
    for (const wait of [30_000, 60_000, 120_000]) {
      node.dials.length = 0
      await findAll(node)
      await findAll(node)
      clock.now += wait - 1
      await findAll(node)
      expect(node.dials).toEqual([other.peer])
      clock.now += 1
    }
  })

  test('does not come back by what its peer tells of itself', async () => {
    await findAll(node)
    await told(other, await signAdvert(other, fieldsOf(other, clock.now)))
    expect(await findAll(node)).toEqual([])
    expect(node.registry.known(other.peer)).toBeUndefined()
    clock.now += 30_000
    await told(other, await signAdvert(other, fieldsOf(other, clock.now)))
    expect(await findAll(node)).toHaveLength(1)
    node.registry.setAside(other.peer) // the second time in a row: what it told was no answer
    clock.now += 59_999
    await told(other, await signAdvert(other, fieldsOf(other, clock.now)))
    expect(await findAll(node)).toEqual([])
  })

  test('is forgiven once the peer answers again', async () => {
    await findAll(node)
    clock.now += 30_000
    says()
    expect(await findAll(node)).toHaveLength(1)
    node.reachable.clear()
    clock.now += 10_000
    await findAll(node)
    clock.now += 30_000
    says()
    expect(await findAll(node)).toHaveLength(1)
  })

  test('ends the dial after 3 s where it hangs', async () => {
    node.reachable.set(other.peer, () => new Promise(() => {}))
    const begun = performance.now()
    expect(await findAll(node)).toEqual([])
    expect(performance.now() - begun).toBeLessThan(4_500)
    expect(await findAll(node)).toEqual([])
    expect(node.dials).toHaveLength(1)
  })

  test('among five hundred such: eight are dialled at a time, 64 in a search, and the honest one is found', async () => {
    const ghosts = await Promise.all(Array.from({ length: 500 }, stranger))
    node.dht.named = [...ghosts, other].map(({ peerId }) => peerId)
    says()
    let searches = 0
    for (let found = 0; found === 0; searches++) {
      const before = node.dials.length
      found = (await findAll(node)).length
      expect(node.dials.length - before).toBeLessThanOrEqual(64)
    }
    expect(node.dialling.most).toBeLessThanOrEqual(8)
    expect(searches).toBeLessThanOrEqual(8) // all 501 are dialled once by then
  })
})

describe('adverts told unasked', () => {
  const events = () => {
    const seen: string[] = []
    node.registry.addEventListener('advert', ({ detail }) => seen.push(detail.advert.peer))
    return seen
  }

  test('are heard', async () => {
    const seen = events()
    await told(other, await signAdvert(other, fieldsOf(other, NOW)))
    expect(seen).toEqual([other.peer])
  })

  test('of another peer, forged or expired are not', async () => {
    const seen = events()
    const third = await stranger()
    const lies = [
      signAdvert(third, fieldsOf(third, NOW)),
      signAdvert(third, fieldsOf(other, NOW)),
      signAdvert(other, { ...fieldsOf(other, NOW), ts: NOW - LIFETIME, expires: NOW })
    ]
    for (const lie of lies) {
      await expect(told(other, await lie)).rejects.toThrow()
    }
    expect(seen).toEqual([])
  })

  test('in a flood by one peer: a few are checked, the rest forgotten, and others are still heard', async () => {
    const seen = events()
    for (let i = 0; i < 100; i++) {
      await told(other, await signAdvert(other, { ...fieldsOf(other, NOW), seq: NOW + i }))
    }
    expect(seen).toHaveLength(20)
    expect(node.registry.known(other.peer)).toBeUndefined()
    const honest = await stranger()
    await told(honest, await signAdvert(honest, fieldsOf(honest, NOW)))
    expect(seen).toHaveLength(21)
  })

  test('in a flood by many peers: no more than the bound of all', async () => {
    const seen = events()
    const crowd = await Promise.all(Array.from({ length: 300 }, stranger))
    for (const one of crowd) {
      await told(one, await signAdvert(one, fieldsOf(one, NOW)))
    }
    expect(seen).toHaveLength(256)
    clock.now += 1_000
    await told(other, await signAdvert(other, fieldsOf(other, clock.now)))
    expect(seen).toHaveLength(257)
  })
})

describe('a search', () => {
  test('gives the known providers among the connected ones at once, before any answer', async () => {
    says()
    await findAll(node)
    node.meet(other.peerId)
    node.reachable.set(other.peer, () => new Promise(() => {}))
    clock.now += 10_000
    for await (const found of node.registry.find('sort')) {
      expect(found.advert.peer).toBe(other.peer)
      break
    }
    node.part(other.peerId)
  })

  test('asks a known provider again before it gives it out, once the connection has ended', async () => {
    says()
    await findAll(node)
    node.dht.named = []
    clock.now += 10_000
    node.reachable.clear()
    expect(await findAll(node)).toEqual([])
    expect(node.dials).toHaveLength(2)
  })

  test('keeps to its constraints', async () => {
    says()
    expect(await findAll(node, 'sort', { constraints: { priceMax: 1_000, backend: 'cpu' } })).toHaveLength(1)
    expect(await findAll(node, 'sort', { constraints: { priceMax: 999 } })).toEqual([])
  })

  test('gives the load that was learned elsewhere, and when', async () => {
    says()
    await findAll(node)
    clock.now += 500
    node.registry.learnLoad(other.peer, 60)
    const [found] = await findAll(node)
    expect(found).toMatchObject({ advert: { load: 60 }, loadAt: NOW + 500 })
  })

  test('ends with its signal', async () => {
    node.reachable.set(other.peer, () => new Promise(() => {}))
    const over = new AbortController()
    const all = findAll(node, 'sort', { signal: over.signal })
    over.abort()
    expect(await all).toEqual([]) // the dial would hang for ever
  })
})

test('a search that is under way gives a provider that tells of itself meanwhile', async () => {
  node.reachable.set(other.peer, () => new Promise(() => {}))
  const teller = await stranger()
  const found = (async () => {
    for await (const { advert } of node.registry.find('sort')) {
      return advert.peer
    }
    return undefined
  })()
  await told(teller, await signAdvert(teller, fieldsOf(teller, NOW)))
  expect(await found).toBe(teller.peer)
})
