import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type * as Sdk from '../../src/index.ts'
import type { Swarm } from '../../src/index.ts'
import { PageHouse } from '../fixtures/page-house.ts'

// A page of another site: its own origin (localhost, not 127.0.0.1), nothing of ours but one import.

/** Of the partner's page. (In the test it would be the test runner's import.) */
declare const load: (url: string) => Promise<typeof Sdk>

let house: PageHouse
let site: Server
let provider: Swarm

beforeAll(async () => {
  house = await PageHouse.open()
  site = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html')
    response.end('<!doctype html><title>a partner</title><script>load = (url) => import(url)</script>')
  }).listen(0, 'localhost')
  await once(site, 'listening')
  provider = await house.provider()
})
afterAll(async () => {
  site?.close()
  await house?.close()
  await house?.browser.close()
})

test('a page of another site imports the SDK, hires and serves', async () => {
  const context = await house.browser.newContext()
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', ({ message }) => errors.push(message))
  const requests: string[] = []
  page.on('request', (request) => requests.push(request.url()))
  // listening on TCP: the address is no pipe's name
  const { port } = site.address() as AddressInfo
  await page.goto(`http://localhost:${port}/`)

  const hired = await page.evaluate(
    async ({ sdk, peer }) => {
      const { createSwarm: create } = await load(sdk)
      const swarm = await create()
      const matrix = Int8Array.from({ length: 64 * 64 }, (_, i) => i * 7)
      const job = swarm.submit<{ c: Int32Array }>(
        'matmul-i8',
        { a: matrix, b: matrix, m: 64, k: 64, n: 64 },
        { units: 2, providers: [peer] }
      )
      const { value, receipt } = await job.result
      let first = 0
      for (let l = 0; l < 64; l++) {
        first += (matrix[l] ?? 0) * (matrix[l * 64] ?? 0)
      }
      await swarm.contribute()
      const { device, contributing } = swarm.status
      const error = await Promise.resolve()
        .then(() => swarm.submit('matmul-i8', { m: 0 }))
        .then(
          () => undefined,
          (thrown) => ({ isOurs: thrown instanceof Error, code: thrown.code })
        )
      await swarm.stop()
      return {
        isRight: value.c[0] === first,
        paid: String(receipt.paid),
        backend: device?.backend,
        contributing,
        error,
        state: swarm.status.state
      }
    },
    { sdk: `${house.origin}/sdk/swarmharness.js`, peer: provider.peer }
  )
  expect(hired).toMatchObject({
    isRight: true,
    paid: '2',
    contributing: true,
    error: { isOurs: true, code: 'BAD_INPUT' },
    state: 'stopped'
  })
  expect(hired.backend).toMatch(/^(webgpu|cpu)$/)
  expect(errors).toEqual([])
  // one module and the relay's address; the worker travels inside the module
  const ours = requests.filter((url) => url.startsWith(house.origin)).map((url) => new URL(url).pathname)
  expect(ours.sort()).toEqual(['/relay.json', '/sdk/swarmharness.js'])
  await context.close()
})
