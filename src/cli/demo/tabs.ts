import { networkInterfaces } from 'node:os'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { CHROMIUM_FLAGS } from '../../../scripts/chromium-flags.ts'
import { findChromium } from '../../../scripts/find-chromium.mjs'
import type { PeerIdString, SwarmCore } from '../../index.ts'
import { SwarmError } from '../../index.ts'

declare global {
  interface Window {
    /** The page's running node, after consent. */
    swarmharness?: SwarmCore
  }
}

/** One isolated Chromium context with the built page in it: storage, identity and ledger of its own. */
export interface Tab {
  readonly name: string
  readonly page: Page
  readonly context: BrowserContext
  readonly peer: PeerIdString
}

export interface TabInit {
  readonly name: string
  /** `contribute` serves and hires, `hire` only hires. */
  readonly consent: 'contribute' | 'hire'
  /** Forces a backend. @default the page's own choice */
  readonly backend?: 'webgpu' | 'cpu'
  readonly network?: 'local' | 'main'
  /** Percent. @default the page's own */
  readonly power?: number
}

const READY_TIMEOUT_MS = 30_000

/** @throws SwarmError `NO_CHROMIUM`, or `NO_INTERFACE` where WebRTC finds no address to connect with */
export async function launchChromium(): Promise<Browser> {
  const executablePath = findChromium()
  if (executablePath === undefined) {
    throw new SwarmError(
      'NO_CHROMIUM',
      'No Chromium was found: install one, or set CHROME_PATH to a Chrome or Chromium.'
    )
  }
  const isConnected = Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ internal }) => !internal)
  )
  if (!isConnected) {
    throw new SwarmError(
      'NO_INTERFACE',
      'This machine has only a loopback interface, and WebRTC needs another: connect it to any network, or add one.'
    )
  }
  return chromium.launch({ executablePath, args: [...CHROMIUM_FLAGS], headless: true })
}

/** Opens the page, clicks the consent, and waits until the node runs. */
export async function openTab(browser: Browser, origin: string, init: TabInit): Promise<Tab> {
  const context = await browser.newContext()
  const page = await context.newPage()
  const query = new URLSearchParams({
    ...(init.backend === undefined ? {} : { backend: init.backend }),
    ...(init.network === undefined ? {} : { network: init.network }),
    ...(init.power === undefined ? {} : { power: `${init.power}` })
  })
  await page.goto(`${origin}/?${query}`)
  await page.locator(init.consent === 'contribute' ? '#consent-start' : '#consent-hire').click()
  await page.waitForFunction(() => window.swarmharness !== undefined, undefined, {
    timeout: READY_TIMEOUT_MS
  })
  // the page waits for the node above, and a node's own id is a peer id
  const peer = (await page.evaluate(() => window.swarmharness?.peer)) as PeerIdString
  return { name: init.name, page, context, peer }
}

/** Resolves when the tab has heard the adverts of all these providers. */
export async function waitForProviders(tab: Tab, peers: readonly string[], skill: string): Promise<void> {
  await tab.page.waitForFunction(
    ({ peers, skill }) =>
      peers.every((wanted) =>
        window.swarmharness?.status.peers.some(
          ({ peer, skills }) => peer === wanted && skills.includes(skill)
        )
      ),
    { peers: [...peers], skill },
    { timeout: READY_TIMEOUT_MS }
  )
}
