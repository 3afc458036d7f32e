import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createRelay, type Relay } from '../../relay/index.ts'
import { launchChromium } from '../../src/cli/demo/tabs.ts'
import { openIdentity, type Swarm } from '../../src/index.ts'
import { NETWORKS, networkOf } from '../../src/wire/index.ts'
import { DIST, startProvider } from '../fixtures/page-house.ts'

// What is a visitor's own: the identity as it moves from browser to browser, the page's copy, and the end of both.

const PASSPHRASE = 'correct horse battery'

let folder: string
let dist: string
let relay: Relay
let browser: Browser
let provider: Swarm
const contexts: BrowserContext[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'own-'))
  dist = join(folder, 'dist')
  await cp(DIST, dist, { recursive: true })
  relay = await startRelay()
  browser = await launchChromium()
  provider = await startProvider(relay)
})
afterEach(async () => {
  await Promise.all(contexts.splice(0).map((context) => context.close()))
})
afterAll(async () => {
  await provider?.stop()
  await browser?.close()
  await relay?.stop()
  await rm(folder, { recursive: true, force: true })
})

const startRelay = async (port = 0) =>
  createRelay({
    network: await networkOf(NETWORKS.local),
    staticFolder: dist,
    dataFolder: join(folder, 'relay'),
    port
  })

async function visitor(): Promise<Page> {
  const context = await browser.newContext()
  contexts.push(context)
  const page = await context.newPage()
  page.on('pageerror', (error) => expect.unreachable(error.message))
  await page.goto(relay.origin)
  await page.locator('#consent-hire').click()
  await running(page)
  return page
}

async function running(page: Page): Promise<string> {
  await page.waitForFunction(() => window.swarmharness !== undefined)
  return page.evaluate(() => window.swarmharness?.peer ?? '')
}

/** A phone shows one view at a time, a wide screen all. */
async function unfold(page: Page): Promise<void> {
  await page.locator('#identity > summary').click()
}

async function hire(page: Page): Promise<void> {
  await page.locator('#run-sample[aria-disabled="false"]').click()
  await page.locator('#job[data-state="done"]').waitFor({ timeout: 60_000 })
}

const settledOf = (page: Page) => page.evaluate(() => String(window.swarmharness?.status.balance.settled))

test('an identity goes from one browser to another by a sealed file, hires on there, and all of it can be erased', async () => {
  const old = await visitor()
  await hire(old)
  const peer = await running(old)
  const settled = await settledOf(old)
  await unfold(old)
  await old.locator('#move-passphrase').fill(PASSPHRASE)
  await old.locator('#move-repeat').fill(PASSPHRASE)
  const [download] = await Promise.all([old.waitForEvent('download'), old.locator('#move').click()])
  const path = join(folder, download.suggestedFilename())
  await download.saveAs(path)
  await old.locator('#moved').waitFor()
  await expect(openIdentity(await readFile(path))).rejects.toMatchObject({ code: 'PASSPHRASE' })

  const fresh = await visitor()
  expect(await running(fresh)).not.toBe(peer)
  const stranger = await running(fresh)
  await unfold(fresh)
  // what is damaged changes nothing
  const bytes = await readFile(path)
  await fresh.locator('#identity-file').setInputFiles({
    name: 'damaged.identity',
    mimeType: 'application/octet-stream',
    buffer: bytes.subarray(0, -1)
  })
  await fresh.locator('#open-passphrase').fill(PASSPHRASE)
  await fresh.locator('#look').click()
  await fresh.locator('#identity-error', { hasText: 'MALFORMED' }).waitFor()
  await fresh.locator('#identity-file').setInputFiles(path)
  expect(await running(fresh)).toBe(stranger)
  await fresh.locator('#look').click()
  await fresh.locator(`#found[data-peer="${peer}"]`).waitFor()
  await fresh.locator('#take-up').click()
  await fresh.locator(`#peer-id[data-peer="${peer}"]`).waitFor()
  expect(await settledOf(fresh)).toBe(settled)
  await hire(fresh)
  expect(BigInt(await settledOf(fresh))).toBeLessThan(BigInt(settled))

  // where it was nothing is signed any more, and the file can be made again until somebody says that it is kept
  await old.reload()
  await old.locator('#start-error', { hasText: 'MOVED' }).waitFor()
  await old.locator('#move-passphrase').fill(PASSPHRASE)
  await old.locator('#move-repeat').fill(PASSPHRASE)
  const [again] = await Promise.all([old.waitForEvent('download'), old.locator('#move').click()])
  const second = await openIdentity(await readFile(await again.path()), PASSPHRASE)
  const { records } = await openIdentity(bytes, PASSPHRASE)
  expect(second).toMatchObject({ peer, records })
  await old.locator('#have-file').click()
  await old.locator('#moved[data-safe="true"]').waitFor()
  await old.reload()
  await old.locator('#start-error', { hasText: 'MOVED' }).waitFor()
  expect(await old.locator('#move-form').count()).toBe(0)

  await unfold(fresh)
  await fresh.locator('#erase-word').fill('ERASE')
  await fresh.locator('#erase').click()
  await fresh.locator('#erased').waitFor()
  const left = await fresh.evaluate(async () => ({
    databases: await indexedDB.databases(),
    stored: localStorage.length + sessionStorage.length,
    caches: await caches.keys(),
    workers: (await navigator.serviceWorker.getRegistrations()).length
  }))
  expect(left).toEqual({ databases: [], stored: 0, caches: [], workers: 0 })
  await fresh.locator('#load-again').click()
  await fresh.locator('#consent-hire').click()
  expect(await running(fresh)).not.toBe(peer)
})

/** The copies that the browser keeps become these. */
const hasCopies = (page: Page, names: string) =>
  expect.poll(() => page.evaluate(async () => (await caches.keys()).join()), { timeout: 30_000 }).toBe(names)

/** The page of another version: its first file has another name. A relay looks at its files when it starts. */
async function deploy(version: string): Promise<void> {
  const index = await readFile(join(dist, 'index.html'), 'utf8')
  const [, entry = ''] = index.match(/assets\/([\w.-]+\.js)/) ?? []
  const name = `index-${version}.js`
  await writeFile(join(dist, 'index.html'), index.replace(entry, name))
  await writeFile(join(dist, 'assets', name), `import './${entry}'`)
  const worker = join(dist, 'service-worker.js')
  const text = await readFile(worker, 'utf8')
  await writeFile(worker, text.replace(/"version":"\w+"/, `"version":"${version}"`).replace(entry, name))
}

/** The service worker is there, with all its files. */
const isKept = (page: Page) => page.evaluate(async () => (await navigator.serviceWorker.ready).active?.state)

test('where the relay is gone the kept page opens all the same: the ledger is shown and saved, and it joins when the relay is back', async () => {
  const page = await visitor()
  const peer = await running(page)
  await isKept(page)
  const { port } = new URL(relay.origin)
  await relay.stop()
  await page.reload()
  expect(await running(page)).toBe(peer)
  expect(await page.evaluate(() => navigator.onLine)).toBe(true)
  await page.locator('#offline', { hasText: 'relay' }).waitFor()
  await page.locator('#own > summary').click()
  await page.locator('#check-ledger').click()
  await page.locator('#ledger-check', { hasText: 'All holds' }).waitFor()
  const [saved] = await Promise.all([page.waitForEvent('download'), page.locator('#export-ledger').click()])
  expect((await readFile(await saved.path())).byteLength).toBeGreaterThan(100)

  relay = await startRelay(Number(port))
  await page.locator('#state[data-state="relayed"], #state[data-state="direct"]').waitFor({ timeout: 60_000 })
  expect(await running(page)).toBe(peer)
  expect(await page.locator('#offline').count()).toBe(0)
})

test('the page opens offline and says what works, goes on when the network is back, and offers a new version', async () => {
  const page = await visitor()
  const context = page.context()
  await isKept(page)
  const { port } = new URL(relay.origin)
  await relay.stop()
  await context.setOffline(true)
  await page.goto(`${relay.origin}/?lang=en`)
  await running(page)
  await page.locator('#offline').waitFor()
  await page.locator('#own > summary').click()
  await page.locator('#check-ledger').click()
  await page.locator('#ledger-check', { hasText: 'All holds' }).waitFor()
  // only files of ours are kept
  const kept = await page.evaluate(async () => {
    const names = await caches.keys()
    const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()))
    return { names, addresses: requests.flat().map(({ url }) => url) }
  })
  expect(kept.names).toHaveLength(1)
  expect(kept.addresses.length).toBeGreaterThan(4)
  expect(kept.addresses.every((address) => address.startsWith(relay.origin))).toBe(true)
  expect(kept.addresses.some((address) => /relay\.json|sdk/.test(address))).toBe(false)

  // a new version comes with the network
  await deploy('newer0000000')
  relay = await startRelay(Number(port))
  await context.setOffline(false)
  await page.locator('#state[data-state="relayed"], #state[data-state="direct"]').waitFor({ timeout: 30_000 })
  expect(await page.locator('#offline').count()).toBe(0)
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update())
  await page.locator('#update-now').click()
  await hasCopies(page, 'swarmharness-page-newer0000000')
  await page.locator('#update').waitFor({ state: 'detached' }) // by the reload
  await running(page)

  // of a version that the page itself is nobody is asked: the reload brought it, before its copy was there
  await relay.stop()
  await deploy('newest000000')
  relay = await startRelay(Number(port))
  await page.reload()
  await running(page)
  await hasCopies(page, 'swarmharness-page-newest000000')
  expect(await page.locator('#update').count()).toBe(0)
  await running(page)

  // without consent no copy is kept
  await page.locator('#withdraw').click()
  await page.locator('#consent-hire').waitFor()
  await hasCopies(page, '')
  expect(await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length)).toBe(0)
})
