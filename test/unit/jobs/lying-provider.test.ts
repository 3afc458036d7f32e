import { generateKeyPair } from '@libp2p/crypto/keys'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { JobReceipt, Swarm } from '../../../src/index.ts'
import { framedStream, ticker } from '../../../src/net/index.ts'
import type { MatmulOutput } from '../../../src/skills/index.ts'
import { encode, JOB_FRAME_MAX, jobRequestFrame } from '../../../src/wire/index.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { type HostileJob, type HostilePeer, type Lie, SKILL } from '../../fixtures/hostile-peer.ts'
import { eventOf, isProduct, NodeHouse, product, statusOf } from '../../fixtures/node-house.ts'

// The liar is alone with the job until it has failed; only then the honest provider offers itself.

let house: NodeHouse
let requester: Swarm
let honest: Swarm
let liar: HostilePeer

beforeAll(async () => {
  house = await NodeHouse.open()
  ;[requester, honest, liar] = await Promise.all([house.swarm(), house.swarm(), house.hostile()])
  await liar.offer()
})
afterEach(async () => {
  await honest.pause()
  await eventually(() => {
    // who hires it nevertheless is refused, and leaves it alone for a while
    expect(requester.status.peers.find(({ peer }) => peer === honest.peer)?.skills).toEqual([])
  })
})
afterAll(() => house.close())

const input = product(48)
const OPTIONS = { units: 4, budget: 100n }

/** Walks a job into the lie and out of it. A liar gets nothing more of the job; one that was lost may come back. */
async function throughTheLie({ isLoss = false } = {}) {
  const before = requester.status.balance.settled
  const job = requester.submit<MatmulOutput>(SKILL, input, {
    ...OPTIONS,
    providers: [liar.peer, honest.peer]
  })
  const events = []
  for await (const event of job) {
    events.push(event)
    if (event.type === 'retried') {
      await honest.contribute()
    }
  }
  const { value, receipt } = await job.result
  const assigned = events.flatMap((event, at) => (event.type === 'assigned' ? [{ ...event, at }] : []))
  const cut = events.findIndex(({ type }) => type === 'retried')
  expect(isProduct(value, input)).toBe(true)
  expect(cut).toBeGreaterThan(0)
  const again = assigned.filter(({ provider, at }) => provider === liar.peer && at > cut)
  expect(isLoss ? [] : again).toEqual([])
  expect(receipt.paid).toBe(receipt.price)
  await house.books([requester, honest, liar])
  await statusOf(requester, ({ balance }) => balance.settled === before - receipt.paid)
  const reasons = events.flatMap((event) => (event.type === 'retried' ? [event.reason] : []))
  return { receipt, reasons }
}

const share = (receipt: JobReceipt, peer: string) =>
  receipt.providers.find((provider) => provider.peer === peer)

const zeros = (unit: Parameters<Lie>[1]) => new Uint8Array((unit.params[0] ?? 0) * (unit.params[2] ?? 0) * 4)
const prefixed = (length: number) => {
  const bytes = []
  for (let rest = length; ; rest >>>= 7) {
    if (rest <= 0x7f) {
      return Uint8Array.of(...bytes, rest)
    }
    bytes.push((rest & 0x7f) | 0x80)
  }
}
const frameOf = (value: unknown) => {
  const body = encode(value)
  return Uint8Array.of(...prefixed(body.byteLength), ...body)
}

type Case = [name: string, lie: Lie, reason: RegExp]

const LIES: Case[] = [
  ['a wrong result, properly signed', (job, unit) => job.answer(unit.index, zeros(unit)), /is wrong/],
  [
    'a result with one wrong byte',
    (job, unit) => {
      const bytes = job.compute(unit)
      bytes[7] = (bytes[7] ?? 0) ^ 1
      return job.answer(unit.index, bytes)
    },
    /is wrong/
  ],
  [
    'a result that is not the one it signed',
    (job, unit) => job.answer(unit.index, job.compute(unit), { hash: new Uint8Array(32) }),
    /does not match its hash/
  ],
  ['a result too short', (job, unit) => job.answer(unit.index, job.compute(unit).slice(4)), /wrong length/],
  [
    'a result too short that claims to be whole',
    (job, unit) => {
      const bytes = job.compute(unit)
      return job.answer(unit.index, bytes.slice(4), { size: bytes.byteLength })
    },
    /wrong length/
  ],
  [
    'a result too long',
    (job, unit) => job.answer(unit.index, new Uint8Array([...job.compute(unit), 0, 0, 0, 0])),
    /beyond the announced size/
  ],
  [
    'a result for a unit that it was not given',
    (job, unit) => job.answer(unit.index + 1, job.compute(unit)),
    /which it does not have/
  ],
  [
    'a unit index beyond all limits',
    (job, unit) => job.answer(2 ** 40, job.compute(unit)),
    /does not fit its schema: index/
  ],
  [
    'a signature for another unit',
    (job, unit) => job.answer(unit.index, job.compute(unit), { signedIndex: unit.index + 1 }),
    /signature/
  ],
  [
    'a signature of another key',
    async (job, unit) => job.answer(unit.index, job.compute(unit), { key: await generateKeyPair('Ed25519') }),
    /signature/
  ],
  [
    'a result without its bytes',
    (job, unit) =>
      job.send({
        t: 'result',
        index: unit.index,
        size: zeros(unit).byteLength,
        hash: new Uint8Array(32),
        signature: new Uint8Array(64)
      }),
    /wrong length/
  ],
  [
    'chunks with a gap',
    (job, unit) => job.send({ t: 'output', index: unit.index, offset: 8, bytes: job.compute(unit).slice(8) }),
    /out of order/
  ],
  ['garbage', (job) => void job.raw.send(Uint8Array.of(5, 0xff, 0xff, 0xff, 0xff, 0xff)), /not DAG-CBOR/],
  ['a frame beyond its limit', (job) => void job.raw.send(prefixed(JOB_FRAME_MAX + 1)), /exceeds its limit/],
  [
    'a length that is none',
    (job) => void job.raw.send(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff)),
    /too long to be one/
  ],
  ['an unknown kind of frame', (job) => void job.raw.send(frameOf({ t: 'result2', index: 0 })), /schema/],
  [
    'an unknown field',
    (job, unit) => void job.raw.send(frameOf({ t: 'progress', index: unit.index, permille: 5, v: 2 })),
    /schema/
  ],
  [
    'an acknowledgement of what was never sent',
    (job) => void job.raw.send(frameOf({ t: 'ack', bytes: 2 ** 40 })),
    /never sent/
  ]
]

/** No lies, but no work either. */
const LOSSES: Case[] = [
  [
    'a frame cut short',
    async (job) => {
      job.raw.send(frameOf({ t: 'progress', index: 0, permille: 5 }).subarray(0, 6))
      await job.raw.close()
    },
    /middle of a frame/
  ],
  ['a reset', (job) => job.raw.abort(new Error('reset')), /was reset/],
  ['an end without a goodbye', (job) => job.raw.close(), /without a goodbye/],
  ['a goodbye', (job) => job.framed.bye('paused'), /left \(paused\)/],
  [
    'a failure that it cannot mend',
    (job, unit) =>
      job.send({ t: 'failed', index: unit.index, code: 'BROKEN', message: '<b>no</b>', retryable: false }),
    /BROKEN: <b>no<\/b>/
  ],
  ['silence, without a sign of life', (job) => stopBeats(job), /No sign of life/]
]

/** As a process that was stopped: the connection stands, nothing comes any more. */
function stopBeats(job: HostileJob): void {
  job.raw.send = () => true
}

describe('a provider that answers a unit with', () => {
  test.each(LIES)('%s is paid nothing, and the job ends right elsewhere', async (_, lie, reason) => {
    await liar.lie(lie)
    const { receipt, reasons } = await throughTheLie()
    expect(reasons).toEqual([expect.stringMatching(reason)])
    expect(share(receipt, liar.peer)).toMatchObject({ units: 0, rejected: 1, paid: 0n })
    expect(share(receipt, honest.peer)).toMatchObject({ units: OPTIONS.units, paid: receipt.price })
  })

  test.each(LOSSES)('%s is paid nothing, and the job ends right elsewhere', async (_, lie, reason) => {
    await liar.lie(lie)
    const { receipt, reasons } = await throughTheLie({ isLoss: true })
    // on a slow machine it may have come back, and been lost again, before the honest one was there
    expect(new Set(reasons.map((each) => reason.test(each)))).toEqual(new Set([true]))
    expect(share(receipt, liar.peer)).toMatchObject({ units: 0, rejected: 0, paid: 0n })
    expect(share(receipt, honest.peer)).toMatchObject({ units: OPTIONS.units, paid: receipt.price })
  })
})

describe('a provider that is honest at first', () => {
  test('keeps what was verified before its lie, and nothing more', async () => {
    await liar.lie(
      (job, unit, count) => job.answer(unit.index, count < 2 ? job.compute(unit) : zeros(unit)),
      1
    )
    const { receipt } = await throughTheLie()
    const { units = 0, rejected, paid } = share(receipt, liar.peer) ?? {}
    // the second right one may still be compared when the lie is found
    expect([1, 2]).toContain(units)
    expect({ rejected, paid }).toEqual({ rejected: 1, paid: BigInt(units) })
    expect(share(receipt, honest.peer)?.paid).toBe(receipt.price - BigInt(units))
  })

  test('and answers each unit twice is paid for it once', async () => {
    await liar.lie(async (job, unit) => {
      const bytes = job.compute(unit)
      await job.answer(unit.index, bytes)
      await job.answer(unit.index, bytes)
    }, 4)
    await honest.contribute()
    const before = requester.status.balance.settled
    const job = requester.submit<MatmulOutput>(SKILL, input, {
      ...OPTIONS,
      providers: [liar.peer, honest.peer]
    })
    const { value, receipt } = await job.result
    expect(isProduct(value, input)).toBe(true)
    expect(receipt.providers.reduce((units, provider) => units + provider.units, 0)).toBe(OPTIONS.units)
    expect(receipt.paid).toBe(receipt.price)
    for (const { units, paid } of receipt.providers) {
      expect(paid).toBe(BigInt(units))
    }
    await house.books([requester, honest, liar])
    await statusOf(requester, ({ balance }) => balance.settled === before - receipt.paid)
  })
})

describe('a provider that is alone and', () => {
  /** The job fails by that code, and all that was locked is back. */
  async function failsWith(code: string, options: { deadlineMs?: number; providerWaitMs?: number }) {
    const before = requester.status.balance
    const job = requester.submit(SKILL, input, { ...OPTIONS, ...options, providers: [liar.peer] })
    await expect(job.result).rejects.toMatchObject({ code })
    expect(job.state).toBe('failed')
    await house.books([requester, honest, liar])
    await statusOf(requester, ({ balance }) => balance.settled === before.settled && balance.escrowed === 0n)
    return job
  }

  test('takes a unit and never answers it: the deadline ends the job, all is refunded', async () => {
    await liar.lie(() => {})
    const job = await failsWith('DEADLINE', { deadlineMs: 1_500 })
    const { receipt } = await eventOf(job, 'settled')
    expect(receipt).toMatchObject({ paid: 0n, refund: 4n })
  })

  test('never answers the opening of a job is left out of it', async () => {
    await liar.handleJobs((stream, connection) => {
      framedStream({
        stream,
        connection,
        peer: requester.peer,
        schema: jobRequestFrame,
        maxFrame: JOB_FRAME_MAX,
        ticker
      })
    })
    await failsWith('NO_PROVIDER', { providerWaitMs: 300 })
  })

  test('refuses is left out of it', async () => {
    await liar.handleJobs((raw) => {
      raw.send(frameOf({ t: 'refused', code: 'BUSY', message: 'no', retryAfterMs: 1 }))
    })
    await failsWith('NO_PROVIDER', { providerWaitMs: 300 })
  })
})
