import { afterEach, expect, test, vi } from 'vitest'
import type { Engine } from '../../../src/compute/index.ts'
import type { JobEvent, JobReceipt } from '../../../src/index.ts'
import { chainInput, chainOutput, chainStages } from '../../fixtures/chain-input.ts'
import { EngineHouse, type Twist } from '../../fixtures/engine-house.ts'
import { eventually } from '../../fixtures/eventually.ts'

const input = chainInput(24)
const honest = () => ({})

/** Computes wrong: signed, delivered, and off by one. */
const liar = (engine: Engine): Twist => ({
  run: async (unit, options) => {
    const result = Uint8Array.from(await engine.run(unit, options))
    result[0] = (result[0] ?? 0) ^ 1
    return result
  }
})
/** Says of everything that it is right, whatever it is. */
const blind = (): Twist => ({ verify: async () => true })
/** Says of everything that it is wrong. */
const accuser = (): Twist => ({ verify: async () => false })

// whole swarms in one process: on a busy machine they take their time
vi.setConfig({ testTimeout: 60_000 })

let house: EngineHouse | undefined
afterEach(() => house?.close())

async function walk(
  twists: ReadonlyArray<(engine: Engine) => Twist>,
  random?: () => number,
  spare?: number
): Promise<{ receipt: JobReceipt; events: JobEvent[]; pulled: number }> {
  house = await EngineHouse.open(twists, random)
  if (spare !== undefined) {
    await onlyOneSearches(house, spare)
  }
  const job = house.requester.pipeline(chainStages(input), { units: 3, maxProviders: twists.length })
  const events: JobEvent[] = []
  for await (const event of job) {
    events.push(event)
    if (event.type === 'retried' && spare !== undefined) {
      await house.providers[spare]?.contribute()
    }
  }
  const { value, receipt } = await job.result
  expect({ ids: value.ids, scores: value.scores }).toEqual(chainOutput(input))
  expect((await house.audit()).balanced).toBe(true)
  return { receipt, events, pulled: job.pulledBytes ?? 0 }
}

/** The first provider alone does the last stage, until the spare one comes back. */
async function onlyOneSearches({ providers, requester }: EngineHouse, spare: number): Promise<void> {
  const skillsOf = (at: number) => (at === 0 ? ['knn-i8'] : at === spare ? [] : ['matmul-i8'])
  await providers[spare]?.pause()
  await Promise.all(
    providers.map((provider, at) =>
      at === spare ? undefined : provider.contribute({ skills: skillsOf(at) })
    )
  )
  await eventually(() => {
    for (const [at, { peer }] of providers.entries()) {
      const known = requester.status.peers.find((each) => each.peer === peer)?.skills
      expect(known).toEqual(skillsOf(at))
    }
  })
}

const paidTo = (receipt: JobReceipt, at: number) =>
  receipt.providers.find(({ peer }) => peer === house?.providers[at]?.peer)

test('a lie is found by the next stage, and costs its author the job', async () => {
  const { receipt } = await walk([liar, honest, honest, honest])
  expect(paidTo(receipt, 0)?.paid ?? 0n).toBe(0n)
})

test('who calls right results wrong is out, and the accused is paid', async () => {
  const { receipt, events } = await walk([accuser, honest, honest, honest], undefined, 3)
  const accused = events.flatMap((event) => (event.type === 'retried' ? [event.provider] : []))
  expect(new Set(accused)).toEqual(new Set([house?.providers[0]?.peer]))
  expect(receipt.providers.filter(({ rejected }) => rejected > 0).map(({ peer }) => peer)).toEqual([
    house?.providers[0]?.peer
  ])
})

test('who lies and finds nobody that looks is found by lot; nothing wrong comes out', async () => {
  const { events, pulled } = await walk([liar, blind, blind, blind, blind], () => 0)
  expect(pulled).toBeGreaterThan(0)
  expect(events.some(({ type }) => type === 'retried')).toBe(true)
}, 60_000)
