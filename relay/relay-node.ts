import { type CircuitRelayService, circuitRelayServer } from '@libp2p/circuit-relay-v2'
import type { Libp2p, Listener, PrivateKey, Transport } from '@libp2p/interface'
import { webSockets } from '@libp2p/websockets'
import { createLibp2p } from 'libp2p'
import { type BaseServices, baseOptions } from '../src/net/index.ts'
import type { Milliseconds, Network } from '../src/wire/index.ts'
import type { TrafficCounter } from './counters.ts'
import type { RelayMetrics } from './metrics.ts'

export interface CircuitLimits {
  /** Peers that can be reached through this relay at a time. @default 1024 */
  readonly reservations?: number
  /** @default 2 h */
  readonly reservationTtlMs?: Milliseconds
  /** Life of one circuit. @default 120_000 */
  readonly durationMs?: Milliseconds
  /** Bytes that one circuit carries: signalling, adverts, ledger messages. @default 524_288n */
  readonly bytes?: bigint
}

export interface RelayNodeInit {
  readonly privateKey: PrivateKey
  readonly network: Network
  /** Addresses to announce: the internal port is nobody's business. */
  readonly announce: string[]
  readonly allowPrivate: boolean
  readonly maxConnections: number
  readonly circuits: CircuitLimits
  readonly traffic: TrafficCounter
  /** For Prometheus. @default none */
  readonly metrics?: RelayMetrics | undefined
}

export type RelayServices = BaseServices & { circuits: CircuitRelayService }

/** Behind a front server all peers are one host to libp2p: the gate in front counts them instead. */
const INBOUND_PER_SECOND = 1_000

/** The relay's libp2p node, started, and the loopback port at which its WebSocket listener waits. */
export async function startRelayNode(
  init: RelayNodeInit
): Promise<{ node: Libp2p<RelayServices>; port: number }> {
  const { circuits } = init
  const base = baseOptions({ ...init, connections: init.maxConnections })
  const listeners: Listener[] = []
  const node = await createLibp2p<RelayServices>({
    ...base,
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'], announce: init.announce },
    transports: [(components) => rememberListeners(webSockets()(components), listeners)],
    metrics: init.metrics?.libp2p(init.traffic) ?? (() => init.traffic.metrics()),
    connectionManager: {
      maxConnections: init.maxConnections,
      inboundConnectionThreshold: INBOUND_PER_SECOND,
      maxIncomingPendingConnections: INBOUND_PER_SECOND,
      reconnectRetries: 0,
      resolvers: {} // a stranger's address asks no DNS server
    },
    services: {
      ...base.services,
      circuits: circuitRelayServer({
        reservations: {
          maxReservations: circuits.reservations ?? 1_024,
          reservationTtl: circuits.reservationTtlMs ?? 2 * 3_600_000,
          defaultDurationLimit: circuits.durationMs ?? 120_000,
          defaultDataLimit: circuits.bytes ?? 524_288n
        }
      })
    }
  })
  freeReservations(node)
  await node.start()
  const port = listeners.flatMap((listener) => listener.getAddrs()).map(tcpPort)[0]
  if (port === undefined) {
    await node.stop()
    throw new Error('libp2p started without its WebSocket listener') // cannot happen: listening failed above
  }
  return { node, port }
}

/** libp2p keeps the place of a peer that left for the whole time to live: passing tabs would fill the relay. */
function freeReservations(node: Libp2p<RelayServices>): void {
  node.addEventListener('peer:disconnect', ({ detail: peer }) => {
    const { reservations } = node.services.circuits
    // its timer would end a later reservation of the same peer
    reservations.get(peer)?.signal.clear()
    reservations.delete(peer)
  })
}

/** `announce` hides the listening address, and with port 0 only the listener knows it. */
function rememberListeners(transport: Transport, listeners: Listener[]): Transport {
  const create = transport.createListener.bind(transport)
  transport.createListener = (options) => {
    const listener = create(options)
    listeners.push(listener)
    return listener
  }
  return transport
}

function tcpPort(address: ReturnType<Listener['getAddrs']>[number]): number {
  return Number(address.getComponents().find(({ name }) => name === 'tcp')?.value)
}
