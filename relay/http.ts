import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import sirv from 'sirv'
import { addressOfHostHeader } from './addresses.ts'

export interface HttpInit {
  /** Folder of the built page; without one only the relay's own paths are served. */
  readonly staticFolder: string | undefined
  readonly trustProxy: boolean
  readonly peer: string
  /** Public addresses, if they are not to follow from what the client asked. */
  readonly announced: readonly string[]
  readonly network: string
  readonly iceServers: readonly RTCIceServer[]
  readonly health: () => Record<string, unknown>
}

const POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self' blob:",
  "connect-src 'self' ws: wss:",
  "img-src 'self' data: blob:",
  "style-src 'self' 'unsafe-inline'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'"
].join('; ')

/** What neither the page nor a frame of it ever asks for. */
const PERMISSIONS = [
  'camera',
  'microphone',
  'geolocation',
  'payment',
  'usb',
  'serial',
  'hid',
  'midi',
  'display-capture'
]
  .map((feature) => `${feature}=()`)
  .join(', ')

/** Vite puts a content hash into the names of what it emits here. */
const HASHED = /^\/assets\/.+-[\w-]{8}\.\w+$/
const SHARED = /^\/(sdk\/|relay\.json$)/

/** Static files, `/healthz` and `/relay.json`, with security headers on every answer. */
export function requestHandler(init: HttpInit): RequestListener {
  const files =
    init.staticFolder === undefined
      ? undefined
      : sirv(init.staticFolder, {
          etag: true,
          gzip: true,
          brotli: true,
          setHeaders: (response, path) =>
            response.setHeader(
              'Cache-Control',
              HASHED.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache'
            )
        })

  return (request, response) => {
    setSecurityHeaders(response)
    const path = pathOf(request.url)
    if (path === undefined) {
      answer(response, 400, 'Bad path.')
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD')
      answer(response, 405, 'Only GET and HEAD.')
    } else {
      serve(request, response, path)
    }
    // A body is nothing that we wait for.
    request.resume()
  }

  function serve(request: IncomingMessage, response: ServerResponse, path: string): void {
    if (SHARED.test(path)) {
      response.setHeader('Access-Control-Allow-Origin', '*')
      response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin')
    }
    if (path === '/healthz') {
      json(response, init.health())
    } else if (path === '/relay.json') {
      serveRelays(request, response)
    } else if (files === undefined) {
      answer(response, 404, 'Not found.')
    } else {
      // sirv throws on ranges that are none, and our files are small
      delete request.headers.range
      files(request, response, () => answer(response, 404, 'Not found.'))
    }
  }

  function serveRelays(request: IncomingMessage, response: ServerResponse): void {
    const secure = init.trustProxy && request.headers['x-forwarded-proto'] === 'https'
    const asked = addressOfHostHeader(request.headers.host, secure)
    if (asked === undefined) {
      answer(response, 400, 'Bad Host header.')
      return
    }
    const relays = init.announced.length > 0 ? init.announced : [`${asked}/p2p/${init.peer}`]
    json(response, { network: init.network, relays, iceServers: init.iceServers })
  }
}

/** The decoded path, or undefined for one that leaves the folder or cannot be read. */
function pathOf(url: string | undefined): string | undefined {
  const raw = url?.split(/[?#]/, 1)[0]
  if (raw === undefined || !raw.startsWith('/') || raw.length > 2_048) {
    return undefined
  }
  try {
    const path = decodeURIComponent(raw)
    const leaves = path.split('/').includes('..') || path.includes('\\') || path.includes('\0')
    return leaves ? undefined : path
  } catch {
    return undefined // not percent-encoded text: no path of ours
  }
}

function setSecurityHeaders(response: ServerResponse): void {
  response.setHeader('Content-Security-Policy', POLICY)
  response.setHeader('Permissions-Policy', PERMISSIONS)
  response.setHeader('X-Content-Type-Options', 'nosniff')
  response.setHeader('Referrer-Policy', 'no-referrer')
}

function json(response: ServerResponse, value: unknown): void {
  response.setHeader('Content-Type', 'application/json')
  response.setHeader('Cache-Control', 'no-store')
  response.end(JSON.stringify(value))
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status
  response.setHeader('Content-Type', 'text/plain; charset=utf-8')
  response.setHeader('Cache-Control', 'no-store')
  response.end(`${text}\n`)
}
