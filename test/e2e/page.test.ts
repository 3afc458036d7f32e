import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { CHROMIUM_FLAGS } from '../../scripts/chromium-flags.ts'
import { findChromium } from '../../scripts/find-chromium.mjs'
import { decodeLedgerFile, encodeLedgerFile, type Swarm } from '../../src/index.ts'
import { PageHouse } from '../fixtures/page-house.ts'

// The built page as a visitor meets it, in a Chromium that has no WebGPU, with one provider in Node.

declare global {
  interface Window {
    isStorageFull?: boolean
    /** Files that the page has begun to read. */
    filesRead?: string[]
  }
}

let house: PageHouse
let browser: Browser
let provider: Swarm
const contexts: BrowserContext[] = []

beforeAll(async () => {
  const executablePath = findChromium()
  browser = await chromium.launch({
    args: CHROMIUM_FLAGS.filter((flag) => !flag.includes('webgpu')),
    ...(executablePath === undefined ? {} : { executablePath })
  })
  house = await PageHouse.open('local', browser)
  provider = await house.provider()
})
afterEach(async () => {
  await Promise.all(contexts.splice(0).map((context) => context.close()))
})
afterAll(async () => {
  await house?.close()
  await browser?.close()
})

async function visitor(): Promise<BrowserContext> {
  const context = await browser.newContext()
  contexts.push(context)
  return context
}

async function open(context: BrowserContext, query = ''): Promise<Page> {
  const page = await context.newPage()
  page.on('pageerror', (error) => expect.unreachable(error.message))
  await page.goto(`${house.origin}/${query}`)
  return page
}

async function running(page: Page): Promise<string> {
  await page.waitForFunction(() => window.swarmharness !== undefined)
  return page.evaluate(() => window.swarmharness?.peer ?? '')
}

/** What a page has left behind in its browser. */
const traces = (page: Page) =>
  page.evaluate(async () => ({
    databases: (await indexedDB.databases()).map(({ name }) => name),
    stored: localStorage.length + sessionStorage.length,
    cookies: document.cookie,
    caches: await caches.keys(),
    serviceWorkers: (await navigator.serviceWorker.getRegistrations()).length,
    locks: ((await navigator.locks.query()).held ?? []).map(({ name }) => name)
  }))

describe('before consent', () => {
  test('the page loads its own static files, and nothing else happens', async () => {
    const context = await visitor()
    const asked: string[] = []
    const started: string[] = []
    context.on('request', (request) => asked.push(request.url()))
    context.on('serviceworker', (worker) => started.push(worker.url()))
    context.on('page', (page) => {
      page.on('websocket', (socket) => started.push(socket.url()))
      page.on('worker', (worker) => started.push(worker.url()))
    })
    const page = await open(context)
    await page.locator('#consent-start').waitFor()
    await page.waitForLoadState('networkidle')
    const paths = asked.map((url) => new URL(url))
    expect(paths.length).toBeGreaterThan(1)
    expect(paths.every(({ origin }) => origin === house.origin)).toBe(true)
    // the page itself, its one script, icons: no relay, none of what consent loads
    expect(
      paths.filter(({ pathname }) => !/^\/($|assets\/index-|icon\.svg|manifest\.)/.test(pathname))
    ).toEqual([])
    expect(started).toEqual([])
    expect(await traces(page)).toEqual({
      databases: [],
      stored: 0,
      cookies: '',
      caches: [],
      serviceWorkers: 0,
      locks: []
    })
  })
})

describe('a visitor without WebGPU', () => {
  test('contributes on the CPU, and is told so', async () => {
    const page = await open(await visitor())
    await page.locator('#consent-start').click()
    await running(page)
    await page.locator('#device[data-backend="cpu"]').waitFor()
    expect(await page.locator('#device').textContent()).toMatch(/CPU/)
    await page.locator('#contributing[data-contributing="true"]').waitFor()
    await page.locator('#pause').click()
    await page.locator('#contributing[data-paused="paused"]', { hasText: 'Paused: by you' }).waitFor()
    await page.locator('#run').click()
    await page.locator('#contributing[data-paused=""]', { hasText: 'Contributing' }).waitFor()
  })
})

describe('the form', () => {
  test('refuses what is no job, and starts none', async () => {
    const page = await open(await visitor())
    await page.locator('#consent-hire').click()
    await running(page)
    const good = { m: '64', k: '64', n: '64', seed: '1', budget: '' }
    const bad: Array<[keyof typeof good, string[]]> = [
      ['m', ['0', '-1', '', 'NaN', '4097', '1e2', '1.5', '0x10', '٣']],
      ['k', ['0']],
      ['n', ['99999999999999999999']],
      ['seed', ['-1']],
      ['budget', ['0', '-5', 'NaN', '1.5', '99999999999999999999', '10000001', '<b>']]
    ]
    for (const [field, texts] of bad) {
      for (const text of texts) {
        for (const [name, value] of Object.entries({ ...good, [field]: text })) {
          await page.locator(`#job-form #${name}`).fill(value)
        }
        await page.locator('#submit-job').click()
        await page.locator(`#job-form #${field}[aria-invalid="true"]`).waitFor()
        expect(await page.locator(`#${field}-error`).textContent(), `${field} ${text}`).not.toBe('')
      }
    }
    expect(await page.evaluate(() => window.swarmharness?.jobs().length)).toBe(0)
    // a budget below the price is the API's to refuse
    for (const [name, value] of Object.entries({ ...good, m: '512', k: '512', n: '512', budget: '1' })) {
      await page.locator(`#job-form #${name}`).fill(value)
    }
    await page.locator('#submit-job').click()
    expect(await page.locator('#submit-error').textContent()).toContain('BUDGET_TOO_SMALL')
    expect(await page.evaluate(() => window.swarmharness?.jobs().length)).toBe(0)
  })
})

describe('what is dropped on the form', () => {
  test('by the hand itself: a file is taken; a huge one and a folder are refused, and neither is read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dropped-'))
    const [small, huge, inside] = ['a.bin', 'huge.bin', 'photos'].map((name) => join(folder, name))
    if (small === undefined || huge === undefined || inside === undefined) throw new Error('three names')
    await writeFile(small, Int8Array.of(1, 2, 3, 4, 5, 6))
    await writeFile(huge, '')
    await truncate(huge, 20e9) // a hole: it takes no place
    await mkdir(inside)
    const context = await visitor()
    await context.addInitScript(() => {
      window.filesRead = []
      for (const how of ['arrayBuffer', 'text', 'stream', 'slice'] as const) {
        const read = Blob.prototype[how]
        Object.defineProperty(Blob.prototype, how, {
          value(this: Blob, ...given: never[]) {
            if (this instanceof File) window.filesRead?.push(this.name)
            return Reflect.apply(read, this, given)
          }
        })
      }
    })
    const page = await open(context)
    await page.locator('#consent-hire').click()
    await running(page)
    const session = await context.newCDPSession(page)
    const drop = async (selector: string, path: string) => {
      const target = page.locator(selector)
      await target.scrollIntoViewIfNeeded()
      const { x, y } = (await target.boundingBox()) ?? expect.unreachable('it is on the screen')
      const data = { items: [], files: [path], dragOperationsMask: 1 }
      for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
        await session.send('Input.dispatchDragEvent', { type, x: x + 5, y: y + 5, data })
      }
    }
    await drop('#a-source', small)
    await page.locator('#a-source option[value="file"]', { hasText: 'a.bin' }).waitFor({ state: 'attached' })
    await drop('#b-source', huge)
    await page.locator('#b-error', { hasText: 'Split the job' }).waitFor()
    for (const [selector, error] of [
      ['#b-source', '#b-error'],
      ['#job-form .row', '#form-error']
    ] as const) {
      await drop(selector, inside)
      await page.locator(error, { hasText: 'photos is a folder' }).waitFor()
    }
    expect(await page.evaluate(() => window.filesRead)).toEqual(['a.bin'])
    await rm(folder, { recursive: true })
  })
})

describe('a visitor that hires', () => {
  test('sees the sample job through to its receipt, and cancels another', async () => {
    const page = await open(await visitor())
    await page.locator('#consent-hire').click()
    await running(page)
    await page.locator('#run-sample').click()
    await page.locator('#job[data-state="done"]').waitFor({ timeout: 60_000 })
    await page.locator('#job-result:not([data-sha256=""])').waitFor()
    const receipt = page.locator('#job-receipt')
    const [paid, price] = [await receipt.getAttribute('data-paid'), await receipt.getAttribute('data-price')]
    expect(Number(paid)).toBeGreaterThan(0)
    expect(paid).toBe(price)
    await page.locator(`#balance-settled[data-microcredits="${10_000_000n - BigInt(paid ?? '0')}"]`).waitFor()

    // one that takes long: at the least power
    await provider.contribute({ power: 0.05 })
    for (const [name, value] of Object.entries({ m: '1024', k: '1024', n: '1024' })) {
      await page.locator(`#job-form #${name}`).fill(value)
    }
    await page.locator('#submit-job').click()
    await page.locator('#job[data-state="running"]').waitFor()
    await page.locator('#job-cancel').click()
    await page.locator('#job[data-state="cancelled"]').waitFor()
    await page.locator('#balance-escrowed[data-microcredits="0"]').waitFor({ state: 'attached' })
    await provider.contribute({ power: 1 })
    expect(await page.locator('#run-sample').isEnabled()).toBe(true)
  })
})

describe('storage that fills up while the node runs', () => {
  test('is said to be full, and once there is room the same job goes well', async () => {
    const context = await visitor()
    // Chromium believes for half a minute what it last heard of the room that is left
    await context.addInitScript(() => {
      for (const name of ['add', 'put'] as const) {
        const write = IDBObjectStore.prototype[name]
        IDBObjectStore.prototype[name] = function (this: IDBObjectStore, ...row: Parameters<typeof write>) {
          if (window.isStorageFull) throw new DOMException('There is no room.', 'QuotaExceededError')
          return write.apply(this, row)
        }
      }
    })
    const page = await open(context)
    await page.locator('#consent-hire').click()
    await running(page)
    await page.evaluate(() => {
      window.isStorageFull = true
    })
    await page.locator('#run-sample').click()
    await page.locator('#job-error', { hasText: 'FULL' }).waitFor()
    await page.evaluate(() => {
      window.isStorageFull = false
    })
    await page.locator('#run-sample[aria-disabled="false"]').click()
    await page.locator('#job[data-state="done"]').waitFor({ timeout: 60_000 })
    const receipt = page.locator('#job-receipt')
    const left = 10_000_000n - BigInt((await receipt.getAttribute('data-paid')) ?? '0')
    await page.locator(`#balance-settled[data-microcredits="${left}"]`).waitFor()
    await page.locator('#balance-escrowed[data-microcredits="0"]').waitFor({ state: 'attached' })
  })
})

describe('a picture', () => {
  test('is rendered, zoomed by a click, found again after a reload, and its ledger holds', async () => {
    const page = await open(await visitor())
    await page.locator('#consent-hire').click()
    await running(page)
    await page.locator('#skill-mandelbrot').check()
    await page.locator('#run-sample').click()
    await page.locator('#job[data-state="done"]').waitFor({ timeout: 60_000 })
    await page.locator('#job-picture').click({ position: { x: 20, y: 20 } })
    await page.locator('#job-cancel').waitFor()
    await page.locator('#job[data-state="done"]').waitFor({ timeout: 60_000 })
    expect(await page.locator('#span').inputValue()).toBe('0.0000025')
    const result = page.locator('#job-result:not([data-sha256=""])')
    const sum = await result.getAttribute('data-sha256')
    const paid = await page.locator('#job-receipt').getAttribute('data-paid')

    await page.reload()
    await running(page)
    expect(await page.locator('#earlier-jobs tr[data-state="done"]').count()).toBe(2)
    await page.locator('#earlier-jobs button').first().click()
    await page.locator('#zoom-in', { hasText: 'µcr' }).waitFor()
    expect(await result.getAttribute('data-sha256')).toBe(sum)
    expect(await page.locator('#job-receipt').getAttribute('data-paid')).toBe(paid)

    await page.locator('#own > summary').click()
    await page.locator('#records tr[data-kind="settle"]').first().waitFor()
    await page.locator('#check-ledger').click()
    await page.locator('#ledger-check', { hasText: 'All holds' }).waitFor()

    // so can the file of it that anybody got, or that of another; what is wrong first is named
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.locator('#export-ledger').click()
    ])
    const file = new Uint8Array(await readFile(await download.path()))
    const ledger = decodeLedgerFile(file)
    const records = ledger.records.map((record, place) =>
      place === 2
        ? { ...record, signature: record.signature.with(5, (record.signature[5] ?? 0) ^ 1) }
        : record
    )
    const files: Array<[name: string, bytes: Uint8Array, said: string]> = [
      ['theirs', encodeLedgerFile(await provider.exportLedger()), 'All holds'],
      ['spoilt', encodeLedgerFile({ ...ledger, records }), 'Record 2 does not hold (BAD_SIGNATURE)'],
      ['own', file, 'All holds']
    ]
    const give = (name: string, bytes: Uint8Array) =>
      page
        .locator('#ledger-file')
        .setInputFiles({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(bytes) })
    for (const [name, bytes, said] of files) {
      await give(`${name}.ledger`, bytes)
      await page.locator('#of-file', { hasText: `${name}.ledger` }).waitFor()
      await page.locator('#ledger-check', { hasText: said }).waitFor()
      await page.locator('#records').waitFor({ state: said === 'All holds' ? 'visible' : 'detached' })
    }
    await give('cut.ledger', file.subarray(0, -1))
    await page.locator('#own-error', { hasText: 'MALFORMED' }).waitFor()
    await page.locator('#of-file', { hasText: 'own.ledger' }).waitFor()
  })
})

describe('withdrawal', () => {
  test('in the middle of a job ends node, workers and sockets within half a second', async () => {
    const context = await visitor()
    const page = await context.newPage()
    const sockets: Array<Promise<unknown>> = []
    page.on('websocket', (socket) => sockets.push(socket.waitForEvent('close')))
    await page.goto(house.origin)
    await page.locator('#consent-start').click()
    await running(page)
    await page.locator('#device[data-backend="cpu"]').waitFor()
    await provider.contribute({ power: 0.05 })
    await page.locator('#run-sample').click()
    await page.locator('#job[data-state="running"]').waitFor()
    expect(page.workers().length).toBeGreaterThan(0)
    expect(sockets.length).toBeGreaterThan(0)
    const workers = page.workers().map((worker) => worker.waitForEvent('close'))

    const inTime = await page.evaluate(async () => {
      const app = document.querySelector('swarm-app')
      const button = app?.shadowRoot?.querySelector<HTMLElement>('#withdraw')
      // its own limit is a timer, too: two of them run in order, however late
      const halfASecond = new Promise((resolve) =>
        setTimeout(() => resolve(window.swarmharness === undefined), 500)
      )
      button?.click()
      return halfASecond
    })
    expect(inTime).toBe(true)
    await Promise.all([...workers, ...sockets])
    await page.locator('#consent-start').waitFor()
    expect(page.workers().filter((worker) => worker.url().includes('compute'))).toEqual([])
    expect(await page.evaluate(() => localStorage.length)).toBe(0)
    await provider.contribute({ power: 1 })
    await page.reload()
    await page.locator('#consent-start').waitFor()
    expect((await traces(page)).locks).toEqual([])
  })
})

describe('two tabs of one browser', () => {
  test('on a first visit, consented at the same moment, make one chain, in which both hire', async () => {
    const context = await visitor()
    const [a, b] = await Promise.all([open(context), open(context)])
    await Promise.all([a, b].map((page) => page.locator('#consent-hire').click()))
    const pages = await Promise.all(
      [a, b].map(async (page) => {
        const phase = page.locator('#app[data-phase="running"], #app[data-phase="viewing"]')
        await phase.waitFor()
        return { page, phase: await phase.getAttribute('data-phase') }
      })
    )
    expect(pages.map(({ phase }) => phase).sort()).toEqual(['running', 'viewing'])
    const leader = pages.find(({ phase }) => phase === 'running')?.page
    const other = pages.find(({ phase }) => phase === 'viewing')?.page
    if (leader === undefined || other === undefined) {
      throw new Error('one of each')
    }
    const peer = await running(leader)

    // the second shows the node of the first, and hires through it
    await other.locator('#viewing').waitFor()
    expect(await running(other)).toBe(peer)
    await other.locator('#balance-settled[data-microcredits="10000000"]').waitFor()
    await other.locator('#skill-mandelbrot').check()
    await other.locator('#run-sample').click()
    await other.locator('#job[data-state="done"]').waitFor({ timeout: 60_000 })
    const sum = await other.locator('#job-result:not([data-sha256=""])').getAttribute('data-sha256')
    const receipt = other.locator('#job-receipt')
    const [id, paid] = [await receipt.getAttribute('data-job'), await receipt.getAttribute('data-paid')]
    expect(Number(paid)).toBeGreaterThan(0)
    const left = `#balance-settled[data-microcredits="${10_000_000n - BigInt(paid ?? '0')}"]`
    await Promise.all([leader, other].map((page) => page.locator(left).waitFor()))
    await leader.locator(`#earlier-jobs [data-job="${id}"][data-state="done"]`).waitFor()
    const idsOf = (page: Page) =>
      page.evaluate(async () =>
        ((await window.swarmharness?.exportLedger())?.records ?? []).map(({ signature }) => signature.join())
      )
    const chain = await idsOf(leader)
    expect(await idsOf(other)).toEqual(chain)

    // it takes over when the first is gone: the same node, the same chain, the same jobs
    await leader.close()
    await other.locator('#take-over').click()
    await other.locator('#app[data-phase="running"]').waitFor()
    expect(await running(other)).toBe(peer)
    expect((await idsOf(other)).slice(0, chain.length)).toEqual(chain)
    await other.locator(`#earlier-jobs [data-job="${id}"] button`).click()
    expect(await other.locator('#job-result:not([data-sha256=""])').getAttribute('data-sha256')).toBe(sum)
  })
})
