import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Candidate, isEligible, PAPER_WEIGHTS, rank, utility } from '../../../src/router/index.ts'
import type { PeerIdString } from '../../../src/wire/index.ts'

const share = fc.double({ min: 0, max: 1, noNaN: true })
const candidate: fc.Arbitrary<Candidate> = fc.record({
  peer: fc.string().map((text) => text as PeerIdString), // ranking never reads into the id
  capable: fc.boolean(),
  fresh: fc.boolean(),
  affordable: fc.boolean(),
  setAside: fc.boolean(),
  load: share,
  latencyMs: fc.double({ min: 0, max: 2_000, noNaN: true }),
  trust: share
})

const idle: Candidate = {
  peer: 'a' as PeerIdString,
  capable: true,
  fresh: true,
  affordable: true,
  setAside: false,
  load: 0,
  latencyMs: 0,
  trust: 1
}

describe('utility (paper, equation 1)', () => {
  test.each([
    ['the ideal peer', idle, 1],
    ['half loaded', { ...idle, load: 0.5 }, 0.875],
    ['at d_max', { ...idle, latencyMs: 500 }, 0.8],
    ['beyond d_max', { ...idle, latencyMs: 5_000 }, 0.8],
    ['unknown to us', { ...idle, trust: 0.3 }, 0.86],
    ['incapable', { ...idle, capable: false }, 0.65],
    ['incapable, full, far and untrusted', { ...idle, capable: false, load: 1, latencyMs: 500, trust: 0 }, 0]
  ])('%s', (_, peer, expected) => {
    expect(utility(peer)).toBeCloseTo(expected, 12)
  })

  test('weights sum to one, so that the utility is a share', () => {
    expect(Object.values(PAPER_WEIGHTS).reduce((a, b) => a + b)).toBeCloseTo(1, 12)
    fc.assert(
      fc.property(candidate, (peer) => {
        expect(utility(peer)).toBeGreaterThanOrEqual(0)
        expect(utility(peer)).toBeLessThanOrEqual(1 + 1e-12)
      })
    )
  })

  test('grows with trust, falls with load and latency', () => {
    fc.assert(
      fc.property(candidate, share, (peer, better) => {
        expect(utility({ ...peer, trust: Math.max(peer.trust, better) })).toBeGreaterThanOrEqual(
          utility(peer)
        )
        expect(utility({ ...peer, load: Math.min(peer.load, better) })).toBeGreaterThanOrEqual(utility(peer))
        expect(utility({ ...peer, latencyMs: peer.latencyMs * better })).toBeGreaterThanOrEqual(utility(peer))
      })
    )
  })
})

describe('rank', () => {
  test('never names a peer that cannot, may not or should not do the work', () => {
    fc.assert(
      fc.property(fc.array(candidate), (peers) => {
        const ranked = rank(peers, Math.random)
        expect(ranked.every(isEligible)).toBe(true)
        expect(ranked).toHaveLength(peers.filter(isEligible).length)
      })
    )
  })

  test('puts the better utility first', () => {
    fc.assert(
      fc.property(fc.array(candidate), (peers) => {
        const scores = rank(peers, Math.random).map((peer) => utility(peer))
        expect(scores).toEqual([...scores].sort((a, b) => b - a))
      })
    )
  })

  test('an incapable peer loses even where equation 1 alone would choose it', () => {
    const incapable = { ...idle, peer: 'x' as PeerIdString, capable: false }
    const capable = { ...idle, load: 1, latencyMs: 500, trust: 0 }
    expect(utility(incapable)).toBeGreaterThan(utility(capable))
    expect(rank([incapable, capable], Math.random)).toEqual([capable])
  })

  test('breaks ties by the given randomness', () => {
    const other = { ...idle, peer: 'b' as PeerIdString }
    const draws = [0.9, 0.1]
    expect(rank([idle, other], () => draws.shift() ?? 0).map(({ peer }) => peer)).toEqual(['b', 'a'])
  })
})
