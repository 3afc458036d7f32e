import type {
  CreateListenerOptions,
  DialTransportOptions,
  MultiaddrConnection,
  Transport,
  Upgrader
} from '@libp2p/interface'
import type { Transports } from '../../src/net/index.ts'

type TransportFactory = Transports[number]

/** Bytes that went through a node's connections, both ways: with encryption, multiplexing, ledger, DHT and heartbeats. */
export class Counter {
  sent = 0
  received = 0

  get total(): number {
    return this.sent + this.received
  }

  /** The transport, with all that its connections carry counted. */
  count(transport: TransportFactory): TransportFactory {
    return (components) => {
      const inner: Transport = transport(components)
      return new Proxy(inner, {
        get: (target, name) => {
          if (name === 'dial') {
            return (address: Parameters<Transport['dial']>[0], options: DialTransportOptions) =>
              target.dial(address, { ...options, upgrader: this.wrap(options.upgrader) })
          }
          if (name === 'createListener') {
            return (options: CreateListenerOptions) =>
              target.createListener({ ...options, upgrader: this.wrap(options.upgrader) })
          }
          const value: unknown = Reflect.get(target, name, target)
          return typeof value === 'function' ? value.bind(target) : value
        }
      })
    }
  }

  private wrap(upgrader: Upgrader): Upgrader {
    return {
      createInboundAbortSignal: (signal) => upgrader.createInboundAbortSignal(signal),
      upgradeOutbound: (connection, options) => upgrader.upgradeOutbound(this.watch(connection), options),
      upgradeInbound: (connection, options) => upgrader.upgradeInbound(this.watch(connection), options)
    } as Upgrader // what else it has is for libp2p itself, which holds the real one
  }

  private watch(connection: MultiaddrConnection): MultiaddrConnection {
    const send = connection.send.bind(connection)
    connection.send = (data) => {
      this.sent += data.byteLength
      return send(data)
    }
    connection.addEventListener('message', ({ data }) => {
      this.received += data.byteLength
    })
    return connection
  }
}
