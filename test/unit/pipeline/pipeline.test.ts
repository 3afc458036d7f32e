import { afterEach, describe, expect, test } from 'vitest'
import type { Job, JobEvent } from '../../../src/index.ts'
import { createTestSwarm, type TestSwarm, type TestSwarmInit } from '../../../src/testing.ts'
import { chainInput, chainOutput, chainStages } from '../../fixtures/chain-input.ts'
import { eventually } from '../../fixtures/eventually.ts'

const input = chainInput(32)
const houses: TestSwarm[] = []

async function open(init: TestSwarmInit): Promise<TestSwarm> {
  const house = await createTestSwarm(init)
  houses.push(house)
  return house
}

afterEach(async () => {
  await Promise.all(houses.splice(0).map((house) => house.stop()))
})

async function eventsOf(job: Job): Promise<JobEvent[]> {
  const events: JobEvent[] = []
  for await (const event of job) {
    events.push(event)
  }
  return events
}

/** Whatever happened on the way: the output is right, nobody is paid twice, and the books balance. */
async function throughIt(house: TestSwarm, lanes: number, { isAudited = true } = {}) {
  const before = house.requester.status.balance.settled
  const job = house.requester.pipeline(chainStages(input), { units: lanes })
  const [events, { value, receipt }] = await Promise.all([eventsOf(job), job.result])
  expect({ ids: value.ids, scores: value.scores }).toEqual(chainOutput(input))
  expect(receipt.split).toBe('pipeline')
  expect(receipt.providers.reduce((sum, { paid }) => sum + paid, 0n)).toBe(receipt.paid)
  if (isAudited) {
    expect((await house.audit()).balanced).toBe(true)
  }
  return { job, events, receipt, before }
}

describe('a pipeline', () => {
  test('gives what one machine would; each stage has a provider of its own, and all are paid by one split', async () => {
    const house = await open({ peers: 4, seed: 7 })
    const { receipt, events, job } = await throughIt(house, 6)
    expect(receipt.providers).toHaveLength(3)
    expect(receipt.escrows).toHaveLength(1)
    expect(receipt.providers.every(({ rejected, paid }) => rejected === 0 && paid > 0n)).toBe(true)
    expect(receipt.paid).toBeLessThanOrEqual(receipt.price)
    expect(events.filter(({ type }) => type === 'verified')).toHaveLength(18)
    const doers = events.flatMap((event) =>
      event.type === 'assigned' ? [[event.unit % 3, event.provider]] : []
    )
    expect(new Set(doers.map((each) => each.join())).size).toBe(3)
    expect(job.state).toBe('done')
  })

  test('goes round a provider that computes wrong, whatever its stage', async () => {
    const house = await open({
      peers: 6,
      seed: 3,
      faults: { 1: { kind: 'wrong' }, 2: { kind: 'wrong', share: 0.5 } }
    })
    const { receipt } = await throughIt(house, 5)
    const [first] = house.providers
    expect(receipt.providers.find(({ peer }) => peer === first?.peer)?.paid ?? 0n).toBe(0n)
  })

  test('goes on when a provider leaves in the middle of it', async () => {
    const house = await open({ peers: 6, seed: 5, faults: { 1: { kind: 'leaves', share: 0.4 } } })
    await throughIt(house, 6, { isAudited: false }) // its books went with it
  })

  test('takes another where a provider fails', async () => {
    const house = await open({ peers: 6, seed: 9, faults: { 2: { kind: 'fails' } } })
    await throughIt(house, 4)
  })

  test('that is cancelled pays what was done, and refunds the rest', async () => {
    const house = await open({ peers: 4, seed: 11 })
    const job = house.requester.pipeline(chainStages(input), { units: 8 })
    for await (const event of job) {
      if (event.type === 'verified') {
        void job.cancel()
      }
    }
    await expect(job.result).rejects.toMatchObject({ code: 'CANCELLED' })
    await eventually(() => expect(house.requester.status.balance.escrowed).toBe(0n))
    expect((await house.audit()).balanced).toBe(true)
  })

  test('needs as many providers as stages, and says so', async () => {
    const house = await open({ peers: 3, seed: 13 })
    const job = house.requester.pipeline(chainStages(input), { providerWaitMs: 300 })
    await expect(job.result).rejects.toMatchObject({ code: 'NO_PROVIDER', retryable: true })
    expect((await house.audit()).balanced).toBe(true)
  })

  test('with a key is begun once', async () => {
    const house = await open({ peers: 4, seed: 15 })
    const first = house.requester.pipeline(chainStages(input), { key: 'one' })
    expect(house.requester.pipeline(chainStages(input), { key: 'one' })).toBe(first)
    await first.result
    expect(() => house.requester.pipeline(chainStages(chainInput(16)), { key: 'one' })).toThrow(
      expect.objectContaining({ code: 'KEY_REUSED' })
    )
  })
})
