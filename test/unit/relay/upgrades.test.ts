import { request as httpRequest } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { Relay } from '../../../relay/index.ts'
import { cleanups, startRelay } from '../../fixtures/started-relay.ts'

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
