import type { BrowserContext, Page, Route } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Tab, waitForProviders } from '../../src/cli/demo/tabs.ts'
import { type AuditedRecord, audit } from '../../src/credit/index.ts'
import type { PeerIdString } from '../../src/index.ts'
import { NETWORKS, type Network, networkOf } from '../../src/wire/index.ts'
import { type KeptBooks, keptBooks } from '../fixtures/kept-books.ts'
import { jobOutcome, jobSaw, PageHouse, rightReceipt, startJob } from '../fixtures/page-house.ts'

// Tabs, and a relay, that go without a word, in swarms of two and of three. The clock is the test's: it skips ahead
// for everybody at once.

const SKILL = 'matmul-i8'
/** At 5 % power a provider is in the middle of it for some seconds. */
const LONG_JOB = { side: 768, units: 24 }
const SHORT_JOB = { side: 128, units: 4 }
const MINUTE = 60_000
/** A job's escrow closes eleven minutes after its start. */
const PAST_CLOSE = 12 * MINUTE
const TWO_DAYS = 2 * 24 * 60 * MINUTE

declare global {
  interface Window {
    skipAhead?: (ms: number) => void
  }
}

/** Runs in each page before its own code: a clock that can skip, and a ledger that looks around twice a second. */
function ownClock(skipped: number): void {
  const LEDGER_LOOKS_MS = 15_000
  const [now, every] = [Date.now, window.setInterval]
  let ahead = skipped
  Date.now = () => now() + ahead
  window.skipAhead = (ms) => {
    ahead += ms
  }
  const faster = (handler: TimerHandler, ms?: number) => every(handler, ms === LEDGER_LOOKS_MS ? 500 : ms)
  window.setInterval = faster as typeof setInterval // nobody in a page passes the handler arguments
}

/** The host's clock is the one that all go by: the date of an answer would be the machine's. */
async function hostClock(route: Route): Promise<void> {
  if (route.request().method() === 'HEAD') {
    await route.fulfill({ status: 200, headers: { date: new Date(Date.now()).toUTCString() } })
  } else {
    await route.continue()
  }
}

let network: Network
let house: PageHouse
let tabs: Tab[] = []
let skipped = 0

beforeAll(async () => {
  const now = Date.now
  vi.spyOn(Date, 'now').mockImplementation(() => now() + skipped) // the relay's, too: it is a witness
  network = await networkOf(NETWORKS.local)
  house = await PageHouse.open()
})
afterAll(async () => {
  await house?.close()
  await house?.browser.close()
  vi.restoreAllMocks()
})

/** The page of a context, with its node running. A context that has consented before is not asked. */
async function visit(
  context: BrowserContext,
  name: string,
  consent: 'contribute' | 'hire',
  power = 100
): Promise<Tab> {
  const page = await context.newPage()
  await page.addInitScript(ownClock, skipped)
  await page.route('**/relay.json', hostClock)
  await page.goto(`${house.origin}/?backend=cpu&network=local&power=${power}`)
  const button = page.locator(consent === 'contribute' ? '#consent-start' : '#consent-hire')
  button.click({ timeout: 30_000 }).catch(() => {}) // not shown to who has agreed before
  // nor this, unless the page that crashed holds the lock still
  page
    .locator('#take-over')
    .click({ timeout: 30_000 })
    .catch(() => {})
  await page.waitForFunction(() => window.swarmharness !== undefined, undefined, { polling: 50 })
  // the page waits for the node above, and a node's own id is a peer id
  const peer = (await page.evaluate(() => window.swarmharness?.peer)) as PeerIdString
  const tab = { name, page, context, peer }
  tabs.push(tab)
  return tab
}

const come = async (name: string, consent: 'contribute' | 'hire', power?: number) =>
  visit(await house.browser.newContext(), name, consent, power)

/** Without a goodbye. */
async function crash(tab: Tab): Promise<void> {
  tabs = tabs.filter((other) => other !== tab)
  await tab.page.goto('chrome://crash').catch(() => {})
}

async function skip(ms: number): Promise<void> {
  skipped += ms
  await Promise.all(tabs.map(({ page }) => page.evaluate((by) => window.skipAhead?.(by), ms)))
}

/** What a context holds, whether a node runs there or not. */
async function booksOf(tab: Tab): Promise<KeptBooks> {
  const { context } = tab
  if (tabs.includes(tab)) {
    return keptBooks(tab.page, network)
  }
  const page: Page = await context.newPage()
  await page.goto(`${house.origin}/healthz`)
  const kept = await keptBooks(page, network)
  await page.close()
  return kept
}

/** Of all of them together, as soon as nothing is open any more. */
const closedBooks = (all: readonly Tab[]) =>
  eventually(async () => {
    const books = await Promise.all(all.map(booksOf))
    const sums = audit(
      books.map(({ chain }) => chain),
      network.parameters,
      Date.now()
    )
    expect(sums).toMatchObject({ balanced: true, openEscrows: 0n, certifiedUnclaimed: 0n })
    return books
  })

const eventually = <T>(look: () => Promise<T>) => vi.waitFor(look, { timeout: 30_000, interval: 100 })

function newest<K extends AuditedRecord['record']['kind']>({ chain }: KeptBooks, kind: K) {
  return chain.map(({ record }) => record).findLast((record) => record.kind === kind) as
    | Extract<AuditedRecord['record'], { kind: K }>
    | undefined // the line above compared the kind
}

const escrowed = ({ page }: Tab) => page.evaluate(() => `${window.swarmharness?.status.balance.escrowed}`)

describe.each([2, 3])('in a swarm of %i tabs', (size) => {
  let provider: Tab
  let requester: Tab
  /** Neither hires nor serves; keeps votes. */
  let bystander: Tab | undefined

  beforeEach(async () => {
    ;[provider, requester, bystander] = await Promise.all([
      come('provider', 'contribute', 50),
      come('requester', 'hire'),
      size > 2 ? come('bystander', 'hire') : undefined
    ])
    await waitForProviders(requester, [provider.peer], SKILL)
  })
  afterEach(async () => {
    await Promise.all(tabs.map(({ context }) => context.close()))
    tabs = []
  })

  const everybody = () => [provider, requester, ...(bystander === undefined ? [] : [bystander])]

  /** In the middle of a job, with receipts at the provider. */
  async function inTheMiddle(): Promise<{ escrow: string; owed: bigint }> {
    await startJob(requester, { ...LONG_JOB, providers: [provider.peer] })
    await jobSaw(requester, 'verified', { count: 3 })
    const earnings = [...(await booksOf(provider)).earnings].filter(([, { claimed }]) => !claimed)
    const [escrow, { amount }] = earnings[0] ?? ['', { amount: 0n }]
    expect(amount).toBeGreaterThan(0n)
    return { escrow, owed: amount }
  }

  test('a requester that falls silent does not rob its provider', async () => {
    const { owed } = await inTheMiddle()
    await crash(requester)
    await skip(PAST_CLOSE)
    const claim = await eventually(async () => {
      const found = newest(await booksOf(provider), 'claim')
      expect(found).toBeDefined()
      return found
    })
    // without the requester's settle: by the votes of its witnesses on a lodged receipt
    expect(claim?.body.certificate.kind).toBe('payout')
    expect(claim?.bal).toBeGreaterThanOrEqual(network.parameters.genesisGrant + owed)

    // it comes back, settles for no less, and nobody is paid twice
    requester = await visit(requester.context, 'requester', 'hire')
    const [books] = await closedBooks(everybody())
    expect(books?.chain.filter(({ record }) => record.kind === 'claim')).toHaveLength(1)
  })

  test('a provider that falls silent does not freeze what its requester has', async () => {
    await startJob(requester, { ...LONG_JOB, providers: [provider.peer], providerWaitMs: 500 })
    await jobSaw(requester, 'verified', { count: 3 })
    await crash(provider)
    expect(await jobOutcome(requester)).toMatchObject({ code: expect.any(String) })
    await skip(PAST_CLOSE) // until then only with the provider's release
    await eventually(async () => expect(await escrowed(requester)).toBe('0'))
    // and it is free to be spent
    const next = await come('next provider', 'contribute')
    await waitForProviders(requester, [next.peer], SKILL)
    await startJob(requester, { ...SHORT_JOB, providers: [next.peer] })
    await rightReceipt(requester)
    // the one that went is paid when it is back
    provider = await visit(provider.context, 'provider', 'contribute')
    const [books] = await closedBooks([...everybody(), next])
    expect(books && newest(books, 'claim')).toBeDefined()
  })

  test('witnesses that vanish freeze nobody', async () => {
    await startJob(requester, { ...SHORT_JOB, providers: [provider.peer] })
    await rightReceipt(requester)
    const seat = newest(await booksOf(requester), 'seat')?.body.members
    expect(seat).toContain(house.relay.peer)
    await house.relay.stop()
    try {
      if (bystander !== undefined) {
        await crash(bystander)
      }
      await startJob(requester, { ...SHORT_JOB, providers: [provider.peer] })
      await rightReceipt(requester)
      const after = newest(await booksOf(requester), 'seat')?.body.members
      expect(after).not.toContain(house.relay.peer)
    } finally {
      await house.restartRelay()
    }
    await closedBooks(everybody())
  })

  test('everybody goes, and is back two days later: all is paid and refunded', async () => {
    const { owed } = await inTheMiddle()
    await Promise.all(tabs.map(({ page }) => page.goto('chrome://crash').catch(() => {})))
    tabs = []
    await house.relay.stop()
    skipped += TWO_DAYS
    await house.restartRelay()
    const gone = everybody()
    ;[provider, requester, bystander] = await Promise.all([
      visit(provider.context, 'provider', 'contribute'),
      visit(requester.context, 'requester', 'hire'),
      bystander && visit(bystander.context, 'bystander', 'hire')
    ])
    expect(everybody().map(({ peer }) => peer)).toEqual(gone.map(({ peer }) => peer))
    const [earner, payer] = await closedBooks(everybody())
    const settle = payer && newest(payer, 'settle')
    expect(settle?.body.payouts[0]).toBeGreaterThanOrEqual(owed)
    expect(earner && newest(earner, 'claim')).toBeDefined()
    // a day of it was beyond what may lie idle
    expect(payer?.chain.at(-1)?.record.bal).toBeLessThan(network.parameters.genesisGrant - owed)
  })
})
