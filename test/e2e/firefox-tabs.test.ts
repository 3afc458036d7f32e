import type { Browser, Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findFirefox } from '../../scripts/find-firefox.mjs'
import { launchFirefox, openFirefoxTab } from '../fixtures/firefox.ts'
import { PageHouse } from '../fixtures/page-house.ts'

// Two tabs of Firefox: its Web Locks and BroadcastChannel carry the one node as Chromium's do. Nightly: a second Firefox.

let house: PageHouse
let browser: Browser

const peerOf = (page: Page) => page.evaluate(() => window.swarmharness?.peer)
/** `locator().wait()` finds nothing below a shadow root in Firefox. */
const showsPhase = (page: Page, phase: string) =>
  page.waitForFunction(
    (wanted) =>
      document.querySelector('swarm-app')?.shadowRoot?.querySelector('#app')?.getAttribute('data-phase') ===
      wanted,
    { polling: 50 },
    phase
  )
const recordsOf = (page: Page) =>
  page.evaluate(async () => (await window.swarmharness?.exportLedger())?.records.length ?? 0)

describe.skipIf(findFirefox() === undefined)('two tabs of Firefox', () => {
  beforeAll(async () => {
    ;[house, browser] = await Promise.all([PageHouse.open(), launchFirefox()])
    await house.provider()
  })
  afterAll(async () => {
    await browser?.close()
    await house?.close()
    await house?.browser.close()
  })

  test('show one node: the second hires through the first, and takes over when that one is closed', async () => {
    const url = `${house.origin}/?network=local`
    const first = await openFirefoxTab(browser, url, '#consent-hire')
    const second = await browser.newPage()
    await second.setViewport({ width: 1280, height: 900 })
    await second.goto(url) // the consent is kept, the lock is held
    await showsPhase(second, 'viewing')
    expect(await peerOf(second)).toBe(first.peer)

    await second.locator('>>> #run-sample').click()
    await second.waitForFunction(() => window.swarmharness?.jobs().some(({ state }) => state === 'done'), {
      polling: 50,
      timeout: 60_000
    })
    const records = await recordsOf(first.page)
    expect(await recordsOf(second)).toBe(records)

    await first.page.close()
    await second.locator('>>> #take-over').click()
    await showsPhase(second, 'running')
    expect(await peerOf(second)).toBe(first.peer)
    expect(await recordsOf(second)).toBeGreaterThanOrEqual(records)
    expect(first.problems).toEqual([])
  })
})
