import { dropOfflineCopy } from './browser-data.ts'

/** The page's own files kept in the browser, by a service worker: after consent only. */
export interface OfflineCopy {
  /**
   * Keeps them. Where the browser does not let it, the page goes on without.
   *
   * @param onUpdate a newer version than this page lies ready; call `apply` to change over, which reloads the page.
   *   Undefined: none does any more
   */
  keep(onUpdate: (apply: (() => void) | undefined) => void): void
  drop(): Promise<void>
}

const LOOK_EVERY_MS = 3_600_000
/** A service worker answers at once; an older one never does. */
const ANSWER_MS = 2_000

/** @param scope the window */
export function offlineCopy(scope: Window, reload: () => void): OfflineCopy {
  let life = new AbortController()
  let isKept = false
  return {
    keep(onUpdate) {
      if (isKept) return
      isKept = true
      keep(scope, onUpdate, reload, life.signal).catch(() => {}) // a private window, or a page that is not built
    },
    async drop() {
      isKept = false
      life.abort()
      life = new AbortController()
      await dropOfflineCopy(scope)
    }
  }
}

async function keep(
  scope: Window,
  onUpdate: (apply: (() => void) | undefined) => void,
  reload: () => void,
  signal: AbortSignal
): Promise<void> {
  const registration = await scope.navigator.serviceWorker?.register('./service-worker.js')
  if (registration === undefined || signal.aborted) return
  const change = (worker: ServiceWorker) => {
    worker.addEventListener('statechange', () => {
      if (worker.state === 'activated') reload()
    })
    worker.postMessage('take-over')
  }
  const offer = async (worker: ServiceWorker) => {
    const isThisPage = await keepsThisPage(scope, worker)
    if (signal.aborted || worker.state !== 'installed') return // a still newer one has come
    if (isThisPage) worker.postMessage('take-over')
    onUpdate(isThisPage ? undefined : () => change(worker))
  }
  if (registration.waiting !== null) void offer(registration.waiting)
  const follow = () => {
    const worker = registration.installing
    worker?.addEventListener('statechange', () => {
      // The first one is no update: nothing was there before it.
      if (worker.state === 'installed' && registration.active !== null) void offer(worker)
    })
  }
  follow()
  registration.addEventListener('updatefound', follow, { signal })
  const look = () => registration.update().catch(() => {}) // offline: the next look will see
  const timer = scope.setInterval(look, LOOK_EVERY_MS)
  signal.addEventListener('abort', () => scope.clearInterval(timer))
}

/** The page comes from the network, so it may be newer than the copy, and be what lies ready. */
function keepsThisPage(scope: Window, worker: ServiceWorker): Promise<boolean> {
  const entry = scope.document.querySelector<HTMLScriptElement>('script[type="module"]')?.src
  const { port1, port2 } = new MessageChannel()
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ANSWER_MS)
    port1.onmessage = ({ data }) => {
      clearTimeout(timer)
      port1.close()
      resolve(data === true)
    }
    worker.postMessage(entry, [port2])
  })
}
