import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Engine } from '../../../src/compute/index.ts'
import { SESSIONS_MAX } from '../../../src/jobs/constants.ts'
import { Provider } from '../../../src/jobs/index.ts'
import { ticker } from '../../../src/net/index.ts'
import { kernelHash, skillByName } from '../../../src/skills/index.ts'
import type { PeerIdString } from '../../../src/wire/index.ts'
import { type HostilePeer, SKILL } from '../../fixtures/hostile-peer.ts'
import { NodeHouse } from '../../fixtures/node-house.ts'

// Places at a provider are few, and a name and an escrow of 1 µcr cost nothing.

let house: NodeHouse
let host: HostilePeer
let stranger: HostilePeer
let friend: HostilePeer
let provider: Provider
const friends = new Set<PeerIdString>()

beforeAll(async () => {
  house = await NodeHouse.open()
  ;[host, stranger, friend] = await Promise.all([house.hostile(), house.hostile(), house.hostile()])
  friends.add(friend.peer)
  const { node, network, key, ledger } = host
  provider = new Provider({
    node,
    network,
    key,
    ledger,
    skills: new Map([[SKILL, skillByName(SKILL)]]),
    ticker,
    weightOf: (payer) => (friends.has(payer) ? 1 : 0),
    onChange: () => {}
  })
  provider.contribute({ concurrency: 1 } as Engine) // no unit comes
  await provider.start()
})
afterAll(async () => {
  await provider.stop()
  await house.close()
})

async function openStream(requester: HostilePeer, tClose?: number) {
  const { jobId, escrow } = await requester.openEscrow([host.peer], 1n, tClose)
  const stream = await requester.jobStream(host.peer)
  const kernel = await kernelHash(skillByName(SKILL))
  await stream.framed.send({ t: 'open', jobId, skill: SKILL, kernel, rate: 1_000, escrow, parts: [] })
  return stream
}

test('a stream ends when its escrow does, and none begins on it then', async () => {
  const { reader } = await openStream(stranger, Date.now() + 1_500)
  const frames = []
  try {
    for (let next = await reader.next(); next.done !== true; next = await reader.next()) {
      frames.push(next.value)
    }
  } catch (error) {
    expect(error).toMatchObject({ code: 'PEER_LEFT', details: { reason: 'escrow-closed' } })
  }
  expect(frames.length).toBe(1) // accepted; where opening took longer than the escrow lasts, refused
})

test('idle streams of one stranger in all places shut nobody out whom the provider owes something', async () => {
  const streams = []
  for (let i = 0; i < SESSIONS_MAX; i++) {
    const stream = await openStream(stranger)
    expect((await stream.reader.next()).value).toMatchObject({ t: 'accepted' })
    streams.push(stream)
  }
  for (let i = 0; i < 2; i++) {
    expect((await (await openStream(friend)).reader.next()).value).toMatchObject({ t: 'accepted' })
  }
  for (const { reader } of streams.slice(0, 2)) {
    await expect(reader.next()).rejects.toMatchObject({ code: 'PEER_LEFT', details: { reason: 'busy' } })
  }
})
