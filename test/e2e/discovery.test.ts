import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { multiaddr } from '@multiformats/multiaddr'
import type { Browser, Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createRelay, type Relay } from '../../relay/index.ts'
import { launchChromium, type Tab, waitForProviders } from '../../src/cli/demo/tabs.ts'
import { createNode, request } from '../../src/net/index.ts'
import { DOMAINS, NETWORKS, networkOf, protocolId, sign, signed } from '../../src/wire/index.ts'
import { PageHouse } from '../fixtures/page-house.ts'
import type { RegistryPage } from '../fixtures/registry-page.ts'

// Tabs find each other, and lose each other. In this order: each test leaves the tabs as the next one expects them.

declare const registryPage: RegistryPage

const SKILL = 'matmul-i8'
const TABS = 8

let browser: Browser
beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser?.close())

describe('eight tabs', () => {
  const peers = new Map<Page, string>()
  let folder: string
  let relay: Relay

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'registry-page-'))
    await buildFixturePage('registry-page', folder)
    relay = await startRelay()
    await Promise.all(Array.from({ length: TABS }, openTab))
  })
  afterAll(async () => {
    await Promise.all([...peers.keys()].map((page) => page.context().close()))
    await relay?.stop()
    await rm(folder, { recursive: true })
  })

  const startRelay = async (port = 0) =>
    createRelay({
      network: await networkOf(NETWORKS.local),
      staticFolder: folder,
      dataFolder: join(folder, 'data'),
      port
    })

  async function openTab(): Promise<Page> {
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(relay.origin)
    const relays = [...relay.multiaddrs]
    peers.set(
      page,
      await page.evaluate(([list, skill]) => registryPage.start(list, skill), [relays, SKILL] as const)
    )
    return page
  }

  const findsAll = (page: Page) => {
    const others = [...peers].filter(([other]) => other !== page).map(([, peer]) => peer)
    return page.evaluate(([skill, list]) => registryPage.findAll(skill, list), [SKILL, others] as const)
  }

  test('each finds each', async () => {
    await Promise.all([...peers.keys()].map(findsAll))
  })

  test('the relay is killed and started again: everybody is back within 10 s, and a new tab joins', async () => {
    const { port } = new URL(relay.origin)
    await relay.stop()
    relay = await startRelay(Number(port))
    const begun = performance.now()
    await vi.waitFor(() => expect(relay.counters().reservations).toBeGreaterThanOrEqual(TABS), {
      timeout: 10_000,
      interval: 50
    })
    console.log(`back after ${Math.round(performance.now() - begun)} ms`)
    const newcomer = await openTab()
    await findsAll(newcomer)
  })
})

describe('three tabs of the page', () => {
  let house: PageHouse
  const tabs: Tab[] = []

  beforeAll(async () => {
    house = await PageHouse.open('local', browser)
    const opening = Array.from({ length: 3 }, (_, i) =>
      house.tab({ name: `tab ${i}`, consent: 'contribute', backend: 'cpu', power: 5 })
    )
    tabs.push(...(await Promise.all(opening)))
    for (const tab of tabs) {
      const others = tabs.filter((other) => other !== tab).map(({ peer }) => peer)
      await waitForProviders(tab, others, SKILL)
    }
  })
  afterAll(() => house?.close())

  /** Resolves when the tab holds the peer for one that serves, or does so no more. */
  const serves = ({ page }: Tab, { peer }: Tab, isServing: boolean) =>
    page.waitForFunction(
      ({ peer, skill, isServing }) =>
        window.swarmharness?.status.peers.some((one) => one.peer === peer && one.skills.includes(skill)) ===
        isServing,
      { peer, skill: SKILL, isServing },
      { timeout: 10_000, polling: 50 }
    )

  /** All tabs but one are told within 10 s, which a refresh would not be. */
  const allSee = (seen: Tab, isServing: boolean) =>
    Promise.all(tabs.filter((tab) => tab !== seen).map((tab) => serves(tab, seen, isServing)))

  const at = (index: number): Tab => {
    const tab = tabs[index]
    if (tab === undefined) {
      throw new Error(`There is no tab ${index}.`)
    }
    return tab
  }

  describe('one that', () => {
    test.each([
      ['pauses', (tab: Tab) => tab.page.evaluate(() => window.swarmharness?.pause())],
      ['finishes', (tab: Tab) => tab.page.evaluate(() => window.swarmharness?.finish())]
    ])('%s: the others know at once, and again when it goes on', async (_, end) => {
      const tab = at(1)
      await end(tab)
      await allSee(tab, false)
      await tab.page.evaluate(() => window.swarmharness?.contribute({ power: 0.05 }))
      await allSee(tab, true)
    })

    test('is hidden: nothing changes', async () => {
      const hidden = at(2)
      const advertsOf = (tab: Tab) => tab.page.evaluate(() => window.swarmharness?.status.contributing)
      await hidden.page.evaluate(() => {
        Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true })
        Object.defineProperty(document, 'hidden', { value: true, configurable: true })
        document.dispatchEvent(new Event('visibilitychange'))
      })
      // a change elsewhere, told after it, arrives: what the hidden tab would have told had arrived by then
      await at(1).page.evaluate(() => window.swarmharness?.pause())
      await allSee(at(1), false)
      await at(1).page.evaluate(() => window.swarmharness?.contribute({ power: 0.05 }))
      await allSee(at(1), true)
      await allSee(hidden, true)
      expect(await advertsOf(hidden)).toBe(true)
    })

    test('is closed: the others lose it within 10 s, not in the 20 that its connections would take', async () => {
      const [closed] = tabs.splice(2, 1)
      if (closed === undefined) {
        throw new Error('There is no last tab.')
      }
      await closed.page.close()
      await allSee(closed, false)
    })
  })

  test('a peer that floods a tab with adverts changes nothing for the others', async () => {
    const network = await networkOf(NETWORKS.local)
    const key = await generateKeyPair('Ed25519')
    const flooder = await createNode({ privateKey: key, network, relays: [...house.relay.multiaddrs] })
    const [victim, other] = [at(0), at(1)]
    const [relay] = house.relay.multiaddrs
    const connection = await flooder.dial(multiaddr(`${relay}/p2p-circuit/p2p/${victim.peer}`))
    const skills = Array.from({ length: 30 }, (_, i) => ({
      name: i === 0 ? SKILL : `flood-${i}`,
      version: '1.0.0',
      kernel: new Uint8Array(32),
      rate: 0
    }))
    const advertOf = (seq: number) =>
      sign(key, DOMAINS.advert, {
        v: 1,
        net: network.hash,
        peer: flooder.peerId.toString(),
        seq,
        ts: Date.now(),
        expires: Date.now() + 180_000,
        skills,
        device: { backend: 'webgpu', class: 'fast', memory: 2 ** 40 },
        load: seq % 101,
        uptime: 1
      })
    const answers = await Promise.allSettled(
      Array.from({ length: 100 }, async (_, i) => {
        const stream = await connection.newStream(protocolId(network.parameters, 'advert'), {
          runOnLimitedConnection: true
        })
        return request(stream, signed, { t: 'advert', mine: await advertOf(i + 1) }, { maxBytes: 16_384 })
      })
    )
    expect(answers.some(({ status }) => status === 'fulfilled')).toBe(true)
    await other.page.evaluate(() => window.swarmharness?.pause())
    await serves(victim, other, false)
    await other.page.evaluate(() => window.swarmharness?.contribute({ power: 0.05 }))
    await serves(victim, other, true)
    await flooder.stop()
  })
})

/** A page of a fixture's own, built as the product's scripts are. */
async function buildFixturePage(name: string, outDir: string): Promise<void> {
  await build({
    configFile: false,
    logLevel: 'warn',
    build: {
      outDir,
      emptyOutDir: false,
      target: 'es2024',
      minify: false,
      lib: {
        entry: fileURLToPath(new URL(`../fixtures/${name}.ts`, import.meta.url)),
        formats: ['es'],
        fileName: name
      }
    }
  })
  await writeFile(
    join(outDir, 'index.html'),
    `<!doctype html><title>${name}</title><script type="module" src="/${name}.js"></script>`
  )
}
