import { readdir } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createVoter } from '../src/credit/index.ts'
import { isPrivateAddress, loadIdentity, parseAddress } from '../src/net/index.ts'
import { openStore, type Store } from '../src/store/index.ts'
import type { Network, PeerIdString } from '../src/wire/index.ts'
import { listeningAddresses } from './addresses.ts'
import { type RelayCounters, TrafficCounter } from './counters.ts'
import { RelayError } from './errors.ts'
import { requestHandler } from './http.ts'
import type { RelayMetrics } from './metrics.ts'
import { type CircuitLimits, startRelayNode } from './relay-node.ts'
import { UpgradeGate } from './upgrade.ts'

export type { RelayCounters, Traffic } from './counters.ts'
export { RelayError, type RelayErrorCode } from './errors.ts'
export type { CircuitLimits } from './relay-node.ts'

export interface RelayOptions {
  readonly network: Network
  /** @default '127.0.0.1' */
  readonly host?: string
  /** @default 0: any free port */
  readonly port?: number
  /** Where identity and votes are kept (mode 600). @default nowhere: a new identity each start */
  readonly dataFolder?: string
  /** The built page. @default none */
  readonly staticFolder?: string
  /** Public addresses without the peer id, such as `/dns4/relay.example/tcp/443/tls/ws`. @default where it listens */
  readonly announce?: readonly string[]
  /** Told by `/relay.json` to pages, and to programs that ask. @default [] */
  readonly iceServers?: readonly RTCIceServer[]
  /** Believe X-Forwarded-For and X-Forwarded-Proto: only behind a proxy that writes them. @default false */
  readonly trustProxy?: boolean
  /** WebSocket connections of one IPv4 address or IPv6 /64 at a time. @default 64 */
  readonly connectionsPerAddress?: number
  /** WebSocket connections in all. @default 4096 */
  readonly maxConnections?: number
  readonly circuits?: CircuitLimits
  /** Port on the loopback interface where Prometheus reads `/metrics` (0: any free one). @default none */
  readonly metricsPort?: number
  /** Where that port listens: another interface only behind a firewall. @default '127.0.0.1' */
  readonly metricsHost?: string
}

export interface Relay {
  /** `http://127.0.0.1:8080` */
  readonly origin: string
  /** With the peer id: what others pass as `relays`. */
  readonly multiaddrs: readonly string[]
  readonly peer: PeerIdString
  /** Where Prometheus reads, if it was asked for. */
  readonly metricsUrl: string | undefined
  counters(): RelayCounters
  /** Resolves, with why, when nothing can be stored any more: it goes on introducing peers, and votes no more. */
  readonly failed: Promise<unknown>
  /** Takes no more, lets requests in work end, then closes all connections. */
  stop(): Promise<void>
}

const HEADER_MAX = 16 * 1024
const REQUEST_TIMEOUT_MS = 15_000
const DRAIN_MS = 1_000

/**
 * A relay on one port: introduces peers (circuit relay, DHT), serves the page, and votes as a witness where it is
 * asked to. It keeps no state but its key and its votes.
 *
 * @throws RelayError `PORT_TAKEN`, `CANNOT_LISTEN`, or `BAD_OPTION` for a `staticFolder` without a page, or an `announce` that
 * leads to no relay; NetError `BAD_ADDRESS` for one that is no multiaddr; StoreError if the data folder is in use
 */
export async function createRelay(options: RelayOptions): Promise<Relay> {
  const announce = (options.announce ?? []).map(announced)
  await checkPage(options.staticFolder)
  const store = await openStore({
    network: options.network.parameters.name,
    ...(options.dataFolder === undefined ? {} : { dataFolder: options.dataFolder })
  })
  const server = createServer({
    maxHeaderSize: HEADER_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    headersTimeout: REQUEST_TIMEOUT_MS
  })
  try {
    return await startRelay(options, { store, server, announce })
  } catch (error) {
    server.close()
    server.closeAllConnections()
    await store.close()
    throw error
  }
}

/**
 * Peers reach a relay by WebSocket alone, and its peer id is put behind the address.
 *
 * @throws RelayError `BAD_OPTION`; NetError `BAD_ADDRESS`
 */
function announced(text: string): string {
  const address = parseAddress(text)
  const names = address.getComponents().map(({ name }) => name)
  if (names[1] !== 'tcp' || !/^wss?$/.test(names.at(-1) ?? '') || names.includes('p2p')) {
    throw new RelayError(
      'BAD_OPTION',
      `An announced address is like /dns4/relay.example/tcp/443/tls/ws: it ends in /ws or /wss, without /p2p/…; it is ${text}.`
    )
  }
  return address.toString()
}

async function checkPage(folder: string | undefined): Promise<void> {
  const files = folder === undefined ? undefined : await readdir(folder).catch(() => [])
  const isThere = files?.some((name) => name.endsWith('.html')) ?? true
  if (!isThere) {
    throw new RelayError(
      'BAD_OPTION',
      `There is no page in ${folder}: name the folder of a built one (npm run build).`
    )
  }
}

interface Parts {
  readonly store: Store
  readonly server: Server
  readonly announce: readonly string[]
}

async function startRelay(options: RelayOptions, { store, server, announce }: Parts): Promise<Relay> {
  const started = performance.now()
  const host = options.host ?? '127.0.0.1'
  const trustProxy = options.trustProxy ?? false
  const privateKey = await loadIdentity(store)
  let handle: RequestListener = notYet
  server.on('request', (request, response) => handle(request, response))
  const port = await listen(server, host, options.port ?? 0)
  const addresses = announce.length > 0 ? announce : listeningAddresses(host, port)
  const traffic = new TrafficCounter()
  const metrics = options.metricsPort === undefined ? undefined : await createMetrics()
  const inner = await startRelayNode({
    privateKey,
    network: options.network,
    announce: [...addresses],
    allowPrivate: addresses.map(parseAddress).some(isPrivateAddress),
    maxConnections: options.maxConnections ?? 4_096,
    circuits: options.circuits ?? {},
    traffic,
    metrics
  })
  const { node } = inner
  let storage: 'good' | 'failed' = 'good'
  const failed = store.failed ?? new Promise(() => {})
  void failed.then(() => {
    storage = 'failed'
  })
  const voter = createVoter({ store, key: privateKey, network: options.network, node })
  await voter.start()
  // our own key is Ed25519: its text is what the brand stands for
  const peer = node.peerId.toString() as PeerIdString
  const perAddress = options.connectionsPerAddress ?? 64
  const gate = new UpgradeGate({ port: inner.port, perAddress, trustProxy })
  server.on('upgrade', (request, socket, head) => gate.accept(request, socket, head))
  const counters = (): RelayCounters => ({
    connections: gate.connections,
    refused: gate.refused,
    reservations: node.services.circuits.reservations.size,
    protocols: traffic.protocols,
    circuit: traffic.circuit,
    jobStreams: traffic.jobStreams
  })
  metrics?.watch(counters)
  const metricsHost = options.metricsHost ?? '127.0.0.1'
  const metricsServer = await metrics?.serve(options.metricsPort ?? 0, metricsHost).catch(async (error) => {
    await voter.stop()
    await node.stop()
    throw error
  })
  handle = requestHandler({
    staticFolder: options.staticFolder,
    trustProxy,
    peer,
    announced: announce.map((address) => `${address}/p2p/${peer}`),
    network: options.network.parameters.name,
    iceServers: options.iceServers ?? [],
    health: () => {
      const { connections, reservations, jobStreams } = counters()
      const uptime = Math.round((performance.now() - started) / 1_000)
      return { ok: true, peer, uptime, connections, reservations, jobStreams, storage }
    }
  })
  const stop = async () => {
    const drained = closeServer(server)
    await metricsServer?.stop()
    await voter.stop()
    await node.stop()
    gate.closeAll()
    await drained
    await store.close()
  }
  let stopping: Promise<void> | undefined
  return {
    origin: originOf(host, port),
    multiaddrs: addresses.map((address) => `${address}/p2p/${peer}`),
    peer,
    metricsUrl: metricsServer && `http://${metricsHost}:${metricsServer.port}/metrics`,
    counters,
    failed,
    stop: () => {
      stopping ??= stop()
      return stopping
    }
  }
}

/** Loaded where it is asked for: it brings a client of Prometheus. */
async function createMetrics(): Promise<RelayMetrics> {
  return new (await import('./metrics.ts')).RelayMetrics()
}

/** The address of the page on this machine. */
function originOf(host: string, port: number): string {
  const local = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${local.includes(':') ? `[${local}]` : local}:${port}`
}

const notYet: RequestListener = (_request, response) => {
  response.writeHead(503, { 'Retry-After': '1', 'Cache-Control': 'no-store' }).end('Starting.\n')
}

function listen(server: Server, host: string, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const onError = (cause: NodeJS.ErrnoException) => {
    const taken = cause.code === 'EADDRINUSE'
    const message = taken
      ? `Port ${port} is in use: choose another one, or stop what listens there.`
      : `Cannot listen on ${host}:${port} (${cause.code ?? cause.message}): choose another host or port.`
    reject(new RelayError(taken ? 'PORT_TAKEN' : 'CANNOT_LISTEN', message, { cause }))
  }
  server.once('error', onError)
  server.listen(port, host, () => {
    server.off('error', onError)
    // listening on TCP, so the address is no pipe's name
    resolve((server.address() as AddressInfo).port)
  })
  return promise
}

/** Ends idle connections at once, those with a request in work after a grace. Upgraded ones are not ours to end. */
async function closeServer(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  server.closeIdleConnections()
  const grace = setTimeout(() => server.closeAllConnections(), DRAIN_MS)
  await promise
  clearTimeout(grace)
}
