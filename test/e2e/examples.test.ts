import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import sirv from 'sirv'
import { expect, test } from 'vitest'
import { createSwarm } from '../../src/index.ts'
import { PageHouse } from '../fixtures/page-house.ts'

test('the example page draws what others computed, and loads nothing before it is asked to', async () => {
  const house = await PageHouse.open()
  const site = createServer(sirv(fileURLToPath(new URL('../../examples/hire-from-a-page', import.meta.url))))
  const provider = await createSwarm({
    relays: [...house.relay.multiaddrs],
    listen: ['/ip4/127.0.0.1/tcp/0/ws'],
    backend: 'cpu',
    workers: 1
  })
  try {
    await provider.contribute()
    site.listen(0, 'localhost')
    await once(site, 'listening')
    const page = await house.browser.newPage()
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    // listening on TCP: the address is no pipe's name
    await page.goto(`http://localhost:${(site.address() as AddressInfo).port}/?host=${house.origin}`)
    expect(asked.filter((url) => url.startsWith(house.origin))).toEqual([])
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
  } finally {
    site.close()
    await provider.stop()
    await house.close()
    await house.browser.close()
  }
})
