import type { IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { type Duplex, pipeline } from 'node:stream'
import { clientKey } from './client-address.ts'

export interface UpgradeInit {
  /** Port on 127.0.0.1 at which libp2p's own WebSocket listener waits. */
  readonly port: number
  readonly perAddress: number
  readonly trustProxy: boolean
}

/** Passes WebSocket upgrades to libp2p's own listener, not more than a few for one address at a time. */
export class UpgradeGate {
  readonly #init: UpgradeInit
  readonly #open = new Map<string, number>()
  readonly #sockets = new Set<Duplex>()
  #refused = 0

  constructor(init: UpgradeInit) {
    this.#init = init
  }

  get refused(): number {
    return this.#refused
  }

  get connections(): number {
    return this.#sockets.size
  }

  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A client that goes away mid-way is no event for a relay.
    socket.on('error', () => socket.destroy())
    if (request.headers.upgrade?.toLowerCase() !== 'websocket' || request.method !== 'GET') {
      refuse(socket, '400 Bad Request')
      return
    }
    const key = clientKey(request, this.#init.trustProxy)
    const count = this.#open.get(key) ?? 0
    if (count >= this.#init.perAddress) {
      this.#refused++
      refuse(socket, '429 Too Many Requests')
      return
    }
    this.#open.set(key, count + 1)
    this.#sockets.add(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      this.#release(key)
    })
    this.#pass(request, socket, head)
  }

  closeAll(): void {
    for (const socket of this.#sockets) {
      socket.destroy()
    }
  }

  #pass(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const inner = connect({ port: this.#init.port, host: '127.0.0.1', noDelay: true })
    if (isTcp(socket)) {
      socket.setNoDelay(true)
      socket.setTimeout(0)
    }
    inner.write(requestHead(request))
    inner.write(head)
    pipeline(socket, inner, () => socket.destroy())
    pipeline(inner, socket, () => inner.destroy())
  }

  #release(key: string): void {
    const count = (this.#open.get(key) ?? 1) - 1
    if (count === 0) {
      this.#open.delete(key)
    } else {
      this.#open.set(key, count)
    }
  }
}

/** The request as it came. Node's parser has refused line breaks within headers. */
function requestHead(request: IncomingMessage): string {
  const lines = [`${request.method} ${request.url} HTTP/1.1`]
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`)
  }
  return `${lines.join('\r\n')}\r\n\r\n`
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy())
}

function isTcp(socket: Duplex): socket is Socket {
  return 'setNoDelay' in socket
}
