import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { createRelay } from '../../relay/index.ts'
import { launchChromium } from '../../src/cli/demo/tabs.ts'
import { NETWORKS, networkOf } from '../../src/wire/index.ts'
import { buildPage } from '../pages/tabs.ts'

export interface FinderTab {
  readonly page: Page
  readonly peer: string
}

export interface TabSwarm {
  /** All tabs so far, each connected to each. */
  readonly tabs: readonly FinderTab[]
  /** Opens tabs until there are so many, and waits until each is connected to each. */
  grow(count: number): Promise<void>
  /** The tab is gone. */
  forget(tab: FinderTab): void
  close(): Promise<void>
}

const PAGES = join(import.meta.dirname, '..', 'pages')

/** A relay and a browser. @param refreshInterval of the tabs' registries (ms) */
export async function openTabSwarm(refreshInterval: number, log: (text: string) => void): Promise<TabSwarm> {
  const folder = await mkdtemp(join(tmpdir(), 'swarmharness-bench-'))
  await buildPage(folder, PAGES, 'finder.html')
  const relay = await createRelay({ network: await networkOf(NETWORKS.local), staticFolder: folder })
  const browser = await launchChromium()
  const tabs: FinderTab[] = []
  const relays = [...relay.multiaddrs]

  const isComplete = async () => {
    const peers = tabs.map(({ peer }) => peer)
    const counts = await Promise.all(
      tabs.map(({ page }) => page.evaluate((list) => window.finder?.connected(list) ?? 0, peers))
    )
    return counts.every((count) => count >= tabs.length - 1)
  }

  return {
    tabs,
    async grow(count) {
      while (tabs.length < count) {
        tabs.push(await openTab(browser, relay.origin, relays, refreshInterval, log))
      }
      log(`${count} tabs: waiting until each is connected to each`)
      while (!(await isComplete())) {
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    },
    forget(tab) {
      tabs.splice(tabs.indexOf(tab), 1)
    },
    async close() {
      await browser.close()
      await relay.stop()
      await rm(folder, { recursive: true, force: true })
    }
  }
}

async function openTab(
  browser: Browser,
  origin: string,
  relays: string[],
  refreshInterval: number,
  log: (text: string) => void
): Promise<FinderTab> {
  const context = await browser.newContext()
  const page = await context.newPage()
  page.on('pageerror', (error) => log(`page error: ${error.message}`))
  await page.goto(`${origin}/finder.html`)
  await page.waitForFunction(() => window.finder !== undefined)
  const peer = await page.evaluate(([list, ms]) => window.finder?.start(list, ms), [
    relays,
    refreshInterval
  ] as const)
  if (peer === undefined) {
    throw new Error('The page has no finder.')
  }
  return { page, peer }
}
