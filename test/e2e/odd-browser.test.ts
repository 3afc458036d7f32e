import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { launchChromium } from '../../src/cli/demo/tabs.ts'
import { PageHouse } from '../fixtures/page-house.ts'

// The built page in browsers that lack something, deny something, or have a clock of their own.

let browser: Browser
let house: PageHouse
const contexts: BrowserContext[] = []

beforeAll(async () => {
  browser = await launchChromium()
  house = await PageHouse.open('local', browser)
})
afterEach(async () => {
  await Promise.all(contexts.splice(0).map((context) => context.close()))
})
afterAll(async () => {
  await house?.close()
  await browser?.close()
})

/** @param change runs in the page before its own code */
async function visitor(change: () => void = () => {}): Promise<Page> {
  const context = await browser.newContext()
  contexts.push(context)
  await context.addInitScript(change)
  const page = await context.newPage()
  page.on('pageerror', (error) => expect.unreachable(error.message))
  await page.goto(`${house.origin}/?backend=cpu`)
  return page
}

describe('a browser that lacks what a node needs', () => {
  test.each([
    ['WebRTC', () => Reflect.deleteProperty(window, 'RTCPeerConnection')],
    ['IndexedDB', () => void Object.defineProperty(window, 'indexedDB', { value: undefined })],
    ['Web Locks', () => Reflect.deleteProperty(Navigator.prototype, 'locks')]
  ])('is told that %s is missing, and offered no button', async (name, change) => {
    const page = await visitor(change)
    await page.locator('#unsupported', { hasText: name }).waitFor()
    expect(await page.locator('button').count()).toBe(0)
  })
})

describe('storage', () => {
  test('that is denied is said to be, and nothing runs', async () => {
    const page = await visitor(() => {
      const deny = () => {
        throw new DOMException('Access is denied for this document.', 'SecurityError')
      }
      for (const name of ['localStorage', 'sessionStorage', 'caches']) {
        Object.defineProperty(window, name, { get: deny })
      }
      IDBFactory.prototype.open = deny
    })
    await page.locator('#consent-hire').click()
    await page.locator('#start-error', { hasText: 'DENIED' }).waitFor()
    expect(await page.evaluate(() => window.swarmharness)).toBeUndefined()
    await page.locator('#withdraw').click()
    await page.locator('#consent-hire').waitFor()
  })

  test('that is full is said to be, and a start after space was made goes well', async () => {
    const page = await visitor()
    const devtools = await page.context().newCDPSession(page)
    await devtools.send('Storage.overrideQuotaForOrigin', { origin: house.origin, quotaSize: 1 })
    await page.locator('#consent-hire').click()
    await page.locator('#start-error', { hasText: 'FULL' }).waitFor()
    await devtools.send('Storage.overrideQuotaForOrigin', { origin: house.origin })
    await page.locator('#start-again').click()
    await page.locator('#state').waitFor()
  })
})

declare global {
  interface Window {
    /** How far the clock of the page was set forward (ms). */
    clockShift?: number
  }
}

describe('a page that is alone', () => {
  test('says so; its sample job waits, says so, and is cancelled without a record', async () => {
    const page = await visitor()
    await page.locator('#consent-hire').click()
    await page.locator('#state[data-state="relayed"]', { hasText: 'no direct peer yet' }).waitFor()
    // a context of Chromium's is a private window: nothing is kept when it closes
    await page.locator('#not-promised', { hasText: 'private window' }).waitFor()
    await page.locator('#get-quote').click()
    await page.locator('#quote', { hasText: 'Nobody is there to hire yet' }).waitFor()
    await page.locator('#run-sample').click()
    await page.locator('#job[data-state="queued"] #job-waits').waitFor()
    await page.locator('#job-cancel').click()
    await page.locator('#job[data-state="cancelled"]').waitFor()
    expect(await page.locator('#run-sample').isEnabled()).toBe(true)
    const kinds = await page.evaluate(async () => (await window.swarmharness?.exportLedger())?.records.length)
    expect(kinds).toBe(1)
  })
})

describe('a clock that is wrong', () => {
  test('is said to be, by how much', async () => {
    const page = await visitor(() => {
      const { now } = Date
      Date.now = () => now() - 3 * 3_600_000
    })
    await page.locator('#consent-hire').click()
    await page.locator('#clock-off', { hasText: '3 h away' }).waitFor()
  })

  test('from one moment on is noticed, and when it is right again, too', async () => {
    const page = await visitor(() => {
      const { now } = Date
      Date.now = () => now() + (window.clockShift ?? 0)
    })
    await page.locator('#consent-start').click()
    await page.locator('#contributing[data-contributing="true"]').waitFor()
    await page.evaluate(() => {
      window.clockShift = 3 * 3_600_000
    })
    await page.locator('#clock-off', { hasText: '3 h away' }).waitFor()
    await page.locator('#contributing[data-paused="clock"]').waitFor()
    await page.evaluate(() => {
      window.clockShift = 0
    })
    await page.locator('#contributing[data-contributing="true"]').waitFor()
    await page.locator('#clock-off').waitFor({ state: 'detached' })
  })

  test('and one that is right is not spoken of', async () => {
    const page = await visitor()
    const compared = page.waitForResponse((response) => response.request().method() === 'HEAD')
    await page.locator('#consent-hire').click()
    await compared
    await page.locator('#state').waitFor()
    expect(await page.locator('#clock-off').count()).toBe(0)
  })
})
