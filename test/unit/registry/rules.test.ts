import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FloodGate } from '../../../src/net/index.ts'
import { CACHE_MAX } from '../../../src/registry/constants.ts'
import { type Constraints, offers } from '../../../src/registry/constraints.ts'
import { HeardAdverts } from '../../../src/registry/heard.ts'
import { SetAside, timeAside } from '../../../src/registry/set-aside.ts'
import type { Advert, PeerIdString } from '../../../src/wire/index.ts'

const NOW = 1_800_000_000_000
const PEER = peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString() as PeerIdString // of Ed25519

const advertOf = (change: Partial<Advert> = {}): Advert => ({
  v: 1,
  net: new Uint8Array(32),
  peer: PEER,
  seq: 1,
  ts: NOW,
  expires: NOW + 180_000,
  skills: [{ name: 'sort', version: '1.2.0', kernel: new Uint8Array(32).fill(7), rate: 900 }],
  device: { backend: 'webgpu', class: 'webgpu-nvidia', memory: 2 ** 27 },
  load: 20,
  uptime: 3,
  ...change
})

describe('constraints', () => {
  test.each<[string, Constraints, boolean]>([
    ['none', {}, true],
    ['its kernel', { kernel: new Uint8Array(32).fill(7) }, true],
    ['another kernel', { kernel: new Uint8Array(32) }, false],
    ['its version', { version: '1.2.0' }, true],
    ['another version', { version: '1.2.1' }, false],
    ['a price above its own', { priceMax: 900 }, true],
    ['a price below its own', { priceMax: 899 }, false],
    ['its backend', { backend: 'webgpu' }, true],
    ['the other backend', { backend: 'cpu' }, false],
    ['its device class', { deviceClass: 'webgpu-nvidia' }, true],
    ['another device class', { deviceClass: 'webgpu-amd' }, false],
    ['as much memory as it has', { memoryMin: 2 ** 27 }, true],
    ['more memory than it has', { memoryMin: 2 ** 27 + 1 }, false],
    ['all that fit and one that does not', { backend: 'webgpu', version: '1.2.0', priceMax: 1 }, false]
  ])('%s', (_, constraints, isOffered) => {
    expect(offers(advertOf(), 'sort', constraints)).toBe(isOffered)
    expect(offers(advertOf(), 'other', constraints)).toBe(false)
  })

  test('are of one skill: two skills do not make one that fits', () => {
    const [sort] = advertOf().skills
    const skills = sort === undefined ? [] : [sort, { ...sort, name: 'cheap', rate: 1 }]
    expect(offers(advertOf({ skills }), 'sort', { priceMax: 1 })).toBe(false)
  })

  test('a device that does not say its memory has none to count on', () => {
    const device = { backend: 'cpu' as const, class: 'cpu-2', memory: 0 }
    expect(offers(advertOf({ device }), 'sort', { memoryMin: 1 })).toBe(false)
  })
})

describe('a peer that does not answer', () => {
  test('is left alone for longer each time, to a bound, and less long while it is connected', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), (failures) => {
        expect(timeAside(failures + 1, false)).toBeGreaterThanOrEqual(timeAside(failures, false))
        expect(timeAside(failures, true)).toBeLessThan(timeAside(failures, false))
        expect(timeAside(failures, false)).toBeLessThanOrEqual(15 * 60_000)
      })
    )
    expect([1, 2, 3].map((failures) => timeAside(failures, false))).toEqual([30_000, 60_000, 120_000])
  })

  test('is asked again when its time is over, and all is forgiven once it has answered', () => {
    const aside = new SetAside()
    aside.add('a', false, NOW)
    expect([aside.has('a', NOW + 29_999), aside.has('a', NOW + 30_000)]).toEqual([true, false])
    aside.add('a', false, NOW + 30_000)
    expect(aside.has('a', NOW + 89_999)).toBe(true)
    aside.delete('a')
    aside.add('a', false, NOW)
    expect(aside.has('a', NOW + 30_000)).toBe(false)
  })

  test('may be asked at once when it connects; if it fails again it waits longer than before', () => {
    const aside = new SetAside()
    aside.add('a', false, NOW)
    aside.retry('a')
    expect(aside.has('a', NOW)).toBe(false)
    aside.add('a', false, NOW)
    expect(aside.has('a', NOW + 59_999)).toBe(true)
  })

  test('and ten thousand like it are not all remembered', () => {
    const aside = new SetAside()
    for (let i = 0; i < 10_000; i++) {
      aside.add(`${i}`, false, NOW)
    }
    expect(aside.has('0', NOW)).toBe(false)
    expect(aside.has('9999', NOW)).toBe(true)
  })
})

describe('adverts told unasked', () => {
  const gate = () => new FloodGate({ burst: 10, perSecond: 1 }, { burst: 100, perSecond: 50 })

  test('of one peer: no more than a burst and then its rate', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(500), { minLength: 1, maxLength: 300 }), (gaps) => {
        const one = gate()
        let now = NOW
        const admitted = gaps.filter((gap) => {
          now += gap
          return one.admits('a', now)
        }).length
        expect(admitted).toBeLessThanOrEqual(10 + (now - NOW) / 1_000)
        expect(admitted).toBeGreaterThanOrEqual(Math.min(gaps.length, 10))
      })
    )
  })

  test('of many peers together: no more than a burst and then the rate of all', () => {
    const one = gate()
    const admitted = Array.from({ length: 5_000 }, (_, i) => one.admits(`${i}`, NOW + i)).filter(Boolean)
    expect(admitted.length).toBeLessThanOrEqual(100 + 50 * 5)
    expect(admitted.length).toBeGreaterThan(300)
  })

  test('a peer that floods takes nothing from the others', () => {
    const one = gate()
    for (let i = 0; i < 10_000; i++) {
      one.admits('flood', NOW)
    }
    expect(one.admits('honest', NOW)).toBe(true)
  })
})

describe('what was heard', () => {
  const heardAt = (now: { at: number }) => new HeardAdverts(() => now.at)

  test('is kept until it expires', () => {
    const now = { at: NOW }
    const heard = heardAt(now)
    heard.set(advertOf(), { latencyMs: 5, isAsked: true })
    now.at = NOW + 179_999
    expect([...heard].map(({ advert }) => advert.peer)).toEqual([PEER])
    now.at = NOW + 180_000
    expect(heard.get(PEER)).toBeUndefined()
    expect([...heard]).toEqual([])
  })

  test('takes a newer load from elsewhere, with its time, and no older one', () => {
    const now = { at: NOW }
    const heard = heardAt(now)
    heard.set(advertOf(), { latencyMs: 5, isAsked: true })
    heard.learnLoad(PEER, 70, NOW + 1_000)
    expect(heard.get(PEER)).toMatchObject({ advert: { load: 70 }, loadAt: NOW + 1_000, at: NOW })
    heard.learnLoad(PEER, 10, NOW + 500)
    expect(heard.get(PEER)).toMatchObject({ advert: { load: 70 }, loadAt: NOW + 1_000 })
    heard.learnLoad(PEER, 1e9, NOW + 2_000)
    expect(heard.get(PEER)?.advert.load).toBe(100)
    now.at = NOW + 3_000
    heard.set(advertOf({ seq: 2, load: 5 }), { latencyMs: 5, isAsked: true })
    expect(heard.get(PEER)).toMatchObject({ advert: { load: 5 }, loadAt: NOW + 3_000 })
  })

  test('of a peer that is not known, a load is nothing', () => {
    const heard = heardAt({ at: NOW })
    heard.learnLoad(PEER, 70, NOW)
    expect([...heard]).toEqual([])
  })

  test('is bounded, and strangers who tell cannot push out those who were asked', () => {
    const heard = heardAt({ at: NOW })
    const stranger = (i: number) => `stranger-${i}` as PeerIdString // never read into
    heard.set(advertOf(), { latencyMs: 5, isAsked: true })
    for (let i = 0; i < CACHE_MAX * 2; i++) {
      heard.set(advertOf({ peer: stranger(i) }), { latencyMs: 5, isAsked: false })
    }
    expect([...heard]).toHaveLength(CACHE_MAX)
    expect(heard.get(PEER)).toBeDefined()
    expect(heard.get(stranger(0))).toBeUndefined()
  })
})
