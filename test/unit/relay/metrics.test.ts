import { afterEach, expect, test } from 'vitest'
import { createRelay, type Relay } from '../../../relay/index.ts'
import { createSwarm } from '../../../src/index.ts'
import { NETWORKS, networkOf } from '../../../src/wire/index.ts'

let relay: Relay | undefined
afterEach(() => relay?.stop())

/** The figure of that name, of all labels together. */
const figure = (text: string, name: string) =>
  [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? ([0-9.e+]+)$`, 'gm'))].reduce(
    (sum, [, value]) => sum + Number(value),
    0
  )

test('Prometheus reads the relay, libp2p and the process on a port of its own', async () => {
  relay = await createRelay({ network: await networkOf(NETWORKS.local), metricsPort: 0 })
  const read = async () => (await fetch(relay?.metricsUrl ?? '')).text()
  expect(figure(await read(), 'swarmharness_relay_reservations')).toBe(0)
  const swarm = await createSwarm({ relays: [...relay.multiaddrs], webrtc: false })
  await expect.poll(() => swarm.status.state, { timeout: 10_000 }).toBe('relayed')
  const text = await read()
  expect(figure(text, 'swarmharness_relay_connections')).toBe(1)
  expect(figure(text, 'swarmharness_relay_reservations')).toBe(1)
  expect(figure(text, 'swarmharness_relay_refused_total')).toBe(0)
  expect(figure(text, 'swarmharness_relay_job_streams_total')).toBe(0)
  expect(figure(text, 'swarmharness_relay_circuit_bytes_total')).toBeGreaterThan(0)
  expect(text).toContain('libp2p_')
  expect(figure(text, 'process_resident_memory_bytes')).toBeGreaterThan(1e7)
  expect(relay.counters().circuit.streams).toBeGreaterThan(0) // counted as without metrics
  expect((await fetch(`${relay.origin}/metrics`)).status).toBe(404)
  expect((await fetch(new URL('/', relay.metricsUrl))).status).toBe(404)
  expect((await fetch(relay.metricsUrl ?? '', { method: 'POST' })).status).toBe(404)
  await swarm.stop()
})

test('without being asked there is no such port', async () => {
  relay = await createRelay({ network: await networkOf(NETWORKS.local) })
  expect(relay.metricsUrl).toBeUndefined()
})

test('a taken port is a typed error, and nothing stays open', async () => {
  relay = await createRelay({ network: await networkOf(NETWORKS.local), metricsPort: 0 })
  const taken = Number(new URL(relay.metricsUrl ?? '').port)
  const network = await networkOf(NETWORKS.local)
  await expect(createRelay({ network, metricsPort: taken })).rejects.toMatchObject({ code: 'PORT_TAKEN' })
})
