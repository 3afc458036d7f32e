import type { Browser } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findFirefox } from '../../scripts/find-firefox.mjs'
import { type Tab, waitForProviders } from '../../src/cli/demo/tabs.ts'
import { NETWORKS } from '../../src/wire/index.ts'
import { type FirefoxTab, launchFirefox, openFirefoxTab } from '../fixtures/firefox.ts'
import { PageHouse, rightReceipt, startJob } from '../fixtures/page-house.ts'

// Tabs of two engines, the built page: found, connected, computing, verified and paid both ways.

const SKILL = 'matmul-i8'

let house: PageHouse
let browser: Browser
let firefox: FirefoxTab
let chromium: Tab

describe.skipIf(findFirefox() === undefined)('Firefox and Chromium', () => {
  beforeAll(async () => {
    ;[house, browser] = await Promise.all([PageHouse.open(), launchFirefox()])
    chromium = await house.tab({ name: 'chromium', consent: 'contribute', backend: 'cpu' })
    firefox = await openFirefoxTab(browser, `${house.origin}/?network=local`, '#consent-start')
  })
  afterAll(async () => {
    await browser?.close()
    await house?.close()
    await house?.browser.close()
  })

  test('a tab in Firefox computes on its CPU, over WebRTC, for one in Chromium, and is paid', async () => {
    await waitForProviders(chromium, [firefox.peer], SKILL)
    await startJob(chromium, { side: 512, units: 8, providers: [firefox.peer] })
    const { paid, price } = await rightReceipt(chromium)
    expect(paid).toBe(price)
    const met = await chromium.page.evaluate(
      (peer) => window.swarmharness?.status.peers.find((other) => other.peer === peer),
      firefox.peer
    )
    expect(met).toMatchObject({ connection: 'direct', transport: 'webrtc' })
    await firefox.page.waitForFunction(
      (grant, earned) => window.swarmharness?.status.balance.settled === BigInt(grant) + BigInt(earned),
      { polling: 50 },
      `${NETWORKS.local.genesisGrant}`,
      `${paid}`
    )
    expect(await firefox.page.evaluate(() => window.swarmharness?.status.device)).toMatchObject({
      backend: 'cpu'
    })
  })

  test('and hires the one in Chromium from the page', async () => {
    await firefox.page.waitForFunction(
      (peer) =>
        window.swarmharness?.status.peers.some((other) => other.peer === peer && other.skills.length > 0),
      { polling: 50 },
      chromium.peer
    )
    const settled = () => chromium.page.evaluate(() => `${window.swarmharness?.status.balance.settled}`)
    const before = await settled()
    await firefox.page.locator('>>> #run-sample').click()
    await chromium.page.waitForFunction(
      (earlier) => (window.swarmharness?.status.balance.settled ?? 0n) > BigInt(earlier),
      before,
      { timeout: 30_000 }
    )
    expect(firefox.problems).toEqual([])
  })
})
