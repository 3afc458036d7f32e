import type { Endpoint } from 'comlink'

/** What differs between a tab, the SDK and Node: how a worker comes to life. */
export interface Platform {
  spawn(): SpawnedWorker
}

export interface SpawnedWorker {
  readonly endpoint: Endpoint
  /** Called at most once, when the worker dies by itself. */
  onFailure(listener: (cause: unknown) => void): void
  terminate(): void
}

/** The side that tab and SDK share. */
export function fromWebWorker(worker: Worker): SpawnedWorker {
  return {
    endpoint: worker,
    onFailure(listener) {
      worker.addEventListener('error', (event) => listener(event.error ?? event.message), { once: true })
    },
    terminate: () => worker.terminate()
  }
}
