import { beforeAll, describe, expect, test } from 'vitest'
import { chunkHashes, partHash } from '../../../src/jobs/chunks.ts'
import { CHUNK_MAX, cidOf, encode, JOB_FRAME_MAX, UNITS_MAX } from '../../../src/wire/index.ts'
import { SKILL } from '../../fixtures/hostile-peer.ts'
import {
  chunkFrame,
  cut,
  honest,
  hostile,
  house,
  kernel,
  oneUnit,
  openJob,
  other,
  over,
  part,
  partFrame,
  provider,
  sendPart,
  setStage,
  unitFrame,
  untilCut
} from '../../fixtures/hostile-stage.ts'
import { statusOf } from '../../fixtures/node-house.ts'

// Whatever a requester sends: the provider lives, is free again, and serves the next honest job.

setStage()

/** One that says nothing; it has its time while the others have theirs. */
let silent: ReturnType<typeof untilCut>
beforeAll(async () => {
  silent = untilCut(await hostile.jobStream(provider.peer))
})

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
  test('a job stream that began with nothing was cut in time', async () => {
    expect((await silent).error).toEqual(cut)
  })

  test('the books of all balance', async () => {
    await Promise.all([hostile.settleAll(), other.settleAll()])
    const { debt } = await house.books([provider, honest, hostile, other])
    expect(debt).toBe(0n)
  })
})
