import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRelay, type Relay } from '../../relay/index.ts'
import { CHROMIUM_FLAGS } from '../../scripts/chromium-flags.ts'
import { findChromium } from '../../scripts/find-chromium.mjs'
import { NETWORKS, networkOf } from '../../src/wire/index.ts'
import type { NetPage } from '../fixtures/net-page.ts'

// How two real tabs meet. Each context is a peer of its own; the relay introduces them.

declare const netPage: NetPage

let folder: string
let relay: Relay
let browser: Browser

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'net-page-'))
  await build({
    configFile: false,
    logLevel: 'warn',
    build: {
      outDir: folder,
      emptyOutDir: false,
      target: 'es2024',
      minify: false,
      lib: {
        entry: fileURLToPath(new URL('../fixtures/net-page.ts', import.meta.url)),
        formats: ['es'],
        fileName: 'net-page'
      }
    }
  })
  await writeFile(
    join(folder, 'index.html'),
    '<!doctype html><title>net</title><script type="module" src="/net-page.js"></script>'
  )
  relay = await createRelay({ network: await networkOf(NETWORKS.local), staticFolder: folder })
  const executablePath = findChromium()
  browser = await chromium.launch({
    args: [...CHROMIUM_FLAGS],
    ...(executablePath === undefined ? {} : { executablePath })
  })
})

afterAll(async () => {
  await browser?.close()
  await relay?.stop()
  await rm(folder, { recursive: true })
})

async function openTab(): Promise<{ page: Page; peer: string }> {
  const context = await browser.newContext()
  const page = await context.newPage()
  page.on('pageerror', (error) => expect.unreachable(error.message))
  await page.goto(relay.origin)
  const peer = await page.evaluate((relays) => netPage.start(relays), [...relay.multiaddrs])
  return { page, peer }
}

test('two tabs connect over WebRTC through the relay twenty times without a hang', async () => {
  const [a, b] = await Promise.all([openTab(), openTab()])
  const times: number[] = []
  for (let i = 0; i < 20; i++) {
    const [from, to] = i % 2 === 0 ? [a, b] : [b, a]
    const dialled = await from.page.evaluate(([peer]) => netPage.dial(peer, 8_000), [to.peer] as const)
    expect(dialled).toMatchObject({ direct: true, transport: 'webrtc' })
    times.push(dialled.ms)
    expect(await from.page.evaluate(([peer]) => netPage.echo(peer), [to.peer] as const)).toBe(3)
    await Promise.all([
      a.page.evaluate(([peer]) => netPage.hangUp(peer), [b.peer] as const),
      b.page.evaluate(([peer]) => netPage.hangUp(peer), [a.peer] as const)
    ])
  }
  console.log('dial ms', times.map(Math.round).join(' '))
  expect(relay.counters().jobStreams).toBe(0)
})
