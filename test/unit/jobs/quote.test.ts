import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Swarm } from '../../../src/index.ts'
import { type Away, awayMs, homeMs, type JobShape } from '../../../src/jobs/estimate.ts'
import { quote } from '../../../src/jobs/quote.ts'
import type { FoundProvider } from '../../../src/registry/index.ts'
import { skillByName } from '../../../src/skills/index.ts'
import { NodeHouse, product } from '../../fixtures/node-house.ts'

const positive = (max: number) => fc.double({ min: 1, max, noNaN: true })
const shapes: fc.Arbitrary<JobShape> = fc.record({
  operations: fc.array(positive(1e9), { minLength: 1, maxLength: 50 }),
  partBytes: positive(1e8),
  inputBytes: positive(1e8),
  resultBytes: positive(1e8)
})
const aways: fc.Arbitrary<Away> = fc.record({
  speeds: fc.array(positive(1e7), { minLength: 1, maxLength: 8 }).map((all) => all.sort((a, b) => b - a)),
  linkBytesPerMs: positive(1e6),
  setupMs: positive(1e3)
})

describe('the estimate', () => {
  test('never beats the link, the setup, or all speeds together', () => {
    fc.assert(
      fc.property(shapes, aways, (shape, away) => {
        const ms = awayMs(shape, away)
        const total = shape.operations.reduce((sum, each) => sum + each, 0)
        const together = away.speeds.reduce((sum, each) => sum + each, 0)
        expect(ms).toBeGreaterThanOrEqual(away.setupMs + shape.resultBytes / away.linkBytesPerMs)
        expect(ms).toBeGreaterThanOrEqual(
          away.setupMs + (shape.partBytes + shape.inputBytes) / away.linkBytesPerMs
        )
        expect(ms).toBeGreaterThanOrEqual(total / together)
      })
    )
  })

  test('a faster link, faster peers and less setup never make it longer; checking never shorter', () => {
    fc.assert(
      fc.property(shapes, aways, fc.double({ min: 1, max: 10, noNaN: true }), (shape, away, factor) => {
        const ms = awayMs(shape, away) * (1 + 1e-9)
        expect(awayMs(shape, { ...away, linkBytesPerMs: away.linkBytesPerMs * factor })).toBeLessThanOrEqual(
          ms
        )
        expect(
          awayMs(shape, { ...away, speeds: away.speeds.map((each) => each * factor) })
        ).toBeLessThanOrEqual(ms)
        expect(awayMs(shape, { ...away, setupMs: away.setupMs / factor })).toBeLessThanOrEqual(ms)
        expect(awayMs(shape, { ...away, checkSpeed: 1e6 * factor })).toBeGreaterThanOrEqual(ms * (1 - 2e-9))
      })
    )
  })

  test('at home more workers help until there is one a unit', () => {
    const shape = { operations: [100, 100, 100, 100], partBytes: 0, inputBytes: 0, resultBytes: 0 }
    expect([1, 2, 4, 8].map((workers) => homeMs(shape, { speed: 1, workers }))).toEqual([400, 200, 100, 100])
  })
})

describe('a quote from what is known', () => {
  const skill = skillByName('matmul-i8')
  const offer = (peer: string, load = 0) => ({ advert: { peer, load } }) as unknown as FoundProvider // all it looks at
  const ask = (providers: readonly FoundProvider[], speeds: Record<string, number> = {}) =>
    quote({
      skill,
      input: product(512),
      options: { units: 4 },
      providers: async () => providers,
      speedOf: (peer) => speeds[peer],
      localSpeed: async () => 1e5,
      workers: 1
    })

  test('counts what a hired provider has shown, what a new one may do, and the load of both', async () => {
    const unknown = await ask([offer('a')])
    const fast = await ask([offer('a')], { a: 1e7 })
    expect(unknown).toMatchObject({ measured: 0, fasterAtHome: true, localEtaMs: 2720 })
    expect(fast).toMatchObject({ measured: 1, fasterAtHome: false })
    expect(fast.etaMs).toBeLessThan(unknown.etaMs ?? 0)
    expect((await ask([offer('a', 50)])).etaMs).toBeGreaterThan(unknown.etaMs ?? 0)
    expect((await ask([offer('a', 100)])).etaMs).toBeUndefined()
    expect(await ask([offer('a'), offer('b'), offer('c'), offer('d')])).toMatchObject({ fasterAtHome: false })
  })
})

describe('a quote', () => {
  let house: NodeHouse
  let requester: Swarm
  beforeAll(async () => {
    house = await NodeHouse.open()
    requester = await house.swarm()
  })
  afterAll(() => house.close())

  test('without providers says so, and that home is the place', async () => {
    const quote = await requester.quote('matmul-i8', product(64))
    expect(quote).toMatchObject({ providers: 0, etaMs: undefined, fasterAtHome: true, measured: 0, units: 1 })
    expect(quote.localEtaMs).toBeGreaterThan(0)
  })

  test('names the price that the job then has', async () => {
    await house.provider()
    const input = product(96)
    const job = requester.submit('matmul-i8', input)
    const { receipt } = await job.result
    const quote = await requester.quote('matmul-i8', input)
    expect(quote).toMatchObject({ price: receipt.price, providers: 1, measured: 1 })
    const skill = requester.skills.find(({ name }) => name === 'matmul-i8')
    expect(skill?.price(input)).toBe(receipt.price) // which asks nobody
    expect(() => skill?.price({ a: 1 })).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }))
    expect(quote.etaMs).toBeGreaterThan(quote.localEtaMs) // so small a job is not worth the trip
    expect(quote.fasterAtHome).toBe(true)
    const slow = await requester.quote('matmul-i8', input, { linkMbps: 0.01 })
    expect(slow.etaMs).toBeGreaterThan(quote.etaMs ?? 0)
  })

  test('of a bad input, skill or option is refused with a typed error', async () => {
    const code = (expected: string) => expect.objectContaining({ code: expected })
    await expect(requester.quote('matmul-i8', { a: 1 })).rejects.toEqual(code('BAD_INPUT'))
    await expect(requester.quote('nothing', {})).rejects.toEqual(code('UNKNOWN_SKILL'))
    await expect(requester.quote('matmul-i8', product(8), { linkMbps: 0 })).rejects.toEqual(
      code('BAD_OPTION')
    )
    await expect(requester.quote('matmul-i8', product(8), { maxProviders: 0.5 })).rejects.toEqual(
      code('BAD_OPTION')
    )
  })
})
