import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JobEvent, SubmitOptions, Swarm } from '../../../src/index.ts'
import type { MatmulOutput } from '../../../src/skills/index.ts'
import { type HostilePeer, SKILL } from '../../fixtures/hostile-peer.ts'
import { eventOf, eventsOf, isProduct, NodeHouse, product, statusOf } from '../../fixtures/node-house.ts'

// Every way in which a job is refused or ends early: a typed error, and to the microcredit what it cost.

let house: NodeHouse
let requester: Swarm
let provider: Swarm
/** Answers some units of each job rightly, then no more. */
let slow: HostilePeer
let answered: number

beforeAll(async () => {
  house = await NodeHouse.open()
  ;[requester, provider, slow] = await Promise.all([house.swarm(), house.provider(), house.hostile()])
  await slow.offer()
  await slow.lie((job, unit, count) =>
    count < answered ? job.answer(unit.index, job.compute(unit)) : undefined
  )
})
afterAll(() => house.close())

const input = product(64)
const nobody = 'nobody' as unknown // what callers without types may pass

async function thrown(act: () => unknown): Promise<unknown> {
  try {
    await act()
  } catch (error) {
    return error
  }
  return undefined
}

describe('submit refuses at once', () => {
  test.each<[string, unknown]>([
    ['zero', 0n],
    ['a negative amount', -1n],
    ['a number', 5_000],
    ['NaN', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['a text', '5000'],
    ['null', null],
    ['more than any wire can carry', 2n ** 53n]
  ])('a budget of %s', async (_, budget) => {
    const options = { budget } as SubmitOptions // callers without types
    expect(await thrown(() => requester.submit(SKILL, input, options))).toMatchObject({ code: 'BAD_OPTION' })
  })

  test.each(['deadlineMs', 'providerWaitMs', 'units', 'maxProviders'] as const)('a bad %s', async (name) => {
    for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 40, '5', nobody, 5n]) {
      const options = { [name]: value } as SubmitOptions // callers without types
      expect(await thrown(() => requester.submit(SKILL, input, options))).toMatchObject({
        code: 'BAD_OPTION'
      })
    }
  })

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'a'],
    ['a matrix that is too short', { ...input, a: new Int8Array(3) }],
    ['a matrix of another type', { ...input, b: new Uint8Array(64 * 64) }],
    ['an array', { ...input, b: [1, 2, 3] }],
    ['no rows', { ...input, a: new Int8Array(0), m: 0 }],
    ['no inner side', { a: new Int8Array(0), b: new Int8Array(0), m: 4, k: 0, n: 4 }],
    ['a negative side', { ...input, n: -64 }],
    ['half a row', { ...input, m: 63.5 }],
    ['NaN', { ...input, m: Number.NaN }],
    ['a side beyond the limit', { a: new Int8Array(5_000), b: new Int8Array(1), m: 5_000, k: 1, n: 1 }],
    ['a field too many', { ...input, transpose: true }]
  ])('an input of %s', async (_, bad) => {
    expect(await thrown(() => requester.submit(SKILL, bad))).toMatchObject({ code: 'BAD_INPUT' })
  })

  test('a budget below the price, and says both', async () => {
    expect(await thrown(() => requester.submit(SKILL, input, { units: 4, budget: 3n }))).toMatchObject({
      code: 'BUDGET_TOO_SMALL',
      details: { price: '4', budget: '3' }
    })
  })

  test('a skill that nobody knows, and providers that are none', async () => {
    expect(await thrown(() => requester.submit('teleport', {}))).toMatchObject({ code: 'UNKNOWN_SKILL' })
    for (const providers of [nobody, ['nobody'], [7], []]) {
      const options = { providers } as SubmitOptions // callers without types
      expect(await thrown(() => requester.submit(SKILL, input, options))).toMatchObject({
        code: 'BAD_OPTION'
      })
    }
  })

  test('and leaves no trace', () => {
    expect(requester.jobs()).toEqual([])
    expect(requester.status.balance).toMatchObject({ settled: 10_000_000n, escrowed: 0n })
  })
})

/** Runs a job at the slow peer until it has verified what it will, ends it, and checks what it cost. */
async function endedEarly(options: SubmitOptions, end: (job: ReturnType<Swarm['submit']>) => unknown) {
  const before = requester.status.balance.settled
  const job = requester.submit(SKILL, input, { units: 8, providers: [slow.peer], ...options })
  const seen: JobEvent[] = []
  let verified = 0
  let ended: unknown
  for await (const event of job) {
    seen.push(event)
    verified += event.type === 'verified' ? 1 : 0
    if (event.type === 'assigned' && verified === answered && ended === undefined) {
      ended = end(job) ?? true
    }
  }
  await ended
  const error = await thrown(() => job.result)
  const settled = seen.find((event) => event.type === 'settled')
  const audit = await house.books([requester, provider, slow])
  await statusOf(requester, ({ balance }) => balance.escrowed === 0n)
  await statusOf(requester, ({ balance }) => balance.settled === before - BigInt(answered))
  expect(settled?.receipt).toMatchObject({ price: 8n, paid: BigInt(answered), refund: 8n - BigInt(answered) })
  expect(audit.debt).toBe(0n)
  return { job, error, seen }
}

describe('a job that ends early pays what was verified and refunds the rest', () => {
  test.each([0, 1, 3])('cancelled after %i units, even twice', async (units) => {
    answered = units
    const { job, error, seen } = await endedEarly({}, (running) =>
      Promise.all([running.cancel(), running.cancel()])
    )
    expect(error).toMatchObject({ code: 'CANCELLED' })
    expect(job.state).toBe('cancelled')
    expect(seen.at(-1)?.type).toBe('cancelled')
    await job.cancel()
    expect(job.state).toBe('cancelled')
  })

  test('by its deadline', async () => {
    answered = 2
    const { job, error } = await endedEarly({ deadlineMs: 2_000 }, () => {})
    expect(error).toMatchObject({ code: 'DEADLINE', retryable: true, details: { deadlineMs: 2_000 } })
    expect(job.state).toBe('failed')
  })

  test.each<[string, unknown]>([
    ['without a reason', undefined],
    ['for a reason of its own', new RangeError('enough')],
    ['with a text', 'enough']
  ])('by its signal, %s', async (_, reason) => {
    answered = 1
    const abort = new AbortController()
    const { job, error } = await endedEarly({ signal: abort.signal }, () => abort.abort(reason))
    expect(error).toMatchObject({ code: 'CANCELLED' })
    expect(job.state).toBe('cancelled')
  })

  test('and hands out no unit any more, though its receipts open the window', async () => {
    const job = requester.submit(SKILL, input, { units: 8, providers: [slow.peer] })
    answered = 8
    let cancelled: Promise<void> | undefined
    let later = 0
    for await (const { type } of job) {
      if (type === 'verified') {
        cancelled ??= job.cancel()
      }
      later += cancelled !== undefined && (type === 'assigned' || type === 'verified') ? 1 : 0
    }
    const { receipt } = await eventOf(job, 'settled')
    expect(later).toBe(1) // the one that it was cancelled at
    expect(receipt).toMatchObject({ paid: 1n, refund: 7n })
    await house.books([requester, provider, slow])
  })
})

describe('a job without a provider', () => {
  test('ends after the wait that was asked for', async () => {
    const job = requester.submit(SKILL, input, { providers: [requester.peer], providerWaitMs: 200 })
    expect(await thrown(() => job.result)).toMatchObject({ code: 'NO_PROVIDER', retryable: true })
    expect(await eventsOf(job)).toMatchObject([{ type: 'queued' }, { type: 'failed' }])
  })

  test('whose signal is aborted already never looks for one', async () => {
    const job = requester.submit(SKILL, input, { signal: AbortSignal.abort() })
    expect(await thrown(() => job.result)).toMatchObject({ code: 'CANCELLED' })
    expect((await eventsOf(job)).map(({ type }) => type)).toEqual(['queued', 'cancelled'])
  })

  test('is cancelled while it waits', async () => {
    const job = requester.submit(SKILL, input, { providers: [requester.peer] })
    await eventOf(job, 'queued')
    await job.cancel()
    expect(job.state).toBe('cancelled')
  })
})

describe('a node that stops', () => {
  test('ends its jobs with a code, and starts none', async () => {
    answered = 1
    await slow.lie((job, unit, count) =>
      count < answered ? job.answer(unit.index, job.compute(unit)) : undefined
    )
    const node = await house.swarm()
    const job = node.submit(SKILL, input, { units: 8, providers: [slow.peer] })
    await eventOf(job, 'verified')
    await Promise.all([node.stop(), node.stop()])
    expect(await thrown(() => job.result)).toMatchObject({ code: 'STOPPED' })
    expect(node.status.state).toBe('stopped')
    expect(await thrown(() => node.submit(SKILL, input))).toMatchObject({ code: 'STOPPED' })
    expect(await thrown(() => node.contribute())).toMatchObject({ code: 'STOPPED' })
  })

  test('that served hands its units back: the job ends right elsewhere', async () => {
    const short = await house.provider()
    const job = requester.submit<MatmulOutput>(SKILL, input, {
      units: 32,
      budget: 200n,
      providers: [short.peer, provider.peer]
    })
    await eventOf(job, 'verified')
    await short.stop()
    const { value, receipt } = await job.result
    expect(isProduct(value, input)).toBe(true)
    expect(receipt.paid).toBe(receipt.price)
  })
})
