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

describe('a clock that is wrong', () => {
  test('is said to be, by how much', async () => {
    const page = await visitor(() => {
      const { now } = Date
      Date.now = () => now() - 3 * 3_600_000
    })
    await page.locator('#consent-hire').click()
    await page.locator('#clock-off', { hasText: '3 h away' }).waitFor()
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
