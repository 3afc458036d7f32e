import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createRelay, type Relay, type RelayOptions } from '../../../relay/index.ts'
import {
  connectDirect,
  createNode,
  isDirect,
  type RelayWatchdog,
  type SwarmNode,
  transportOf,
  watchRelays
} from '../../../src/net/index.ts'
import { NETWORKS, type Network, networkOf, type PeerIdString, protocolId } from '../../../src/wire/index.ts'
import { ManualTicker } from '../net/manual-ticker.ts'

let network: Network
beforeAll(async () => {
  network = await networkOf(NETWORKS.local)
})

const cleanups: Array<() => unknown> = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) {
    await cleanup()
  }
})

async function startRelay(options: Partial<RelayOptions> = {}): Promise<Relay> {
  const relay = await createRelay({ network, ...options })
  cleanups.push(() => relay.stop())
  return relay
}

async function startNode(relays: readonly string[], listen: string[] = []): Promise<SwarmNode> {
  const node = await createNode({ privateKey: await generateKeyPair('Ed25519'), network, relays, listen })
  cleanups.push(() => node.stop())
  return node
}

async function watched(relays: readonly string[], listen: string[] = []) {
  const node = await startNode(relays, listen)
  const watchdog = watchRelays(node, relays)
  cleanups.push(async () => watchdog.stop())
  await reserved(node, watchdog, 1)
  return { node, watchdog }
}

/** Waits for the event that may change the number of reserved relays. */
function reserved(node: SwarmNode, watchdog: RelayWatchdog, count: number): Promise<void> {
  return eventually(
    node,
    ['self:peer:update', 'peer:disconnect', 'peer:identify'],
    () => watchdog.reserved === count
  )
}

function eventually(
  node: SwarmNode,
  events: Array<'self:peer:update' | 'peer:disconnect' | 'peer:identify' | 'connection:close'>,
  condition: () => boolean
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const check = () => {
    if (condition()) {
      for (const event of events) {
        node.removeEventListener(event, check)
      }
      resolve()
    }
  }
  for (const event of events) {
    node.addEventListener(event, check)
  }
  check()
  return promise
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'relay-'))
  cleanups.push(() => rm(folder, { recursive: true }))
  return folder
}

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

describe('peers', () => {
  test('two nodes find each other through the DHT, talk directly, and go on without the relay', async () => {
    const relay = await startRelay()
    const { node: provider } = await watched(relay.multiaddrs, ['/ip4/127.0.0.1/tcp/0/ws'])
    const { node: requester } = await watched(relay.multiaddrs)
    const job = protocolId(network.parameters, 'job')
    await provider.handle(job, (stream) => {
      stream.addEventListener('message', ({ data }) => stream.send(data))
    })
    const peer = provider.peerId.toString() as PeerIdString
    const connection = await connectDirect(requester, peer, { signal: AbortSignal.timeout(10_000) })
    expect(isDirect(connection)).toBe(true)
    expect(transportOf(connection)).toBe('websocket')
    expect(await connectDirect(requester, peer)).toBe(connection)
    const counters = relay.counters()
    await relay.stop()

    const stream = await connection.newStream(job)
    const echoed = new Promise<string>((resolve) =>
      stream.addEventListener('message', ({ data }) => resolve(new TextDecoder().decode(data.subarray())))
    )
    stream.send(new TextEncoder().encode('work'))
    expect(await echoed).toBe('work')
    expect(counters.jobStreams).toBe(0)
    expect(counters.reservations).toBe(2)
    expect(Object.keys(counters.protocols)).not.toContain(job)
    expect(counters.protocols['/libp2p/circuit/relay/0.2.0/hop']?.streams).toBeGreaterThanOrEqual(2)
  })

  test('a relayed connection is told apart and carries no job', async () => {
    const relay = await startRelay()
    const { node: a } = await watched(relay.multiaddrs)
    const { node: b } = await watched(relay.multiaddrs)
    const job = protocolId(network.parameters, 'job')
    const advert = protocolId(network.parameters, 'advert')
    await b.handle(job, () => undefined)
    await b.handle(advert, (stream) => void stream.send(new Uint8Array(1_000)), {
      runOnLimitedConnection: true
    })
    const address = b.getMultiaddrs().find((candidate) => candidate.toString().includes('p2p-circuit'))
    if (address === undefined) {
      throw new Error('b has no relayed address')
    }
    const connection = await a.dial(address)
    expect(isDirect(connection)).toBe(false)
    expect(transportOf(connection)).toBe('websocket')
    await expect(connection.newStream(job)).rejects.toThrow(/limited/)
    const before = relay.counters().circuit
    const stream = await connection.newStream(advert, { runOnLimitedConnection: true })
    await new Promise((resolve) => stream.addEventListener('message', resolve, { once: true }))
    expect(relay.counters().circuit.in - before.in).toBeGreaterThan(1_000)
    await expect(connectDirect(a, b.peerId.toString() as PeerIdString)).rejects.toMatchObject({
      code: 'UNREACHABLE'
    })
  })

  test('a relay that is killed and comes back is reserved again', async () => {
    const dataFolder = await temporaryFolder()
    const first = await startRelay({ dataFolder })
    const port = Number(new URL(first.origin).port)
    const { node, watchdog } = await watched(first.multiaddrs)
    await first.stop()
    await reserved(node, watchdog, 0)
    const second = await startRelay({ dataFolder, port })
    expect(second.peer).toBe(first.peer)
    await reserved(node, watchdog, 1)
    expect(second.counters().reservations).toBe(1)
  })

  test('a full relay is asked again until there is room', async () => {
    const relay = await startRelay({ circuits: { reservations: 1 } })
    const { node: first } = await watched(relay.multiaddrs)
    const second = await startNode(relay.multiaddrs)
    const ticker = new ManualTicker()
    const watchdog = watchRelays(second, relay.multiaddrs, { ticker })
    cleanups.push(async () => watchdog.stop())
    await eventually(second, ['peer:identify'], () => second.getConnections().length === 1)
    ticker.tick(19)
    expect(second.getConnections().length).toBe(1)
    expect(watchdog.reserved).toBe(0)
    ticker.tick()
    await eventually(second, ['connection:close'], () => second.getConnections().length === 0)
    await first.stop()
    ticker.tick(4)
    await reserved(second, watchdog, 1)
    expect(relay.counters().reservations).toBe(1)
  })

  test('a circuit that carries more than its limit is cut', async () => {
    const relay = await startRelay({ circuits: { bytes: 20_000n } })
    const { node: a } = await watched(relay.multiaddrs)
    const { node: b } = await watched(relay.multiaddrs)
    const advert = protocolId(network.parameters, 'advert')
    await b.handle(advert, () => undefined, { runOnLimitedConnection: true })
    const address = b.getMultiaddrs().find((candidate) => candidate.toString().includes('p2p-circuit'))
    const connection = await a.dial(address ?? [])
    const stream = await connection.newStream(advert, { runOnLimitedConnection: true })
    const closed = new Promise((resolve) => stream.addEventListener('close', resolve, { once: true }))
    stream.send(new Uint8Array(50_000))
    await closed
  })
})

describe('upgrades', () => {
  test('one address gets only so many connections, and gets them back', async () => {
    const relay = await startRelay({ connectionsPerAddress: 2 })
    const open = () => upgrade(relay)
    const first = await open()
    const second = await open()
    expect([first.status, second.status]).toEqual([101, 101])
    expect((await open()).status).toBe(429)
    expect(relay.counters()).toMatchObject({ connections: 2, refused: 1 })
    await first.close()
    expect((await open()).status).toBe(101)
  })

  test('behind a trusted proxy the forwarded addresses count, an IPv6 one by its /64', async () => {
    const relay = await startRelay({ connectionsPerAddress: 1, trustProxy: true })
    const from = (address: string) => upgrade(relay, { 'X-Forwarded-For': `203.0.113.7, ${address}` })
    expect((await from('2001:db8::1')).status).toBe(101)
    expect((await from('2001:db8::2')).status).toBe(429)
    expect((await from('2001:db8:0:1::1')).status).toBe(101)
    expect((await from('198.51.100.1')).status).toBe(101)
  })

  test('without a trusted proxy X-Forwarded-For is not believed', async () => {
    const relay = await startRelay({ connectionsPerAddress: 1 })
    expect((await upgrade(relay, { 'X-Forwarded-For': '198.51.100.1' })).status).toBe(101)
    expect((await upgrade(relay, { 'X-Forwarded-For': '198.51.100.2' })).status).toBe(429)
  })

  test('an upgrade to anything else is refused', async () => {
    const relay = await startRelay()
    expect((await upgrade(relay, { Upgrade: 'h2c' })).status).toBe(400)
  })
})

interface Upgraded {
  status: number | undefined
  close(): Promise<void>
}

function upgrade(relay: Relay, headers: Record<string, string> = {}): Promise<Upgraded> {
  const { promise, resolve, reject } = Promise.withResolvers<Upgraded>()
  const request = httpRequest(relay.origin, {
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers
    }
  })
  request.on('upgrade', (response, socket) => {
    socket.on('error', () => undefined)
    cleanups.push(async () => void socket.destroy())
    resolve({
      status: response.statusCode,
      close: async () => {
        socket.destroy()
        // The relay learns of it on its own socket.
        while (relay.counters().connections > 1) {
          await new Promise((done) => setImmediate(done))
        }
      }
    })
  })
  request.on('response', (response) => {
    response.resume()
    resolve({ status: response.statusCode, close: async () => undefined })
  })
  request.on('error', reject)
  request.end()
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

describe('life', () => {
  test('the identity is kept, and readable for its owner only', async () => {
    const dataFolder = await temporaryFolder()
    const first = await startRelay({ dataFolder })
    await first.stop()
    const again = await startRelay({ dataFolder })
    expect(again.peer).toBe(first.peer)
    for (const name of await readdir(dataFolder, { recursive: true })) {
      const { mode } = await stat(join(dataFolder, name))
      expect(mode & 0o077, name).toBe(0)
    }
  })

  test('a taken port is a typed error that says so', async () => {
    const relay = await startRelay()
    const port = Number(new URL(relay.origin).port)
    await expect(createRelay({ network, port })).rejects.toMatchObject({ code: 'PORT_TAKEN' })
  })

  test('stop ends with connections open, and twice is once', async () => {
    const relay = await startRelay()
    const { node } = await watched(relay.multiaddrs)
    const gone = new Promise((resolve) => node.addEventListener('peer:disconnect', resolve, { once: true }))
    await Promise.all([relay.stop(), relay.stop()])
    await gone
    await expect(fetch(`${relay.origin}/healthz`)).rejects.toThrow()
  })
})
