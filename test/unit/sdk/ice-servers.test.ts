import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { RTCPeerConnection } from 'node-datachannel/polyfill'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { iceServer } from '../../../src/cli/commands/relay.ts'
import { readableIceServers } from '../../../src/net/ice-servers.ts'
import { memoryStore } from '../../../src/store/index.ts'
import { openSwarm } from '../../../src/swarm/sdk/index.ts'
import { said } from '../../fixtures/command-line.ts'
import { cleanups, startRelay } from '../../fixtures/started-relay.ts'

// From what a relay was told of STUN and TURN to what WebRTC is set up with, in Node and as in a page that the relay serves.

const webRTC = vi.hoisted(() => vi.fn())
vi.mock(import('@libp2p/webrtc'), async (original) => {
  const real = await original()
  return { ...real, webRTC: webRTC.mockImplementation(real.webRTC) }
})

const SERVERS = [iceServer('stun:stun.example:3478'), iceServer('turns:me:my:secret@turn.example:5349')]
const READABLE = [
  { urls: ['stun:stun.example:3478'] },
  { urls: ['turns:turn.example:5349'], username: 'me', credential: 'my%3Asecret' }
]
const withServers = (iceServers: object[]) => [[{ rtcConfiguration: { iceServers } }]]

let origin: string
beforeEach(async () => {
  webRTC.mockClear()
  origin = (await startRelay({ iceServers: SERVERS })).origin
})
afterEach(() => {
  vi.unstubAllGlobals()
})

async function start(init: Parameters<typeof openSwarm>[0]): Promise<void> {
  const swarm = await openSwarm(init, { store: memoryStore() })
  cleanups.push(() => swarm.stop())
}

describe('what the relay’s /relay.json names is what WebRTC gets', () => {
  test('in a page that the relay serves', async () => {
    const outside = fetch
    vi.stubGlobal('location', { hostname: '127.0.0.1' })
    vi.stubGlobal('fetch', (url: URL, init?: RequestInit) => outside(origin + url.pathname, init))
    await start({})
    expect(webRTC.mock.calls).toEqual(withServers(READABLE))
  })

  test('in a program that is given the web address', async () => {
    await start({ relays: [origin] })
    expect(webRTC.mock.calls).toEqual(withServers(READABLE))
  })

  test('on the command line', async () => {
    expect((await said('peers', '--relay', origin, '--wait', '1', '--json')).status).toBe(0)
    expect(webRTC.mock.calls).toEqual(withServers(READABLE))
  })

  test('unless a program names its own', async () => {
    await start({ relays: [origin], iceServers: [{ urls: ['stun:own.example'] }] })
    expect(webRTC.mock.calls).toEqual(withServers([{ urls: ['stun:own.example'] }]))
  })
})

describe('in Node', () => {
  const UNREADABLE = [
    { urls: 'stuns:stun.example' },
    { urls: ['turn:turn.example'] },
    { urls: ['', 'http://stun.example'] },
    { urls: [] }
  ]

  test('servers that its WebRTC cannot read are left out: it would refuse every connection', () => {
    expect(() => new RTCPeerConnection({ iceServers: UNREADABLE.slice(0, 1) })).toThrow()
    const iceServers = readableIceServers([...UNREADABLE, ...SERVERS])
    expect(iceServers).toEqual(READABLE)
    new RTCPeerConnection({ iceServers }).close()
  })

  test('a name and a secret with signs of their own reach the TURN server as they are', async () => {
    const name = '1790000000:ann@home'
    const server = createSocket('udp4').bind(0, '127.0.0.1')
    await once(server, 'listening')
    const named = Promise.withResolvers<string>()
    server.on('message', (request, { port, address }) => {
      const given = attribute(request, USERNAME)
      if (given === undefined) {
        server.send(refusal(request), port, address)
      } else {
        named.resolve(given)
      }
    })
    const urls = `turn:127.0.0.1:${server.address().port}`
    const connection = new RTCPeerConnection({
      iceServers: readableIceServers([{ urls, username: name, credential: 'a/b:c=' }])
    })
    try {
      connection.createDataChannel('any')
      await connection.setLocalDescription(await connection.createOffer())
      expect(await named.promise).toBe(name)
    } finally {
      connection.close()
      server.close()
    }
  })
})

const USERNAME = 0x0006
const ALLOCATE_REFUSED = 0x0113
const HEAD = 20

/** Of a STUN message (RFC 8489). */
function attribute(message: Buffer, wanted: number): string | undefined {
  for (let at = HEAD; at + 4 <= message.length; ) {
    const [type, size] = [message.readUInt16BE(at), message.readUInt16BE(at + 2)]
    if (type === wanted) {
      return message.toString('utf8', at + 4, at + 4 + size)
    }
    at += 4 + Math.ceil(size / 4) * 4
  }
  return undefined
}

/** 401: come again with credentials. */
function refusal(request: Buffer): Buffer {
  const attributes = [
    [0x0009, Buffer.of(0, 0, 4, 1)],
    [0x0014, Buffer.from('real')],
    [0x0015, Buffer.from('once')]
  ] as const
  const body = Buffer.concat(
    attributes.flatMap(([type, value]) => [Buffer.of(0, type, 0, value.length), value])
  )
  const head = Buffer.from(request.subarray(0, HEAD))
  head.writeUInt16BE(ALLOCATE_REFUSED, 0)
  head.writeUInt16BE(body.length, 2)
  return Buffer.concat([head, body])
}
