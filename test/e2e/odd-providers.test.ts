import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Tab, waitForProviders } from '../../src/cli/demo/tabs.ts'
import { NETWORKS, networkOf } from '../../src/wire/index.ts'
import { HostilePeer, type Lie } from '../fixtures/hostile-peer.ts'
import { jobSaw, PageHouse, rightReceipt, startJob } from '../fixtures/page-house.ts'

// A tab hires an honest tab, and a peer that is not what it should be.

const SKILL = 'matmul-i8'

let house: PageHouse
let requester: Tab
let honest: Tab
let odd: HostilePeer

beforeAll(async () => {
  house = await PageHouse.open()
  odd = await HostilePeer.start(await networkOf(NETWORKS.local), house.relay.multiaddrs)
  await odd.offer()
  ;[honest, requester] = await Promise.all([
    house.tab({ name: 'honest', consent: 'contribute', backend: 'cpu' }),
    house.tab({ name: 'requester', consent: 'hire' })
  ])
  await waitForProviders(requester, [honest.peer, odd.peer], SKILL)
})
afterAll(async () => {
  await odd?.stop()
  await house?.close()
  await house?.browser.close()
})

type Case = [name: string, lie: Lie, earns: 'nothing' | 'what it did']

describe('a job with a provider that', () => {
  // liars last: the requester remembers them
  test.each<Case>([
    [
      'is slow: it gets less, and is paid for what it did',
      async (job, unit) => {
        const result = job.compute(unit)
        await new Promise((resolve) => setTimeout(resolve, 300)) // as a slow machine would take
        await job.answer(unit.index, result)
      },
      'what it did'
    ],
    ['accepts and never answers: its unit is done elsewhere', () => {}, 'nothing'],
    [
      'lies: it is found out and paid nothing',
      (job, unit) => job.answer(unit.index, new Uint8Array(job.compute(unit).length)),
      'nothing'
    ]
  ])('%s', async (_, lie, earns) => {
    await odd.lie(lie)
    await startJob(requester, { side: 1_024, units: 64, providers: [honest.peer, odd.peer] })
    await jobSaw(requester, 'assigned', { provider: odd.peer })
    const { providers, price, paid } = await rightReceipt(requester)
    const [share, others] = [odd.peer, honest.peer].map((peer) =>
      providers.find((each) => each.peer === peer)
    )
    expect(paid).toBeGreaterThanOrEqual(price) // a copy that both had done is paid twice
    expect(paid).toBeLessThanOrEqual((price * 105n) / 100n + price / 64n)
    expect(others?.units ?? 0).toBeGreaterThan(share?.units ?? 0)
    if (earns === 'nothing') {
      expect(share?.paid ?? 0n).toBe(0n)
    } else {
      expect(share?.paid).toBe((BigInt(share?.units ?? 0) * price) / 64n)
    }
  })
})
