import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { describe, expect, test } from 'vitest'
import { chunkHashes, partHash } from '../../../src/jobs/chunks.ts'
import {
  DOMAINS,
  decode,
  encode,
  receipt as receiptSchema,
  SIGNED_PAYLOAD_MAX,
  type Signed,
  sign
} from '../../../src/wire/index.ts'
import {
  chunkFrame,
  cut,
  honest,
  hostile,
  house,
  type OpenJob,
  oneUnit,
  openJob,
  other,
  over,
  partFrame,
  provider,
  sendPart,
  setStage,
  settled,
  unitFrame,
  untilCut
} from '../../fixtures/hostile-stage.ts'
import { statusOf } from '../../fixtures/node-house.ts'

// Whatever a requester pays with, or does not: the provider has not been paid a wrong microcredit, and no work is free.

setStage()

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

describe('a requester that comes again on an escrow that it used before', () => {
  const receipted = async (job: OpenJob, amount: bigint) => {
    const receipt = await hostile.ledger.receipt(job.escrow, provider.peer, amount)
    await job.framed.send({ t: 'receipt', receipt })
    for (let next = await job.reader.next(); next.done !== true; next = await job.reader.next()) {
      if (next.value.t === 'window') {
        return next.value.window
      }
    }
    return 0
  }

  /** A further stream, once the one before is closed. */
  async function again(job: OpenJob): Promise<OpenJob> {
    await job.framed.close().catch(() => {}) // it may have been cut
    const stream = await hostile.jobStream(provider.peer)
    await stream.framed.send(job.opening)
    expect((await stream.reader.next()).value).toMatchObject({ t: 'accepted' })
    return sendPart({ ...job, ...stream })
  }

  /** How many units it gets that no receipt follows. */
  async function unpaid(job: OpenJob, from: number): Promise<number> {
    for (let index = from; ; index++) {
      try {
        await oneUnit(job, index)
      } catch {
        return index - from // cut
      }
    }
  }

  test('gets no unit beyond its window, nor beyond what the escrow pays, however often it comes', async () => {
    const poor = await sendPart(await openJob(1n))
    await oneUnit(poor)
    const more = await again(poor)
    await more.framed.send(await unitFrame(0))
    expect((await more.reader.next()).value).toMatchObject({ t: 'failed', code: 'BUDGET_TOO_SMALL' })
    await over(more)

    const rich = await sendPart(await openJob())
    await oneUnit(rich)
    const second = await again(rich)
    expect(await unpaid(second, 0)).toBe(0)
    await over(second)
  })

  test('has its receipts counted once: each is for what was delivered first', async () => {
    let job = await sendPart(await openJob())
    for (const index of [0, 1, 2]) {
      await oneUnit(job, index)
      await receipted(job, BigInt(index + 1))
    }
    job = await again(job)
    await oneUnit(job)
    expect(await receipted(job, 4n)).toBe(16)
    expect(await unpaid(job, 1)).toBe(16)
    job = await again(job)
    expect(await unpaid(job, 0)).toBe(0)
    await over(job)
  })

  test('gets no release for the stream alone: what it owes of the one before is owed', async () => {
    let job = await sendPart(await openJob())
    await oneUnit(job)
    await receipted(job, 1n)
    await oneUnit(job, 1)
    await oneUnit(job, 2)
    job = await again(job)
    await job.framed.send({ t: 'finish' })
    const frames: string[] = []
    const released = (async () => {
      for (let next = await job.reader.next(); next.done !== true; next = await job.reader.next()) {
        frames.push(next.value.t)
        if (next.value.t === 'released') {
          return
        }
      }
    })()
    await job.framed.send({
      t: 'receipt',
      receipt: await hostile.ledger.receipt(job.escrow, provider.peer, 2n)
    })
    await job.framed.send({
      t: 'receipt',
      receipt: await hostile.ledger.receipt(job.escrow, provider.peer, 3n)
    })
    await released
    expect(frames).toEqual(['window', 'window', 'released'])
    await over(job)
  })
})

describe('a requester that ends its job', () => {
  /** The next frame of that kind. */
  async function next(job: OpenJob, kind: string) {
    for (;;) {
      const { value } = await job.reader.next()
      if (value?.t === kind) {
        return value
      }
    }
  }

  test('gets no release below what was delivered: not before it is receipted', async () => {
    const job = await sendPart(await openJob())
    await oneUnit(job)
    await job.framed.send({ t: 'finish' })
    const released = next(job, 'released')
    const isReleased = await Promise.race([
      released.then(() => true),
      statusOf(provider, ({ balance }) => balance.pending === 1n).then(() => false)
    ])
    expect(isReleased).toBe(false)
    const receipt = await hostile.ledger.receipt(job.escrow, provider.peer, 1n)
    await job.framed.send({ t: 'receipt', receipt })
    expect((await released).t).toBe('released')
    await over(job)
  })

  test('gets it at once where nothing was delivered, and what was in work is dropped', async () => {
    const job = await sendPart(await openJob())
    const { hash } = await partFrame()
    const params = [8, 8, 8]
    // half of its input only: so it waits
    await job.framed.send({ t: 'unit', index: 5, params, parts: [hash], size: 64, bytes: new Uint8Array(32) })
    await job.framed.send({ t: 'finish' })
    expect(await next(job, 'failed')).toMatchObject({ index: 5, code: 'CANCELLED' })
    expect((await next(job, 'released')).t).toBe('released')
    await over(job)
  })

  test('by cancelling what it was sent pays for it none the less: its window stays shut', async () => {
    const job = await sendPart(await openJob())
    await oneUnit(job, 0)
    await job.framed.send({ t: 'cancel', index: 0 })
    await job.framed.send(await unitFrame(1))
    const { frames, error } = await untilCut(job)
    expect(frames).toEqual([])
    expect(error).toEqual(cut)
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

describe('afterwards', () => {
  test('the books of all balance', async () => {
    await Promise.all([hostile.settleAll(), other.settleAll()])
    const { debt } = await house.books([provider, honest, hostile, other])
    expect(debt).toBe(0n)
  })
})
