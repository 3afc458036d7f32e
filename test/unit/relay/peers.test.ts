import { describe, expect, test } from 'vitest'
import { connectDirect, isDirect, transportOf, watchRelays } from '../../../src/net/index.ts'
import { type PeerIdString, protocolId } from '../../../src/wire/index.ts'
import {
  cleanups,
  happens,
  network,
  reserved,
  startNode,
  startRelay,
  temporaryFolder,
  watched
} from '../../fixtures/started-relay.ts'
import { ManualTicker } from '../net/manual-ticker.ts'

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
    await happens(second, ['peer:identify'], () => second.getConnections().length === 1)
    ticker.tick(19)
    expect(second.getConnections().length).toBe(1)
    expect(watchdog.reserved).toBe(0)
    ticker.tick()
    await happens(second, ['connection:close'], () => second.getConnections().length === 0)
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
