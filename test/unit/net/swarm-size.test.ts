import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { distanceOf, estimateSwarmSize } from '../../../src/net/index.ts'

const distance = fc.double({ min: 0, max: 1, noNaN: true })

test('whoever sees everybody counts them, and itself', () => {
  fc.assert(
    fc.property(fc.array(distance, { maxLength: 19 }), (distances) => {
      expect(estimateSwarmSize(distances)).toBe(distances.length + 1)
    })
  )
})

test('evenly spread keys give the number of them', () => {
  fc.assert(
    fc.property(fc.integer({ min: 25, max: 100_000 }), (size) => {
      const closest = Array.from({ length: 20 }, (_, i) => (i + 1) / size)
      expect(estimateSwarmSize(closest) / size).toBeCloseTo(19 / 20, 1)
    })
  )
})

test('never fewer than were seen, and not without bound', () => {
  fc.assert(
    fc.property(fc.array(distance, { maxLength: 40 }), (distances) => {
      const size = estimateSwarmSize(distances)
      expect(size).toBeGreaterThanOrEqual(Math.min(distances.length, 20) + 1)
      expect(Number.isFinite(size)).toBe(true)
    })
  )
})

test('of random peers the estimate is off by a quarter on average', async () => {
  const peers = await Promise.all(
    Array.from({ length: 400 }, async () => peerIdFromPrivateKey(await generateKeyPair('Ed25519')))
  )
  const errors = await Promise.all(
    peers.slice(0, 40).map(async (self) => {
      const others = peers.filter((peer) => peer !== self)
      const distances = await Promise.all(others.map((peer) => distanceOf(self, peer)))
      return Math.abs(estimateSwarmSize(distances.toSorted((a, b) => a - b).slice(0, 20)) / 400 - 1)
    })
  )
  expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeLessThan(0.35)
})

test('distance is symmetric, and none to itself', async () => {
  const [a, b] = await Promise.all(
    [0, 1].map(async () => peerIdFromPrivateKey(await generateKeyPair('Ed25519')))
  )
  if (a === undefined || b === undefined) {
    throw new Error('two ids were made')
  }
  expect(await distanceOf(a, b)).toBe(await distanceOf(b, a))
  expect(await distanceOf(a, a)).toBe(0)
})
