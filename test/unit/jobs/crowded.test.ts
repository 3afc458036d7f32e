import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createInlineEngine } from '../../../src/compute/index.ts'
import type { Ledger } from '../../../src/credit/index.ts'
import { SESSIONS_MAX } from '../../../src/jobs/constants.ts'
import { Provider } from '../../../src/jobs/index.ts'
import { ticker } from '../../../src/net/index.ts'
import { kernelHash, SKILLS, skillByName } from '../../../src/skills/index.ts'
import type { Milliseconds, PeerIdString } from '../../../src/wire/index.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { type HostilePeer, SKILL } from '../../fixtures/hostile-peer.ts'
import { chunkFrame, partFrame, unitFrame } from '../../fixtures/hostile-stage.ts'
import { NodeHouse } from '../../fixtures/node-house.ts'

// Places at a provider are few, and a name and an escrow of 1 µcr cost nothing.

const { ROOM } = vi.hoisted(() => ({ ROOM: 2 ** 16 }))
vi.mock('../../../src/jobs/constants.ts', async (original) => ({
  ...(await original<typeof import('../../../src/jobs/constants.ts')>()),
  KEPT_PART_BYTES: ROOM
}))

let house: NodeHouse
let host: HostilePeer
let stranger: HostilePeer
let friend: HostilePeer
let provider: Provider
const friends = new Set<PeerIdString>()
/** From any moment on. @default as the escrows say */
let closesIn: Milliseconds | undefined

beforeAll(async () => {
  house = await NodeHouse.open()
  ;[host, stranger, friend] = await Promise.all([house.hostile(), house.hostile(), house.hostile()])
  friends.add(friend.peer)
  const { node, network, key } = host
  const ledger: Ledger = Object.create(host.ledger, {
    earning: {
      async value(...escrow: Parameters<Ledger['earning']>) {
        const contract = await host.ledger.earning(...escrow)
        return contract && { ...contract, ...(closesIn !== undefined && { tClose: Date.now() + closesIn }) }
      }
    }
  })
  provider = new Provider({
    node,
    network,
    key,
    ledger,
    skills: SKILLS,
    ticker,
    finishWait: 100,
    weightOf: (payer) => (friends.has(payer) ? 1 : 0),
    onChange: () => {}
  })
  provider.contribute(await createInlineEngine(SKILLS, kernelHash))
  await provider.start()
})
afterAll(async () => {
  await provider.stop()
  await house.close()
})

async function openStream(requester: HostilePeer) {
  const { jobId, escrow } = await requester.openEscrow([host.peer], 1n)
  const stream = await requester.jobStream(host.peer)
  const kernel = await kernelHash(skillByName(SKILL))
  await stream.framed.send({ t: 'open', jobId, skill: SKILL, kernel, rate: 1_000, escrow, parts: [] })
  return stream
}

test('a stream ends when its escrow does, and none begins on it then', async () => {
  closesIn = 100
  const { reader } = await openStream(stranger)
  expect((await reader.next()).value).toMatchObject({ t: 'accepted' })
  await expect(reader.next()).rejects.toMatchObject({
    code: 'PEER_LEFT',
    details: { reason: 'escrow-closed' }
  })
  closesIn = 0
  expect((await (await openStream(stranger)).reader.next()).value).toMatchObject({ code: 'NO_ESCROW' })
  closesIn = undefined
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

test('who holds a receipt back, or half of a unit, does not keep a node from finishing', async () => {
  const [unpaid, half] = await Promise.all([openStream(friend), openStream(friend)])
  for (const { reader, framed } of [unpaid, half]) {
    expect((await reader.next()).value).toMatchObject({ t: 'accepted' })
    await framed.send(await partFrame())
    await framed.send(await chunkFrame())
  }
  await unpaid.framed.send(await unitFrame(0))
  await half.framed.send(await unitFrame(0, { bytes: new Uint8Array(1) }))
  for (let next = await unpaid.reader.next(); next.value?.t !== 'result'; next = await unpaid.reader.next()) {
    expect(next.done).toBe(false)
  }
  await eventually(() => expect(provider.served).toMatchObject({ running: 1, pending: 1n }))
  await provider.finish()
  await eventually(() => expect(provider.served).toMatchObject({ running: 0, pending: 0n }))
  expect((await half.reader.next()).value).toMatchObject({ t: 'failed', index: 0, code: 'BUSY' })
  for (const { reader } of [unpaid, half]) {
    await expect(reader.next()).rejects.toMatchObject({ code: 'PEER_LEFT', details: { reason: 'finished' } })
  }
})

test('inputs that a stranger announces and never sends keep nobody out whom the provider owes something', async () => {
  provider.contribute(await createInlineEngine(SKILLS, kernelHash)) // after the test before it is paused
  const [full, other] = await Promise.all([openStream(stranger), openStream(friend)])
  for (const { reader } of [full, other]) {
    expect((await reader.next()).value).toMatchObject({ t: 'accepted' })
  }
  await full.framed.send(await partFrame(new Uint8Array(ROOM)))
  await full.framed.send(await unitFrame(0))
  expect((await full.reader.next()).value).toMatchObject({ t: 'failed' }) // so the part has been announced
  await other.framed.send(await partFrame())
  await other.framed.send(await chunkFrame())
  await other.framed.send(await unitFrame(0))
  for (let next = await other.reader.next(); next.value?.t !== 'result'; next = await other.reader.next()) {
    expect(next.done).toBe(false)
  }
  await expect(full.reader.next()).rejects.toMatchObject({ code: 'PEER_LEFT', details: { reason: 'busy' } })
  other.raw.abort(new Error('done'))
})
