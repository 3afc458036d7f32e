import { dropOfflineCopy } from './browser-data.ts'

/** The page's own files kept in the browser, by a service worker: after consent only. */
export interface OfflineCopy {
  /**
   * Keeps them. Where the browser does not let it, the page goes on without.
   *
   * @param onUpdate a newer version lies ready; call `apply` to change over, which reloads the page
   */
  keep(onUpdate: (apply: () => void) => void): void
  drop(): Promise<void>
}

const LOOK_EVERY_MS = 3_600_000

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
  onUpdate: (apply: () => void) => void,
  reload: () => void,
  signal: AbortSignal
): Promise<void> {
  const registration = await scope.navigator.serviceWorker?.register('./service-worker.js')
  if (registration === undefined || signal.aborted) return
  const offer = (worker: ServiceWorker) =>
    onUpdate(() => {
      worker.addEventListener('statechange', () => {
        if (worker.state === 'activated') reload()
      })
      worker.postMessage('take-over')
    })
  if (registration.waiting !== null) offer(registration.waiting)
  const follow = () => {
    const worker = registration.installing
    worker?.addEventListener('statechange', () => {
      // The first one is no update: nothing was there before it.
      if (worker.state === 'installed' && registration.active !== null) offer(worker)
    })
  }
  follow()
  registration.addEventListener('updatefound', follow, { signal })
  const look = () => registration.update().catch(() => {}) // offline: the next look will see
  const timer = scope.setInterval(look, LOOK_EVERY_MS)
  signal.addEventListener('abort', () => scope.clearInterval(timer))
}
