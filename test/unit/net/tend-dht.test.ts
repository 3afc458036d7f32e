import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PeerRouting } from '@libp2p/interface'
import { defaultLogger } from '@libp2p/logger'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { DhtTender, distanceOf, selfQueryInterval } from '../../../src/net/index.ts'

async function* nobody(): AsyncGenerator<never> {
  yield* []
}

const newPeer = async () => peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
const self = await newPeer()
const others = await Promise.all(Array.from({ length: 999 }, newPeer))

describe('the interval', () => {
  const size = fc.integer({ min: 1, max: 10_000_000 })

  test('is bounded, and never shorter in a larger swarm', () => {
    fc.assert(
      fc.property(size, size, (a, b) => {
        const [small, large] = [Math.min(a, b), Math.max(a, b)].map(selfQueryInterval)
        expect(small).toBeLessThanOrEqual(large ?? 0)
        expect(small).toBeGreaterThanOrEqual(15_000)
        expect(large).toBeLessThanOrEqual(300_000)
      })
    )
  })

  test('keeps the self-queries of a whole swarm constant while it grows to 400', () => {
    expect([20, 100, 400].map((n) => (n / selfQueryInterval(n)) * 3_000)).toEqual([4, 4, 4])
    expect([6, 6_000].map(selfQueryInterval)).toEqual([15_000, 300_000])
  })
})

describe('a node', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  /** A node that makes its walks so. */
  function tenderOf(getClosestPeers: PeerRouting['getClosestPeers']): DhtTender {
    const peerRouting = { getClosestPeers } as Pick<PeerRouting, 'getClosestPeers'> as PeerRouting // finds no peer here
    return new DhtTender({ peerRouting, peerId: self, logger: defaultLogger() }, { random: () => 0.5 })
  }

  /** Time goes by, and after each step the hashes of distances are done: they are made off this thread. */
  async function pass(ms: number, step: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += step) {
      await vi.advanceTimersByTimeAsync(step)
      await distanceOf(self, self)
      await distanceOf(self, self)
    }
  }

  /** How many walks it makes in an hour of a swarm of so many, and how many of those to its own key. */
  async function walksAnHour(count: number): Promise<{ walks: number; own: number }> {
    const far = await Promise.all(
      others.slice(0, count - 1).map(async (id) => ({ id, at: await distanceOf(self, id) }))
    )
    const closest = far.toSorted((a, b) => a.at - b.at).slice(0, 20)
    const asked: Uint8Array[] = []
    const tender = tenderOf(async function* (key) {
      asked.push(key)
      for (const { id } of closest) {
        yield { id, multiaddrs: [] }
      }
    })
    tender.start()
    await pass(3_600_000, 5_000)
    tender.stop()
    const before = asked.length
    await vi.advanceTimersByTimeAsync(600_000)
    expect(asked.length).toBe(before)
    const own = self.toMultihash().bytes
    return { walks: asked.length, own: asked.filter((key) => Buffer.from(key).equals(own)).length }
  }

  test('of six looks around every 15 s, and needs no walks for far buckets', async () => {
    const { walks, own } = await walksAnHour(6)
    expect(own).toBe(walks)
    expect(walks).toBeGreaterThan(170)
  })

  test('of a thousand does so every five minutes, and walks to a random key at first and every fourth time', async () => {
    const { walks, own } = await walksAnHour(1_000)
    expect(own).toBeLessThanOrEqual(14)
    expect(own).toBeGreaterThanOrEqual(10)
    expect(walks - own).toBe(1 + Math.floor((own - 1) / 4))
  })

  test('looks around often in its first five seconds, and then by its interval', async () => {
    const walkedAt: number[] = []
    let now = 0
    const tender = tenderOf(() => {
      walkedAt.push(now)
      return nobody()
    })
    tender.start()
    for (now = 500; now <= 40_000; now += 500) {
      await pass(500, 500)
    }
    tender.stop()
    expect(walkedAt).toEqual([1_000, 2_000, 3_500, 5_000, 20_000, 35_000])
  })

  test('whose walks are cut off makes fewer and fewer of them: a swarm on slow machines must not be held up by them', async () => {
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(AbortSignal.abort())
    let walks = 0
    const tender = tenderOf((_key, { signal } = {}) => {
      walks++
      signal?.throwIfAborted()
      return nobody()
    })
    tender.start()
    await pass(3_600_000, 5_000)
    tender.stop()
    timeout.mockRestore()
    expect(walks).toBeGreaterThan(10)
    expect(walks).toBeLessThan(20)
  })
})
