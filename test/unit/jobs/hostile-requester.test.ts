import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Swarm } from '../../../src/index.ts'
import { chunkHashes, partHash } from '../../../src/jobs/chunks.ts'
import { kernelHash, type MatmulOutput, skillByName } from '../../../src/skills/index.ts'
import {
  CHUNK_MAX,
  cidOf,
  DOMAINS,
  decode,
  encode,
  JOB_FRAME_MAX,
  type PeerIdString,
  receipt as receiptSchema,
  record,
  SIGNED_PAYLOAD_MAX,
  type Signed,
  sign,
  UNITS_MAX
} from '../../../src/wire/index.ts'
import { type HostilePeer, SKILL } from '../../fixtures/hostile-peer.ts'
import { isProduct, NodeHouse, product, statusOf } from '../../fixtures/node-house.ts'

// Whatever a requester does: the provider lives, is free again, has not been paid a wrong microcredit, and
// serves the next honest job.

let house: NodeHouse
let provider: Swarm
let honest: Swarm
let hostile: HostilePeer
let other: HostilePeer
let kernel: Uint8Array

beforeAll(async () => {
  house = await NodeHouse.open()
  ;[provider, honest, hostile, other] = await Promise.all([
    house.provider(),
    house.swarm(),
    house.hostile(),
    house.hostile()
  ])
  kernel = await kernelHash(skillByName(SKILL))
})
afterAll(() => house.close())

const input = product(32)

afterEach(async () => {
  await statusOf(provider, ({ work, balance }) => work.running === 0 && balance.pending === 0n)
  const job = honest.submit<MatmulOutput>(SKILL, input, { units: 2, providers: [provider.peer] })
  const { value, receipt } = await job.result
  expect(isProduct(value, input)).toBe(true)
  expect(receipt.paid).toBe(2n)
}, 20_000)

const SIDE = 8
/** A unit of 8 × 8 × 8: its rows come with it. */
const part = Uint8Array.from({ length: SIDE * SIDE }, (_, i) => i)
const rows = new Uint8Array(SIDE * SIDE).fill(1)

async function unitFrame(index: number, change: object = {}) {
  const hash = await partHash(await chunkHashes(part))
  return {
    t: 'unit',
    index,
    params: [SIDE, SIDE, SIDE],
    parts: [hash],
    size: rows.length,
    bytes: rows,
    ...change
  }
}

/** Announces a part. */
async function partFrame(bytes = part, change: object = {}) {
  const chunks = await chunkHashes(bytes)
  return { t: 'part', hash: await partHash(chunks), size: bytes.length, chunks, ...change }
}

async function chunkFrame(bytes = part, change: object = {}) {
  return { t: 'chunk', hash: await partHash(await chunkHashes(bytes)), offset: 0, bytes, ...change }
}

/** A job stream that the provider has accepted, on a true escrow. */
async function openJob(max = 100n, payees: readonly PeerIdString[] = [provider.peer]) {
  const contract = await hostile.openEscrow(payees, max)
  const stream = await hostile.jobStream(provider.peer)
  const opening = {
    t: 'open',
    jobId: contract.jobId,
    skill: SKILL,
    kernel,
    rate: 1_000,
    escrow: contract.escrow,
    parts: []
  }
  await stream.framed.send(opening)
  const { value } = await stream.reader.next()
  expect(value).toEqual({ t: 'accepted', window: 1, slots: expect.any(Number), load: 0, have: [] })
  return { ...contract, ...stream, opening }
}

type OpenJob = Awaited<ReturnType<typeof openJob>>

/** Reads until the provider ends the stream; what it said before. */
async function untilCut({ reader }: Pick<OpenJob, 'reader'>) {
  const frames = []
  try {
    for (let next = await reader.next(); next.done !== true; next = await reader.next()) {
      frames.push(next.value)
    }
  } catch (error) {
    return { frames, error }
  }
  return { frames, error: undefined }
}

const cut = expect.objectContaining({ code: 'PEER_LOST' })

/** One unit, computed: what is owed for it is 1 µcr. */
async function oneUnit(job: OpenJob, index = 0) {
  await job.framed.send(await unitFrame(index))
  for (;;) {
    const { value } = await job.reader.next()
    if (value?.t === 'result' && value.index === index) {
      return
    }
  }
}

async function over(job: OpenJob): Promise<void> {
  await job.framed.close()
  await hostile.settleAll()
}

/** The provider's balance by its chain, which no event can be late for. */
async function settled(): Promise<bigint> {
  const { records } = await provider.exportLedger()
  const last = records.at(-1)
  return last === undefined ? 0n : decode(last.payload, record, SIGNED_PAYLOAD_MAX).bal
}

describe('a job stream that begins with', () => {
  const random = () => cidOf(encode(Math.random().toString()))
  test.each<[string, Uint8Array]>([
    ['garbage', Uint8Array.of(5, 0xff, 0xff, 0xff, 0xff, 0xff)],
    ['a frame beyond its limit', Uint8Array.of(0xff, 0xff, 0xff, 0x7f)],
    ['a length that is none', Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff)],
    ['an empty frame', Uint8Array.of(0)],
    ['half a frame', Uint8Array.of(40, 0xa6, 0x61)],
    ['an unknown kind of frame', Uint8Array.of(8, ...encode({ t: 'exec' }))],
    ['a unit', Uint8Array.of(14, ...encode({ t: 'cancel', index: 0 }).subarray(0, 14))]
  ])('%s is cut', async (_, bytes) => {
    const raw = await hostile.rawJobStream(provider.peer)
    const closed = new Promise((resolve) => raw.addEventListener('close', resolve, { once: true }))
    raw.send(bytes)
    if (bytes.length === 3) {
      await raw.close()
    }
    await closed
    expect(raw.status).not.toBe('open')
  })

  test('nothing is cut in time', async () => {
    const stream = await hostile.jobStream(provider.peer)
    expect((await untilCut(stream)).error).toEqual(cut)
  })

  test.each<[string, (job: { jobId: Uint8Array; escrow: unknown }) => object | Promise<object>]>([
    ['UNKNOWN_SKILL', () => ({ skill: 'teleport' })],
    ['UNKNOWN_SKILL', () => ({ skill: 'constructor' })],
    ['OTHER_KERNEL', () => ({ kernel: new Uint8Array(32) })],
    ['NO_ESCROW', async () => ({ escrow: await random() })],
    ['NO_ESCROW', async () => ({ escrow: (await other.openEscrow([provider.peer])).escrow })],
    ['PRICE', () => ({ rate: 999 })],
    ['OTHER_JOB', () => ({ jobId: new Uint8Array(16) })]
  ])('an opening that names what is not is refused: %s', async (code, change) => {
    const contract = await hostile.openEscrow([provider.peer])
    const { jobId, escrow } = contract
    const stream = await hostile.jobStream(provider.peer)
    const opening = { t: 'open', jobId, skill: SKILL, kernel, rate: 1_000, escrow, parts: [] }
    await stream.framed.send({ ...opening, ...(await change(contract)) })
    const { frames, error } = await untilCut(stream)
    expect(frames).toMatchObject([{ t: 'refused', code }])
    expect(error).toBeUndefined()
  })

  test('an escrow that it uses already is refused until the stream is closed', async () => {
    const job = await openJob()
    const second = await hostile.jobStream(provider.peer)
    await second.framed.send(job.opening)
    expect((await untilCut(second)).frames).toMatchObject([{ t: 'refused', code: 'BUSY' }])
    await oneUnit(await sendPart(job))
    await job.framed.close()
    const third = await hostile.jobStream(provider.peer)
    await third.framed.send(job.opening)
    expect((await third.reader.next()).value).toMatchObject({ t: 'accepted' })
    await over({ ...job, ...third })
  })
})

async function sendPart(job: OpenJob): Promise<OpenJob> {
  await job.framed.send(await partFrame())
  await job.framed.send(await chunkFrame())
  return job
}

describe('a requester with an open job that sends', () => {
  test.each<[string, () => object | Promise<object>]>([
    ['a unit index beyond the limit', () => unitFrame(UNITS_MAX)],
    ['a negative unit index', () => unitFrame(-1)],
    ['a fraction for a parameter', () => unitFrame(0, { params: [8, 8, 0.5] })],
    ['more parameters than there may be', () => unitFrame(0, { params: new Array(65).fill(1) })],
    ['a unit that is larger than units may be', () => unitFrame(0, { size: 2 ** 30 })],
    ['more bytes than it said', () => unitFrame(0, { bytes: new Uint8Array(65) })],
    ['an unknown field', () => unitFrame(0, { priority: 9 })],
    ['a part whose chunks do not make its hash', () => partFrame(part, { hash: new Uint8Array(32) })],
    ['a part of more bytes than its chunks hold', () => partFrame(part, { size: CHUNK_MAX + 1 })],
    ['a part larger than parts may be', () => partFrame(part, { size: 2 ** 40 })],
    ['a part without chunks', () => partFrame(part, { chunks: [] })],
    ['a chunk of a part that it did not announce', () => chunkFrame(new Uint8Array(9))],
    [
      'a second opening',
      () => ({ t: 'open', jobId: new Uint8Array(16), skill: SKILL, kernel, rate: 1_000, escrow: other })
    ],
    [
      'a receipt that is none',
      () => ({ t: 'receipt', receipt: { payload: new Uint8Array(9), signature: new Uint8Array(64) } })
    ],
    ['an unknown kind of frame', () => ({ t: 'exec', code: 'x' })],
    ['a frame beyond its limit', () => ({ t: 'exec', code: new Uint8Array(JOB_FRAME_MAX) })]
  ])('%s is cut', async (_, frame) => {
    const job = await openJob()
    const made = await frame()
    await sendPart(job)
    await job.framed.send('escrow' in made ? job.opening : made)
    const { frames, error } = await untilCut(job)
    expect(frames.filter(({ t }) => t === 'result')).toEqual([])
    expect(error).toEqual(cut)
    await over(job)
  })

  const announced = new Uint8Array(2 * CHUNK_MAX).fill(7)
  test.each<[string, object]>([
    [
      'a flipped bit',
      { bytes: announced.slice(0, CHUNK_MAX).map((byte, at) => (at === 99 ? byte ^ 1 : byte)) }
    ],
    ['a gap', { offset: CHUNK_MAX, bytes: announced.subarray(CHUNK_MAX) }],
    ['half a chunk', { bytes: announced.subarray(0, CHUNK_MAX / 2) }]
  ])('the first of two chunks with %s is cut before the second comes', async (_, change) => {
    const job = await openJob()
    await job.framed.send(await partFrame(announced))
    await job.framed.send(
      await chunkFrame(announced.subarray(0, CHUNK_MAX), {
        hash: await partHash(await chunkHashes(announced)),
        ...change
      })
    )
    expect((await untilCut(job)).error).toEqual(cut)
    await over(job)
  })

  test.each<[string, string, () => object | Promise<object>]>([
    ['a part that it did not send', 'PROTOCOL', () => unitFrame(0, { parts: [new Uint8Array(32)] })],
    ['no part', 'BAD_UNIT', () => unitFrame(0, { parts: [] })],
    ['sizes that do not fit', 'BAD_UNIT', () => unitFrame(0, { params: [8, 8, 9] })],
    ['a size of zero', 'BAD_UNIT', () => unitFrame(0, { params: [8, 0, 8] })],
    ['a negative size', 'BAD_UNIT', () => unitFrame(0, { params: [8, -8, 8] })],
    ['huge sizes', 'BAD_UNIT', () => unitFrame(0, { params: [4_096, 4_096, 4_096] })],
    ['too few parameters', 'BAD_UNIT', () => unitFrame(0, { params: [8] })]
  ])('a unit with %s is told %s, and may go on', async (_, code, frame) => {
    const job = await sendPart(await openJob())
    await job.framed.send(await frame())
    const { value } = await job.reader.next()
    expect(value).toMatchObject({ t: 'failed', index: 0, code })
    await oneUnit(job, 1)
    await over(job)
  })

  test('the same unit twice, or more than the window allows, is cut', async () => {
    for (const second of [0, 1]) {
      const job = await sendPart(await openJob())
      await Promise.all([job.framed.send(await unitFrame(0)), job.framed.send(await unitFrame(second))])
      expect((await untilCut(job)).error).toEqual(cut)
      await over(job)
    }
  })

  test('a second unit without a receipt for the first is cut', async () => {
    const job = await sendPart(await openJob())
    await oneUnit(job, 0)
    await job.framed.send(await unitFrame(1))
    expect((await untilCut(job)).error).toEqual(cut)
    await over(job)
  })
})

describe('a requester that pays with', () => {
  type Forged = (job: OpenJob, good: Signed) => Promise<Signed>
  const changed =
    (change: object, key?: () => Promise<PrivateKey>): Forged =>
    async (_, good) => {
      const body = decode(good.payload, receiptSchema, SIGNED_PAYLOAD_MAX)
      return sign((await key?.()) ?? hostile.key, DOMAINS.statement, { ...body, ...change })
    }

  test.each<[string, Forged]>([
    ["somebody else's signature", changed({}, () => generateKeyPair('Ed25519'))],
    [
      'a signature of another domain',
      async (_, good) => ({ ...good, signature: (await sign(hostile.key, DOMAINS.record, {})).signature })
    ],
    ['a receipt of zero', changed({ amount: 0n })],
    ['more than the channel holds', changed({ amount: 101n, pairTotal: 101n })],
    ['a pair total below the amount', changed({ amount: 5n, pairTotal: 1n })],
    ['a receipt to somebody else', async (job, good) => changed({ payee: other.peer })(job, good)],
    ["somebody else's name", async (job, good) => changed({ author: other.peer })(job, good)],
    ['the money of another network', changed({ net: new Uint8Array(32) })],
    ['an escrow that nobody knows', changed({ escrow: undefined })]
  ])('%s is cut, and nothing is earned', async (_, forge) => {
    const before = await settled()
    const job = await sendPart(await openJob())
    await oneUnit(job)
    const good = await hostile.ledger.receipt(job.escrow, provider.peer, 1n)
    const forged = await forge(job, good).catch(() => ({ ...good, payload: encode({}) }))
    await job.framed.send({ t: 'receipt', receipt: forged })
    expect((await untilCut(job)).error).toEqual(cut)
    await statusOf(provider, ({ balance }) => balance.verified === 0n)
    expect(await settled()).toBe(before)
    await over(job)
  })

  test('the same receipt again is cut, and earns once', async () => {
    const before = await settled()
    const job = await sendPart(await openJob())
    await oneUnit(job, 0)
    const good = await hostile.ledger.receipt(job.escrow, provider.peer, 1n)
    await job.framed.send({ t: 'receipt', receipt: good })
    expect((await job.reader.next()).value).toMatchObject({ t: 'window', window: 2 })
    await job.framed.send({ t: 'receipt', receipt: good })
    expect((await untilCut(job)).error).toEqual(cut)
    await over(job)
    expect(await settled()).toBe(before + 1n)
  })

  test('a receipt on another escrow of his is cut', async () => {
    const elsewhere = await hostile.openEscrow([provider.peer], 10n)
    const job = await sendPart(await openJob())
    await oneUnit(job, 0)
    await job.framed.send({
      t: 'receipt',
      receipt: await hostile.ledger.receipt(elsewhere.escrow, provider.peer, 1n)
    })
    expect((await untilCut(job)).error).toEqual(cut)
    await over(job)
  })

  test('crumbs gets no wider window', async () => {
    const job = await openJob()
    const big = new Uint8Array(128 * 128)
    await job.framed.send(await partFrame(big))
    await job.framed.send(await chunkFrame(big))
    await job.framed.send(
      await unitFrame(0, {
        params: [128, 128, 128],
        parts: [await partHash(await chunkHashes(big))],
        size: big.length,
        bytes: big
      })
    )
    for (let next = await job.reader.next(); next.value?.t !== 'result'; next = await job.reader.next()) {
      expect(next.done).toBe(false)
    }
    for (const amount of [1n, 2n, 3n, 4n]) {
      await job.framed.send({
        t: 'receipt',
        receipt: await hostile.ledger.receipt(job.escrow, provider.peer, amount)
      })
      expect((await job.reader.next()).value).toMatchObject({ t: 'window', window: 1 })
    }
    await job.framed.send({
      t: 'receipt',
      receipt: await hostile.ledger.receipt(job.escrow, provider.peer, 5n)
    })
    expect((await job.reader.next()).value).toMatchObject({ t: 'window', window: 2 })
    await over(job)
  })
})

describe('a certificate that', () => {
  /** A settled escrow of the hostile peer that pays the other one. */
  async function certificate() {
    const { escrow } = await hostile.openEscrow([other.peer], 10n)
    await hostile.ledger.receipt(escrow, other.peer, 3n)
    await hostile.settleAll()
    const answer = await other.tell(hostile.peer, { t: 'settled', escrow })
    if (answer.t !== 'certificate') {
      throw new Error(`expected a certificate, got ${answer.t}`)
    }
    if (answer.certificate.kind !== 'settle') {
      throw new Error(`expected a settle, got a ${answer.certificate.kind}`)
    }
    return answer.certificate
  }

  test('pays somebody else, or nobody, is refused by a code and adds no record', async () => {
    const paid = await certificate()
    const before = await settled()
    for (const index of [0, 1, 63, Number.MAX_SAFE_INTEGER]) {
      const told = await hostile.tell(provider.peer, { t: 'paid', certificate: paid, index })
      expect(told).toMatchObject({ t: 'refused', code: 'BAD_CERTIFICATE' })
    }
    expect(await settled()).toBe(before)
  })

  test('joins an escrow with the settle of another is refused', async () => {
    const [first, second] = [await certificate(), await certificate()]
    const mixed = { ...first, settle: second.settle }
    const told = await hostile.tell(provider.peer, { t: 'paid', certificate: mixed, index: 0 })
    expect(told).toMatchObject({ t: 'refused', code: 'BAD_CERTIFICATE' })
  })
})

describe('requesters that vanish', () => {
  test('in the middle of a job leave nothing behind, more of them than there is room for', async () => {
    for (let i = 0; i < 40; i++) {
      const job = await sendPart(await openJob())
      await job.framed.send(await unitFrame(0))
      job.raw.abort(new Error('gone'))
    }
    await hostile.settleAll()
  })

  test('with their whole node are paid for by nobody', async () => {
    const short = await house.hostile()
    const contract = await short.openEscrow([provider.peer], 10n)
    const stream = await short.jobStream(provider.peer)
    await stream.framed.send({
      t: 'open',
      jobId: contract.jobId,
      skill: SKILL,
      kernel,
      rate: 1_000,
      escrow: contract.escrow,
      parts: []
    })
    await stream.framed.send(await partFrame())
    await stream.framed.send(await chunkFrame())
    await stream.framed.send(await unitFrame(0))
    await stream.reader.next()
    await short.stop()
    await statusOf(provider, ({ work, balance }) => work.running === 0 && balance.pending === 0n)
  })
})

describe('afterwards', () => {
  test('the books of all balance', async () => {
    await Promise.all([hostile.settleAll(), other.settleAll()])
    const { debt } = await house.books([provider, honest, hostile, other])
    expect(debt).toBe(0n)
  })
})
