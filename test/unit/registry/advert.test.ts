import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { describe, expect, test } from 'vitest'
import { openAdvert } from '../../../src/registry/advert.ts'
import { ADVERT_LIFETIME } from '../../../src/registry/constants.ts'
import { skillKey } from '../../../src/registry/keys.ts'
import { OwnAdvert } from '../../../src/registry/own-advert.ts'
import {
  ADVERT_SKILLS_MAX,
  DOMAINS,
  NETWORKS,
  networkOf,
  type PeerIdString,
  sign
} from '../../../src/wire/index.ts'

const NOW = 1_800_000_000_000
const key = await generateKeyPair('Ed25519')
const peer = peerIdFromPrivateKey(key).toString() as PeerIdString // made from an Ed25519 key in this line
const network = await networkOf(NETWORKS.local)
const main = await networkOf(NETWORKS.main)
const skill = { name: 'matmul-i8', version: '1.0.0', kernel: new Uint8Array(32), rate: 1000 }
const good = {
  v: 1,
  net: network.hash,
  peer,
  seq: 5,
  ts: NOW,
  expires: NOW + ADVERT_LIFETIME,
  skills: [skill],
  device: { backend: 'cpu', class: 'cpu-2', memory: 0 },
  load: 0,
  uptime: 1
}
const context = { from: peer, network, now: NOW, knownSeq: undefined }

describe('a signed advert', () => {
  test('of the asked peer, of this network, fresh: is taken', async () => {
    const opened = await openAdvert(await sign(key, DOMAINS.advert, good), context)
    expect(opened).toEqual(good)
  })

  test.each([
    ['expired', { ts: NOW - ADVERT_LIFETIME, expires: NOW }, 'STALE_ADVERT'],
    ['dated in the future', { ts: NOW + 121_000, expires: NOW + 130_000 }, 'BAD_ADVERT'],
    ['living too long', { expires: NOW + ADVERT_LIFETIME + 1 }, 'BAD_ADVERT'],
    ['of another network', { net: main.hash }, 'BAD_ADVERT'],
    ['naming a skill twice', { skills: [skill, skill] }, 'BAD_ADVERT'],
    ['with a flood of skills', { skills: Array(ADVERT_SKILLS_MAX + 1).fill(skill) }, 'MALFORMED'],
    ['of an unknown version', { v: 2 }, 'MALFORMED'],
    ['with an unknown field', { trust: 1 }, 'MALFORMED'],
    ['with a load above 100', { load: 101 }, 'MALFORMED'],
    ['with a fractional load', { load: 0.5 }, 'MALFORMED']
  ])('%s: is refused', async (_, change, code) => {
    const envelope = await sign(key, DOMAINS.advert, { ...good, ...change })
    await expect(openAdvert(envelope, context)).rejects.toMatchObject({ code })
  })

  test('that a node makes tells uptime in whole minutes, and memory in powers of two', async () => {
    const own = new OwnAdvert({ key, peer, network, lifetime: ADVERT_LIFETIME, now: () => NOW })
    const told = async (uptime: number, memory: number | undefined) => {
      const device = { backend: 'cpu' as const, class: 'cpu-2', ...(memory === undefined ? {} : { memory }) }
      own.offer = () => ({ skills: [skill], device, load: 0, uptime })
      const { uptime: said, device: shown } = await openAdvert(await own.signed(), context)
      return [said, shown.memory]
    }
    expect(await told(59, undefined)).toEqual([0, 0])
    expect(await told(60, 0)).toEqual([60, 0])
    expect(await told(86_399, 2 ** 30)).toEqual([86_340, 2 ** 30])
    expect(await told(61, 8_123_456_789)).toEqual([60, 2 ** 32])
  })

  test('replayed after a newer one: is refused', async () => {
    const envelope = await sign(key, DOMAINS.advert, good)
    await expect(openAdvert(envelope, { ...context, knownSeq: 6 })).rejects.toMatchObject({
      code: 'STALE_ADVERT'
    })
  })

  test('of another peer than the asked one: is refused', async () => {
    const other = peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString() as PeerIdString // as above
    const envelope = await sign(key, DOMAINS.advert, good)
    await expect(openAdvert(envelope, { ...context, from: other })).rejects.toMatchObject({
      code: 'BAD_ADVERT'
    })
  })

  test('signed for another purpose, or by another key: is refused', async () => {
    const asRecord = await sign(key, DOMAINS.record, good)
    await expect(openAdvert(asRecord, context)).rejects.toMatchObject({ code: 'BAD_SIGNATURE' })
    const forged = await sign(await generateKeyPair('Ed25519'), DOMAINS.advert, good)
    await expect(openAdvert(forged, context)).rejects.toMatchObject({ code: 'BAD_SIGNATURE' })
  })
})

test('a skill has another DHT key on another network', async () => {
  expect((await skillKey(network, 'a')).toString()).not.toBe((await skillKey(main, 'a')).toString())
  expect((await skillKey(network, 'a')).toString()).not.toBe((await skillKey(network, 'b')).toString())
})
