import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { SwarmError } from '../../../src/index.ts'
import { memoryStore } from '../../../src/store/index.ts'
import { findRelays } from '../../../src/swarm/host.ts'
import { openSwarm } from '../../../src/swarm/sdk/index.ts'
import { cleanups } from '../../fixtures/started-relay.ts'

// What a web address says of its relays.

afterEach(() => {
  vi.unstubAllGlobals()
})

const RELAY = '/ip4/127.0.0.1/tcp/9/ws'
const NOBODY = 'http://127.0.0.1:9'

/** A host that answers with this; `undefined`: never. */
async function hostOf(answer: unknown): Promise<string> {
  const server = createServer((_, response) => {
    if (answer !== undefined) {
      response.end(JSON.stringify(answer))
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(
    () => server.closeAllConnections(),
    () => server.close()
  )
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}` // it listens on TCP
}

describe('relays', () => {
  test('are what all the hosts say that answer, and multiaddrs as they are', async () => {
    const [turn, stun] = [{ urls: 'turn:t', username: 'u', credential: 'c' }, { urls: ['stun:s'] }]
    const one = await hostOf({ relays: ['/one'], network: 'local', iceServers: [turn] })
    const two = await hostOf({ relays: ['/two', '/three'], iceServers: [stun], more: true })
    expect(await findRelays([one, RELAY, NOBODY, two], 'local')).toEqual({
      relays: ['/one', RELAY, '/two', '/three'],
      iceServers: [turn, stun]
    })
    expect(await findRelays([RELAY], 'local')).toEqual({ relays: [RELAY], iceServers: [] })
    expect(await findRelays(undefined, 'local')).toEqual({ relays: [], iceServers: [] })
  })

  test('of nobody who answers are an error that says so', async () => {
    await expect(findRelays([NOBODY], 'local')).rejects.toMatchObject({
      code: 'NO_RELAY',
      retryable: true,
      message: expect.stringContaining(`${NOBODY} does not answer`)
    })
  })

  test('whatever a host answers, it is relays or a typed error', async () => {
    const likely = fc.record(
      {
        relays: fc.oneof(fc.array(fc.string()), fc.anything()),
        network: fc.oneof(fc.string(), fc.constant('local')),
        iceServers: fc.oneof(fc.array(fc.record({ urls: fc.anything() })), fc.anything())
      },
      { requiredKeys: [] }
    )
    const body = fc.oneof(
      likely.map((value) => JSON.stringify(value)),
      fc.json(),
      fc.string()
    )
    await fc.assert(
      fc.asyncProperty(body, async (text) => {
        vi.stubGlobal('fetch', async () => new Response(text))
        const found = await findRelays([NOBODY], 'local').catch((error: unknown) => error)
        if (found instanceof SwarmError) {
          expect(found.code).toMatch(/^(NO_RELAY|WRONG_NETWORK)$/)
        } else {
          expect(found).toEqual({ relays: expect.any(Array), iceServers: expect.any(Array) })
        }
      })
    )
  })

  test('are waited for until the signal ends it', async () => {
    const silent = await hostOf(undefined)
    const over = new AbortController()
    const finding = findRelays([silent, RELAY], 'local', over.signal)
    over.abort(new Error('enough'))
    await expect(finding).rejects.toThrow('enough')
  })
})

describe('a public page', () => {
  const publicPage = (network: string) => {
    vi.stubGlobal('location', { hostname: 'swarm.example' })
    vi.stubGlobal('fetch', async () => Response.json({ relays: [RELAY], network }))
  }

  test('whose relay is of the network local is told so, and nobody is made of it', async () => {
    publicPage('local')
    const store = memoryStore()
    const kept = vi.spyOn(store, 'saveIdentity')
    await expect(openSwarm({}, { store })).rejects.toMatchObject({
      code: 'WRONG_NETWORK',
      message: expect.stringMatching(
        /of the network local, not of main: start it with --network main, .*\?network=/
      ),
      details: { network: 'local' }
    })
    expect(kept).not.toHaveBeenCalled()
  })

  test.each([
    ['main', {}],
    ['local', { network: 'local' }]
  ] as const)('of the network %s is of it', async (network, init) => {
    publicPage(network)
    await using swarm = await openSwarm({ ...init, webrtc: false }, { store: memoryStore() })
    expect(swarm.status.network).toBe(network)
  })
})
