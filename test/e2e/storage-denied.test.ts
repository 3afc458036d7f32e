import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createRelay } from '../../relay/index.ts'
import { NETWORKS, networkOf } from '../../src/wire/index.ts'
import { DIST } from '../fixtures/page-house.ts'
import { Profile } from '../fixtures/profile.ts'

/** What "block all site data" sets in a Chromium profile. */
const BLOCKED = { profile: { default_content_setting_values: { cookies: 2 } } }

test('a Chromium that blocks site data is told what to allow, and no node comes up that would sign what it cannot keep', async () => {
  const relay = await createRelay({ network: await networkOf(NETWORKS.local), staticFolder: DIST })
  const folder = await mkdtemp(join(tmpdir(), 'denied-'))
  const profile = new Profile(folder)
  try {
    await mkdir(join(folder, 'Default'))
    await writeFile(join(folder, 'Default', 'Preferences'), JSON.stringify(BLOCKED))
    const page = await profile.open()
    const started: string[] = []
    page.on('pageerror', (error) => expect.unreachable(error.message))
    page.on('websocket', (socket) => started.push(socket.url()))
    page.on('worker', (worker) => started.push(worker.url()))
    await page.goto(relay.origin)
    const isDenied = await page.evaluate(() => {
      try {
        return localStorage.length < 0
      } catch {
        return true
      }
    })
    expect(isDenied).toBe(true) // or this test shows nothing

    await page.locator('#consent-hire').click()
    await page.locator('#start-error', { hasText: 'Allow site data' }).waitFor()
    await page.locator('#start-again').waitFor()
    expect(started).toEqual([])
    expect(await page.evaluate(() => window.swarmharness)).toBeUndefined()
  } finally {
    await profile.close()
    await relay.stop()
    await rm(folder, { recursive: true })
  }
})
