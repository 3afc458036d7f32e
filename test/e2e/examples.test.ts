import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import sirv from 'sirv'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PageHouse } from '../fixtures/page-house.ts'

// Pages of other sites that hire the swarm, by what a relay's host serves.

const REPOSITORY = new URL('../../', import.meta.url)

let house: PageHouse
beforeAll(async () => {
  house = await PageHouse.open()
  await house.provider()
})
afterAll(async () => {
  await house?.close()
  await house?.browser.close()
})

/** A site of its own, another one than the relay's, and a page to visit it with. */
async function onSite(
  site: RequestListener,
  visit: (page: Page, url: string) => Promise<void>
): Promise<void> {
  const server = createServer(site).listen(0, 'localhost')
  await once(server, 'listening')
  const page = await house.browser.newPage()
  try {
    // listening on TCP: the address is no pipe's name
    await visit(page, `http://localhost:${(server.address() as AddressInfo).port}/`)
  } finally {
    await page.close()
    server.close()
  }
}

test('the example page draws what others computed, and loads nothing before it is asked to', () =>
  onSite(sirv(fileURLToPath(new URL('examples/hire-from-a-page', REPOSITORY))), async (page, url) => {
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    await page.goto(`${url}?host=${house.origin}`)
    expect(asked.filter((address) => address.startsWith(house.origin))).toEqual([])
    await page.click('#hire')
    await page.waitForFunction(() => /^(done|[A-Z_]+):/.test(document.querySelector('output')?.value ?? ''))
    expect(await page.locator('#said').evaluate((said: HTMLOutputElement) => said.value)).toMatch(
      /^done: paid \d+ µcr to 1$/
    )
    const shades = await page.evaluate(() => {
      const canvas = document.querySelector('canvas')
      const { data } = canvas?.getContext('2d')?.getImageData(0, 0, 320, 200) ?? { data: [] }
      return new Set(data).size
    })
    expect(shades).toBeGreaterThan(20)
  }))

test('the lines that the README has for a page hire the swarm', () => {
  const [, lines = ''] =
    /```html\n(.*?)```/s.exec(readFileSync(new URL('README.md', REPOSITORY), 'utf8')) ?? []
  expect(lines).toContain('http://127.0.0.1:7717/sdk/')
  const html = `<!doctype html>${lines.replace('http://127.0.0.1:7717', house.origin)}`
  const site: RequestListener = (_, response) => response.setHeader('Content-Type', 'text/html').end(html)
  return onSite(site, async (page, url) => {
    const said: string[] = []
    page.on('console', (message) => said.push(message.text()))
    await Promise.all([page.waitForEvent('console', (message) => message.text() === 'done'), page.goto(url)])
    expect(said[0]).toBe('queued')
  })
})
