import { CID } from 'multiformats/cid'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { replaySettle } from '../../../src/cli/ledger/replay.ts'
import type { Job, JobEvent } from '../../../src/index.ts'
import { createTestSwarm, type TestSwarm } from '../../../src/testing.ts'
import { NETWORKS, networkOf } from '../../../src/wire/index.ts'
import { chainInput, chainOutput, chainStages } from '../../fixtures/chain-input.ts'
import { eventually } from '../../fixtures/eventually.ts'

const network = await networkOf(NETWORKS.local)
const input = chainInput(32)
// whole swarms in one process: on a busy machine they take their time
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let calm: TestSwarm
beforeAll(async () => {
  calm = await createTestSwarm({ peers: 4, seed: 7 })
})
afterAll(() => calm.stop())

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
  const envelopes = (await house.requester.exportLedger()).records
  for (const settle of receipt.settles) {
    const replay = await replaySettle(
      { network, envelopes, peer: house.requester.peer, start: undefined },
      CID.parse(settle)
    )
    expect(replay).toMatchObject({ isSame: true, settle: { body: { split: { form: 'pipeline' } } } })
  }
  expect(receipt.providers.reduce((sum, { paid }) => sum + paid, 0n)).toBe(receipt.paid)
  if (isAudited) {
    expect((await house.audit()).balanced).toBe(true)
  }
  return { job, events, receipt, before }
}

describe('a pipeline', () => {
  test('gives what one machine would; each stage has a provider of its own, and all are paid by one split', async () => {
    const { receipt, events, job } = await throughIt(calm, 6)
    expect(receipt.paid).toBeGreaterThan(0n)
    expect(events.filter(({ type }) => type === 'verified').length).toBeGreaterThanOrEqual(18)
    const doers = events.flatMap((event) =>
      event.type === 'assigned' ? [[event.unit % 3, event.provider] as const] : []
    )
    for (const [stage, provider] of doers) {
      const before = doers.filter(([other, peer]) => peer === provider && other !== stage)
      expect(receipt.escrows.length > 1 || before.length === 0).toBe(true)
    }
    expect(job.state).toBe('done')
  })

  test('goes on when one provider leaves in the middle of it and another fails at everything', async () => {
    const faults = { 1: { kind: 'leaves', share: 0.4 }, 2: { kind: 'fails' } } as const
    await using house = await createTestSwarm({ peers: 6, seed: 5, faults })
    await throughIt(house, 6, { isAudited: false }) // the books of one went with it
  })

  test('that is cancelled pays what was done, and refunds the rest', async () => {
    const job = calm.requester.pipeline(chainStages(input), { units: 8 })
    for await (const event of job) {
      if (event.type === 'verified') {
        void job.cancel()
      }
    }
    await expect(job.result).rejects.toMatchObject({ code: 'CANCELLED' })
    await eventually(() => expect(calm.requester.status.balance.escrowed).toBe(0n))
    expect((await calm.audit()).balanced).toBe(true)
  })

  test('needs as many providers as stages, and says so', async () => {
    const providers = calm.providers.slice(0, 2).map(({ peer }) => peer)
    const job = calm.requester.pipeline(chainStages(input), { providerWaitMs: 300, providers })
    await expect(job.result).rejects.toMatchObject({ code: 'NO_PROVIDER', retryable: true })
  })

  test('with a key is begun once', async () => {
    const first = calm.requester.pipeline(chainStages(input), { key: 'one' })
    expect(calm.requester.pipeline(chainStages(input), { key: 'one' })).toBe(first)
    await first.result
    expect(() => calm.requester.pipeline(chainStages(chainInput(16)), { key: 'one' })).toThrow(
      expect.objectContaining({ code: 'KEY_REUSED' })
    )
  })
})
