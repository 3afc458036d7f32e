import { afterEach, expect, test, vi } from 'vitest'
import { iceServer } from '../../../src/cli/commands/relay.ts'
import { memoryStore } from '../../../src/store/index.ts'
import { openSwarm } from '../../../src/swarm/sdk/index.ts'
import { cleanups, startRelay } from '../../fixtures/started-relay.ts'

// From what a relay was told of STUN and TURN to what WebRTC is set up with, as in a page that the relay serves.

const webRTC = vi.hoisted(() => vi.fn())
vi.mock(import('@libp2p/webrtc'), async (original) => {
  const real = await original()
  return { ...real, webRTC: webRTC.mockImplementation(real.webRTC) }
})
afterEach(() => {
  vi.unstubAllGlobals()
  webRTC.mockClear()
})

const STUN = iceServer('stun:stun.example:3478')
const TURN = iceServer('turns:me:my:secret@turn.example:5349')

async function pageOfRelay(iceServers?: RTCIceServer[]): Promise<void> {
  const relay = await startRelay({ iceServers: [STUN, TURN] })
  const outside = fetch
  vi.stubGlobal('location', { hostname: '127.0.0.1' })
  vi.stubGlobal('fetch', (url: URL, init?: RequestInit) => outside(relay.origin + url.pathname, init))
  const swarm = await openSwarm({ ...(iceServers && { iceServers }) }, { store: memoryStore() })
  cleanups.push(() => swarm.stop())
}

test('what the relay’s /relay.json names is what WebRTC gets', async () => {
  await pageOfRelay()
  expect(webRTC.mock.calls).toEqual([[{ rtcConfiguration: { iceServers: [STUN, TURN] } }]])
})

test('servers that a program names stand in its place', async () => {
  const own = [{ urls: ['stun:own.example'] }]
  await pageOfRelay(own)
  expect(webRTC.mock.calls).toEqual([[{ rtcConfiguration: { iceServers: own } }]])
})
