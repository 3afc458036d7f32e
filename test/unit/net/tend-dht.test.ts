import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PeerId, PeerRouting } from '@libp2p/interface'
import { defaultLogger } from '@libp2p/logger'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { DhtTender, distanceOf, selfQueryInterval } from '../../../src/net/index.ts'

async function* nobody(): AsyncGenerator<never> {
  yield* []
}

const newPeer = async () => peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
const peers = await Promise.all(Array.from({ length: 1_000 }, newPeer))

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

  /** How many walks it makes in an hour of a swarm of so many, and how many of those to its own key. */
  async function walksAnHour(count: number): Promise<{ walks: number; own: number }> {
    const [self, ...others] = peers.slice(0, count)
    if (self === undefined) {
      throw new Error('a swarm has a peer')
    }
    const far = await Promise.all(others.map(async (id) => ({ id, at: await distanceOf(self, id) })))
    const closest = far.toSorted((a, b) => a.at - b.at).slice(0, 20)
    const asked: Uint8Array[] = []
    let walked = Promise.withResolvers<void>()
    const peerRouting = {
      async *getClosestPeers(key: Uint8Array) {
        asked.push(key)
        for (const { id } of closest) {
          yield { id, multiaddrs: [] as never[] }
        }
        walked.resolve()
      }
    } as Pick<PeerRouting, 'getClosestPeers'> as PeerRouting // finds no peer here
    const tender = new DhtTender(
      { peerRouting, peerId: self, logger: defaultLogger() },
      { random: () => 0.5 }
    )
    tender.start()
    for (let ms = 0; ms < 3_600_000; ms += 5_000) {
      walked = Promise.withResolvers()
      await vi.advanceTimersByTimeAsync(5_000)
      await settle(self)
    }
    tender.stop()
    const before = asked.length
    await vi.advanceTimersByTimeAsync(600_000)
    expect(asked.length).toBe(before)
    const own = self.toMultihash().bytes
    return { walks: asked.length, own: asked.filter((key) => Buffer.from(key).equals(own)).length }
  }

  /** Lets the hashes of distances be done: they are made off this thread. */
  const settle = (peer: PeerId) => distanceOf(peer, peer).then(() => distanceOf(peer, peer))

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
    const [self] = peers
    if (self === undefined) {
      throw new Error('there are peers')
    }
    let passed = 0
    const walkedAt: number[] = []
    const peerRouting = {
      getClosestPeers: () => {
        walkedAt.push(passed)
        return nobody()
      }
    } as Pick<PeerRouting, 'getClosestPeers'> as PeerRouting // finds no peer here
    const tender = new DhtTender(
      { peerRouting, peerId: self, logger: defaultLogger() },
      { random: () => 0.5 }
    )
    tender.start()
    for (; passed < 40_000; passed += 500) {
      await vi.advanceTimersByTimeAsync(passed === 0 ? 0 : 500)
      await settle(self)
    }
    tender.stop()
    expect(walkedAt).toEqual([1_000, 2_000, 3_500, 5_000, 20_000, 35_000])
  })

  test('whose walks are cut off makes fewer and fewer of them: a swarm on slow machines must not be held up by them', async () => {
    const [self] = peers
    if (self === undefined) {
      throw new Error('there are peers')
    }
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(AbortSignal.abort())
    let walks = 0
    const peerRouting = {
      getClosestPeers: (_key: Uint8Array, { signal }: { signal: AbortSignal }) => {
        walks++
        signal.throwIfAborted()
        return nobody()
      }
    } as Pick<PeerRouting, 'getClosestPeers'> as PeerRouting // finds no peer here
    const tender = new DhtTender(
      { peerRouting, peerId: self, logger: defaultLogger() },
      { random: () => 0.5 }
    )
    tender.start()
    for (let ms = 0; ms < 3_600_000; ms += 5_000) {
      await vi.advanceTimersByTimeAsync(5_000)
      await settle(self)
    }
    tender.stop()
    timeout.mockRestore()
    expect(walks).toBeGreaterThan(10)
    expect(walks).toBeLessThan(20)
  })
})
