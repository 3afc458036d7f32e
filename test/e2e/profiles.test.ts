import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { createRelay, type Relay } from '../../relay/index.ts'
import { type Tab, waitForProviders } from '../../src/cli/demo/tabs.ts'
import { audit, auditExports } from '../../src/credit/index.ts'
import type { Swarm } from '../../src/index.ts'
import { NETWORKS, type Network, networkOf } from '../../src/wire/index.ts'
import { keptBooks } from '../fixtures/kept-books.ts'
import { DIST, rightReceipt, startJob, startProvider } from '../fixtures/page-house.ts'
import { Profile } from '../fixtures/profile.ts'

// A visitor's profile as people treat them: deleted, restored from a copy, used in two places at once.

const SKILL = 'matmul-i8'
const JOB = { side: 128, units: 4 }

let network: Network
let folder: string
let relay: Relay
let provider: Swarm
let profile: Profile
const opened: Profile[] = []

beforeAll(async () => {
  network = await networkOf(NETWORKS.local)
  relay = await createRelay({ network, staticFolder: DIST })
})
afterAll(async () => {
  await relay?.stop()
})
beforeEach(async () => {
  provider = await startProvider(relay)
  folder = await mkdtemp(join(tmpdir(), 'profiles-'))
  profile = keep(new Profile(join(folder, 'one')))
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()))
  await provider?.stop()
  await rm(folder, { recursive: true, force: true })
})

function keep(made: Profile): Profile {
  opened.push(made)
  return made
}

async function run(of: Profile): Promise<Tab> {
  await of.open()
  return of.start(relay.origin, { name: 'visitor', consent: 'hire' })
}

async function hire(tab: Tab): Promise<void> {
  await waitForProviders(tab, [provider.peer], SKILL)
  await startJob(tab, { ...JOB, providers: [provider.peer] })
  await rightReceipt(tab)
}

const chainOf = async ({ page }: { page: Profile['page'] }) => (await keptBooks(page, network)).chain
const idsOf = async (tab: Tab) => (await chainOf(tab)).map(({ id }) => id.toString())

/** What is in a profile's books before its node runs again. */
async function lookInto(of: Profile): Promise<string[]> {
  const page = await of.open()
  await page.goto(`${relay.origin}/healthz`)
  return (await chainOf({ page })).map(({ id }) => id.toString())
}

/** The visitor's chain and the provider's, once all is claimed. */
const balanced = (tab: Tab) =>
  vi.waitFor(
    async () => {
      const { records, peer } = await provider.exportLedger()
      const { signed } = await keptBooks(tab.page, network)
      const sums = await auditExports(
        [
          { network: 'local', peer, records },
          { network: 'local', peer: tab.peer, records: signed }
        ],
        network
      )
      expect(sums).toMatchObject({ openEscrows: 0n, certifiedUnclaimed: 0n })
      return sums
    },
    { timeout: 20_000, interval: 100 }
  )

test('a wiped profile is a stranger with a chain of its own', async () => {
  const first = await run(profile)
  await hire(first)
  await profile.close()
  await rm(profile.folder, { recursive: true })

  const second = await run(profile)
  expect(second.peer).not.toBe(first.peer)
  const [genesis, ...others] = await chainOf(second)
  expect(genesis?.record).toMatchObject({ kind: 'genesis', author: second.peer })
  expect(others).toEqual([])
  await hire(second)
  expect(audit([await chainOf(second)], network.parameters).openEscrows).toBe(0n)
})

test.each([
  ['by a job', 1, 2],
  // more than the 32 places on which a vote rests
  ['by twenty', 20, 40]
])(
  'a profile that was rolled back %s takes up what its witnesses kept, and signs no place twice',
  async (_, jobs, records) => {
    await hire(await run(profile))
    await profile.close()
    const copy = keep(await profile.copyTo(join(folder, 'copy')))
    const newer = await run(profile)
    for (let job = 0; job < jobs; job++) {
      await hire(newer)
    }
    const whole = await idsOf(newer)
    await profile.close()

    const old = await lookInto(copy)
    expect(whole.length).toBeGreaterThanOrEqual(old.length + records)
    expect(whole.slice(0, old.length)).toEqual(old)
    const again = await copy.start(relay.origin, { name: 'visitor', consent: 'hire' })
    expect(again.peer).toBe(newer.peer)
    await hire(again)
    const after = await idsOf(again)
    expect(after.slice(0, whole.length)).toEqual(whole)
    expect(after.length).toBeGreaterThan(whole.length)
    expect(await balanced(again)).toMatchObject({ debt: 0n })
  }
)

test('of two copies that run at once the second learns of the first, takes up its records or heals the chain, and no credit is there twice', async () => {
  await hire(await run(profile))
  await profile.close()
  const copy = keep(await profile.copyTo(join(folder, 'copy')))
  const one = await run(profile)
  const two = await run(copy)
  expect(two.peer).toBe(one.peer)
  await hire(one)
  const first = await chainOf(one)
  // its head is behind by now: its next record stands where the other copy's does
  await hire(two)
  const chain = await chainOf(two)
  const healed = chain.map(({ record }) => record)
  // it had signed something there: a heal; it had not: the other copy's records are its own
  const hasTakenUp = first.every(({ id }, at) => chain[at]?.id.equals(id))
  expect(hasTakenUp || healed.some(({ kind }) => kind === 'heal')).toBe(true)
  expect(await balanced(two)).toMatchObject({ balanced: true, debt: 0n })
  // three jobs were paid, two of them by the copies
  const spent = (record: (typeof healed)[number] | undefined) =>
    network.parameters.genesisGrant - (record?.bal ?? 0n)
  const price = spent(first.at(-1)?.record) / 2n
  expect(spent(healed.at(-1))).toBe(3n * price)
})
