import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Metrics } from '@libp2p/interface'
import { type PrometheusMetricsComponents, prometheusMetrics } from '@libp2p/prometheus-metrics'
import { Counter, Gauge, Registry } from 'prom-client'
import type { RelayCounters, TrafficCounter } from './counters.ts'
import { RelayError } from './errors.ts'

export interface MetricsServer {
  readonly port: number
  stop(): Promise<void>
}

/** What Prometheus reads: libp2p's own figures, those of the process, and the relay's. On a port of its own. */
export class RelayMetrics {
  readonly #registry = new Registry()

  /** For libp2p, which takes one such object: the traffic counter sees every stream too. */
  libp2p(traffic: TrafficCounter): (components: PrometheusMetricsComponents) => Metrics {
    const create = prometheusMetrics({ registry: this.#registry, preserveExistingMetrics: true })
    return (components) => {
      const metrics = create(components)
      const track = metrics.trackProtocolStream.bind(metrics)
      metrics.trackProtocolStream = (stream) => {
        traffic.trackProtocolStream(stream)
        track(stream)
      }
      return metrics
    }
  }

  /** The relay's own figures, read when somebody asks. */
  watch(counters: () => RelayCounters): void {
    const gauge = (name: string, help: string, read: (now: RelayCounters) => number) =>
      new Gauge({
        name: `swarmharness_relay_${name}`,
        help,
        registers: [this.#registry],
        collect() {
          this.set(read(counters()))
        }
      })
    const counter = (name: string, help: string, read: (now: RelayCounters) => number) =>
      new Counter({
        name: `swarmharness_relay_${name}_total`,
        help,
        registers: [this.#registry],
        collect() {
          this.reset()
          this.inc(read(counters()))
        }
      })
    gauge('connections', 'WebSocket connections', ({ connections }) => connections)
    gauge('reservations', 'Peers that can be reached through this relay', ({ reservations }) => reservations)
    counter('refused', 'Connections refused for their address', ({ refused }) => refused)
    counter('circuit_bytes', 'Bytes that circuits carried', ({ circuit }) => circuit.in + circuit.out)
    counter('job_streams', 'Streams of the job protocol: 0', ({ jobStreams }) => jobStreams)
  }

  /** @throws RelayError `PORT_TAKEN` or `CANNOT_LISTEN` */
  async serve(port: number, host: string): Promise<MetricsServer> {
    const server = createServer(async (request, response) => {
      request.resume()
      if (request.method !== 'GET' || request.url?.split('?', 1)[0] !== '/metrics') {
        response.writeHead(404, { 'Content-Type': 'text/plain' }).end('Only GET /metrics.\n')
        return
      }
      try {
        const text = await this.#registry.metrics()
        response.writeHead(200, { 'Content-Type': this.#registry.contentType }).end(text)
      } catch {
        response.writeHead(500).end() // a figure could not be read: the next time perhaps
      }
    })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const code = cause.code === 'EADDRINUSE' ? 'PORT_TAKEN' : 'CANNOT_LISTEN'
      reject(
        new RelayError(code, `The metrics cannot be served on ${host}:${port}: choose another port.`, {
          cause
        })
      )
    })
    server.listen(port, host, resolve)
    await promise
    return {
      port: (server.address() as AddressInfo).port, // listening on TCP: no pipe's name
      stop: async () => {
        server.closeAllConnections()
        await new Promise((done) => server.close(done))
      }
    }
  }
}
