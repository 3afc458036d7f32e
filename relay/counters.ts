import { RELAY_V2_HOP_CODEC, RELAY_V2_STOP_CODEC } from '@libp2p/circuit-relay-v2'
import type { Metrics, Stream } from '@libp2p/interface'

export interface Traffic {
  in: number
  out: number
  streams: number
}

export interface RelayCounters {
  /** WebSocket connections now, and refused for their address's sake since the start. */
  readonly connections: number
  readonly refused: number
  readonly reservations: number
  /** Bytes and streams by protocol since the start. Circuits show as hop and stop streams. */
  readonly protocols: Readonly<Record<string, Readonly<Traffic>>>
  /** What circuits carried: handshakes, signalling, adverts and ledger messages, encrypted end to end. */
  readonly circuit: Readonly<Traffic>
  /** Streams of the job protocol: 0, because nothing here handles it. */
  readonly jobStreams: number
}

/**
 * Counts every protocol stream through libp2p's metrics interface. Wraps the stream's own calls: a listener
 * would make the stream hand over data before its handler is there.
 */
export class TrafficCounter {
  readonly #protocols = new Map<string, Traffic>()

  trackProtocolStream(stream: Stream): void {
    const traffic = this.#of(stream.protocol)
    traffic.streams++
    const send = stream.send.bind(stream)
    stream.send = (data) => {
      traffic.out += data.byteLength
      return send(data)
    }
    const dispatch = stream.dispatchEvent.bind(stream)
    stream.dispatchEvent = (event: Event & { data?: { byteLength: number } }) => {
      if (event.type === 'message') {
        traffic.in += event.data?.byteLength ?? 0
      }
      return dispatch(event)
    }
  }

  get protocols(): Record<string, Traffic> {
    return Object.fromEntries([...this.#protocols].map(([name, traffic]) => [name, { ...traffic }]))
  }

  get circuit(): Traffic {
    return this.#sum((protocol) => protocol === RELAY_V2_HOP_CODEC || protocol === RELAY_V2_STOP_CODEC)
  }

  get jobStreams(): number {
    return this.#sum((protocol) => /\/swarmharness\/job\//.test(protocol)).streams
  }

  /** The interface that libp2p wants: only the streams interest us. */
  metrics(): Metrics {
    const none = {
      update() {},
      increment() {},
      decrement() {},
      reset() {},
      observe() {},
      timer: () => () => {}
    }
    const register = () => none
    // the real interface overloads each register function; one object serves all the kinds of metric
    return {
      trackMultiaddrConnection() {},
      trackProtocolStream: (stream: Stream) => this.trackProtocolStream(stream),
      registerMetric: register,
      registerMetricGroup: register,
      registerCounter: register,
      registerCounterGroup: register,
      registerHistogram: register,
      registerHistogramGroup: register,
      registerSummary: register,
      registerSummaryGroup: register,
      traceFunction: (_name: string, traced: unknown) => traced,
      createTrace: () => undefined
    } as unknown as Metrics // registers nothing: only streams are counted
  }

  #of(protocol: string): Traffic {
    const known = this.#protocols.get(protocol)
    if (known !== undefined) {
      return known
    }
    const fresh = { in: 0, out: 0, streams: 0 }
    this.#protocols.set(protocol, fresh)
    return fresh
  }

  #sum(include: (protocol: string) => boolean): Traffic {
    const sum = { in: 0, out: 0, streams: 0 }
    for (const [protocol, traffic] of this.#protocols) {
      if (include(protocol)) {
        sum.in += traffic.in
        sum.out += traffic.out
        sum.streams += traffic.streams
      }
    }
    return sum
  }
}
