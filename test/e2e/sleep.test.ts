import process from 'node:process'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium } from '../../src/cli/demo/tabs.ts'
import { createSwarm, type PeerIdString } from '../../src/index.ts'
import { product } from '../fixtures/node-house.ts'
import { PageHouse } from '../fixtures/page-house.ts'

// A device that sleeps: the process that draws the page is stopped, and goes on later. Nightly: it takes ten seconds.

let browser: Browser
let house: PageHouse
let context: BrowserContext

beforeAll(async () => {
  browser = await launchChromium()
  house = await PageHouse.open('local', browser)
  context = await browser.newContext()
})
afterAll(async () => {
  await context?.close()
  await house?.close()
  await browser?.close()
})

async function visitor(): Promise<Page> {
  const page = await context.newPage()
  await page.goto(`${house.origin}/?backend=cpu&power=5`)
  return page
}

/** The process that draws the page. */
async function rendererOf(page: Page): Promise<number> {
  const devtools = await page.context().newCDPSession(page)
  const { targetInfo } = await devtools.send('Target.getTargetInfo')
  const whole = await browser.newBrowserCDPSession()
  const renderers = async () =>
    (await whole.send('SystemInfo.getProcessInfo')).processInfo.filter(({ type }) => type === 'renderer')
  const before = await renderers()
  expect(targetInfo.url).toContain(house.origin)
  // the one that works when the page is made to
  await page.evaluate(() => {
    const until = performance.now() + 300
    while (performance.now() < until);
  })
  const spent = (await renderers()).map(({ id, cpuTime }) => ({
    id,
    worked: cpuTime - (before.find((each) => each.id === id)?.cpuTime ?? 0)
  }))
  await whole.detach()
  const [most] = spent.sort((a, b) => b.worked - a.worked)
  return most?.id ?? expect.unreachable('no renderer')
}

test('a tab that sleeps in the middle of a job loses its units, and has work again when it wakes', async () => {
  const requester = await createSwarm({ relays: [...house.relay.multiaddrs], backend: 'cpu', workers: 1 })
  let sleeping: number | undefined
  try {
    const page = await visitor()
    await page.locator('#consent-start').click()
    await page.locator('#device[data-backend="cpu"]').waitFor()
    // the page shows its node, whose own id is a peer id
    const peer = (await page.locator('#peer-id').getAttribute('data-peer')) as PeerIdString
    const renderer = await rendererOf(page)
    const options = { units: 8, providers: [peer], providerWaitMs: 60_000 }
    const job = requester.submit('matmul-i8', product(512), options)
    const seen: string[] = []
    for await (const { type } of job) {
      seen.push(type)
      if (type === 'verified' && sleeping === undefined) {
        sleeping = renderer
        process.kill(renderer, 'SIGSTOP')
      } else if (type === 'retried' && sleeping !== undefined) {
        process.kill(renderer, 'SIGCONT')
      }
    }
    expect(seen).toContain('retried')
    expect((await job.result).receipt.providers.map(({ peer }) => peer)).toContain(peer)
    await page.locator('#state[data-state="direct"]').waitFor()
  } finally {
    if (sleeping !== undefined) process.kill(sleeping, 'SIGCONT')
    await requester.stop()
  }
})
