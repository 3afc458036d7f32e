import { describe, expect, test, vi } from 'vitest'
import { matmulI8 } from '../../../src/index.ts'
import { createTestSwarm, type Fault } from '../../../src/testing.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { eventOf, eventsOf, isProduct, product } from '../../fixtures/node-house.ts'

// The faults that a program's own tests are made of, and what the seed draws.

const input = product(64)

describe('a provider', () => {
  test('that is wrong is refused and gets nothing', async () => {
    await using house = await createTestSwarm({ peers: 2, faults: { 1: { kind: 'wrong' } } })
    const [provider] = house.providers
    const job = house.requester.submit(matmulI8, input, { units: 2 })
    const events = eventsOf(job)
    const { reason, provider: liar } = await eventOf(job, 'retried')
    await job.cancel()
    expect(reason).toMatch(/^WRONG_RESULT: /)
    expect(liar).toBe(provider?.peer)
    const settled = (await events).find(({ type }) => type === 'settled')
    expect(settled).toMatchObject({
      receipt: { paid: 0n, providers: [{ peer: provider?.peer, units: 0, rejected: 1 }] }
    })
  })

  test('that is silent keeps a unit until the job ends, and gets nothing', async () => {
    await using house = await createTestSwarm({ peers: 2, faults: { 1: { kind: 'silent' } } })
    const [provider] = house.providers
    const job = house.requester.submit(matmulI8, input, { units: 1 })
    const events = eventsOf(job)
    await eventOf(job, 'assigned')
    await eventually(() => expect(provider?.status.work.running).toBe(1))
    await house.requester.quote(matmulI8, input) // for which a unit is computed here
    expect(provider?.status.work.running).toBe(1)
    await job.cancel()
    await eventually(() => expect(provider?.status.work.running).toBe(0))
    expect(provider?.status.work.units).toBe(0)
    expect((await events).filter(({ type }) => type === 'verified' || type === 'retried')).toEqual([])
  })

  test('that is slow is right, but late', async () => {
    const delayMs = 300
    await using house = await createTestSwarm({ peers: 2, faults: { 1: { kind: 'slow', delayMs } } })
    const started = performance.now()
    const { value, receipt } = await house.requester.submit(matmulI8, input, { units: 1 }).result
    expect(performance.now() - started).toBeGreaterThanOrEqual(delayMs - 1) // timers count whole milliseconds
    expect(isProduct(value, input)).toBe(true)
    expect(receipt.paid).toBe(1n)
  })
})

describe('the seed', () => {
  /** Waited for by nobody else. */
  const DELAY = 1.0625

  /** Who was there, and how many of sixteen units were slow. */
  async function drawn(seed: number, share: number): Promise<{ peers: string[]; slow: number }> {
    const fault: Fault = { kind: 'slow', share, delayMs: DELAY }
    await using house = await createTestSwarm({ peers: 2, seed, faults: { 1: fault } })
    const timers = vi.spyOn(globalThis, 'setTimeout')
    try {
      await house.requester.submit(matmulI8, input, { units: 16 }).result
      const slow = timers.mock.calls.filter(([, delay]) => delay === DELAY).length
      return { peers: house.peers.map(({ peer }) => peer), slow }
    } finally {
      timers.mockRestore()
    }
  }

  test('draws identities and faults: the same the same', async () => {
    const first = await drawn(1, 0.5)
    const second = await drawn(2, 0.5)
    expect(await drawn(1, 0.5)).toEqual(first)
    expect([first.slow, second.slow]).toEqual([7, 13]) // of mulberry32
    expect(new Set([...first.peers, ...second.peers]).size).toBe(4)
  })

  test.each([
    [0, 0],
    [1, 16]
  ])('a share of %d are %d of 16', async (share, slow) => {
    expect((await drawn(1, share)).slow).toBe(slow)
  })
})
