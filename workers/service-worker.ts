/**
 * Keeps the files of one version of the page, and gives them when they are asked for: the page itself from the network
 * while there is one, so that a reload brings the newest. Everything else, above all other origins, passes by unseen.
 */

/** Put in by the build. */
declare const OFFLINE: { readonly version: string; readonly files: readonly string[] }

interface Lasting extends Event {
  waitUntil(done: Promise<unknown>): void
}
interface Asked extends Event {
  readonly request: Request
  respondWith(answer: Promise<Response>): void
}
interface Scope {
  addEventListener(type: 'install' | 'activate', listener: (event: Lasting) => void): void
  addEventListener(type: 'fetch', listener: (event: Asked) => void): void
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void
  skipWaiting(): Promise<void>
}

// TypeScript's DOM types know no service workers
const scope = self as unknown as Scope

const { version, files } = OFFLINE
const PREFIX = 'swarmharness-page-'
const CACHE = `${PREFIX}${version}`
/** How long the network may take before the kept page is shown. */
const PATIENCE_MS = 3_000

const root = new URL('./', location.href).href
const kept = new Set(files.map((file) => new URL(file, root).href))

scope.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll([...kept])))
})

scope.addEventListener('activate', (event) => {
  const forget = async () => {
    const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE)
    await Promise.all(names.map((name) => caches.delete(name)))
  }
  event.waitUntil(forget())
})

scope.addEventListener('message', ({ data, ports }) => {
  if (data === 'take-over') void scope.skipWaiting()
  // a page asks whether it is of this version: by the file that it began with
  else ports[0]?.postMessage(kept.has(String(data)))
})

scope.addEventListener('fetch', (event) => {
  const { request } = event
  const address = new URL(request.url)
  address.search = ''
  if (request.method !== 'GET' || !kept.has(address.href)) return
  event.respondWith(request.mode === 'navigate' ? newest(address.href) : keptOrAsked(request, address.href))
})

async function newest(address: string): Promise<Response> {
  const asked = fetch(address, { cache: 'no-cache', signal: AbortSignal.timeout(PATIENCE_MS) })
  const answer = await asked.catch(() => undefined) // no network: that is what the copy is for
  return answer?.ok === true ? answer : ((await keptFile(address)) ?? answer ?? Response.error())
}

async function keptOrAsked(request: Request, address: string): Promise<Response> {
  return (await keptFile(address)) ?? fetch(request)
}

async function keptFile(address: string): Promise<Response | undefined> {
  return (await caches.open(CACHE)).match(address)
}
