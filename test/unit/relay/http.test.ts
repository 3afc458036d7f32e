import { mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Relay } from '../../../relay/index.ts'
import { startRelay, temporaryFolder } from '../../fixtures/started-relay.ts'

/** Sends raw text to the relay's port and collects what comes back until the end. */
function rawHttp(relay: Relay, text: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const socket = connect(Number(new URL(relay.origin).port), '127.0.0.1', () => socket.write(text))
  let answer = ''
  socket.setEncoding('latin1')
  socket.on('data', (data) => {
    answer += data
  })
  socket.on('close', () => resolve(answer))
  socket.on('error', reject)
  return promise
}

describe('HTTP', () => {
  async function site() {
    const staticFolder = await temporaryFolder()
    await mkdir(join(staticFolder, 'assets'))
    await mkdir(join(staticFolder, 'sdk'))
    await writeFile(join(staticFolder, 'index.html'), '<!doctype html><title>page</title>')
    await writeFile(join(staticFolder, 'assets', 'main-Ab3_-9xZ.js'), 'export {}')
    await writeFile(join(staticFolder, 'sdk', 'swarmharness.js'), 'export {}')
    await writeFile(join(staticFolder, '.secret'), 'no')
    return startRelay({ staticFolder })
  }
  const get = (relay: Relay, path: string, init?: RequestInit) => fetch(relay.origin + path, init)

  test('serves the page with security headers, to be asked for again', async () => {
    const response = await get(await site(), '/')
    expect(await response.text()).toContain('page')
    expect(response.headers.get('content-type')).toMatch(/^text\/html/)
    expect(response.headers.get('cache-control')).toBe('no-cache')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('referrer-policy')).toBe('no-referrer')
    const policy = response.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).toContain("'wasm-unsafe-eval'")
    expect(policy).not.toContain("'unsafe-eval'")
    expect(policy).toContain("worker-src 'self' blob:")
  })

  test('hashed files are kept for ever, the SDK is for every site', async () => {
    const relay = await site()
    const asset = await get(relay, '/assets/main-Ab3_-9xZ.js')
    expect(asset.headers.get('cache-control')).toContain('immutable')
    expect(asset.headers.get('access-control-allow-origin')).toBeNull()
    const sdk = await get(relay, '/sdk/swarmharness.js')
    expect(sdk.headers.get('access-control-allow-origin')).toBe('*')
    expect(sdk.headers.get('cache-control')).toBe('no-cache')
    expect(sdk.headers.get('content-type')).toMatch(/javascript/)
  })

  test('/relay.json names the relay at the host that was asked', async () => {
    const relay = await site()
    const { port } = new URL(relay.origin)
    const answer = await get(relay, '/relay.json')
    expect(await answer.json()).toEqual({
      network: 'local',
      relays: [`/ip4/127.0.0.1/tcp/${port}/ws/p2p/${relay.peer}`],
      iceServers: []
    })
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    const named = await rawHttp(
      relay,
      'GET /relay.json HTTP/1.1\r\nHost: lab.example:99\r\nConnection: close\r\n\r\n'
    )
    expect(named).toContain(`/dns4/lab.example/tcp/99/ws/p2p/${relay.peer}`)
  })

  test('/healthz tells that it lives', async () => {
    const relay = await startRelay()
    expect(await (await get(relay, '/healthz')).json()).toMatchObject({
      ok: true,
      peer: relay.peer,
      jobStreams: 0
    })
    expect((await get(relay, '/')).status).toBe(404)
  })

  test.each([
    ['GET /../../etc/passwd HTTP/1.1', '400'],
    ['GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1', '400'],
    ['GET /..%5c..%5cetc HTTP/1.1', '400'],
    ['GET /%00 HTTP/1.1', '400'],
    ['GET /%ff HTTP/1.1', '400'],
    ['GET http://elsewhere/ HTTP/1.1', '400'],
    ['GET /.secret HTTP/1.1', '404'],
    ['GET /missing HTTP/1.1', '404'],
    ['POST / HTTP/1.1', '405'],
    ['DELETE /index.html HTTP/1.1', '405'],
    ['BREW / HTTP/1.1', '400'],
    ['GET / HTTP/9.9', '505|400'],
    [`GET /${'a'.repeat(4_000)} HTTP/1.1`, '400'],
    [`GET / HTTP/1.1\r\nX-Large: ${'a'.repeat(20_000)}`, '431']
  ])('%.60s is answered with %s', async (head, status) => {
    const relay = await site()
    const answer = await rawHttp(relay, `${head}\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`)
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 (${status}) `))
    expect((await get(relay, '/healthz')).ok).toBe(true)
  })

  test('a range that is none does no harm', async () => {
    const relay = await site()
    for (const range of ['bytes=9-2', 'bytes=-', 'bytes=x-y', 'bytes=99999-']) {
      expect((await get(relay, '/', { headers: { range } })).status).toBe(200)
    }
  })

  test.each(['a b', 'x:0', 'x:99999', '[zz]', ''])('a Host header “%s” is refused', async (host) => {
    const relay = await startRelay()
    const answer = await rawHttp(
      relay,
      `GET /relay.json HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`
    )
    expect(answer).toMatch(/^HTTP\/1.1 400 /)
  })
})
