import type { Endpoint } from 'comlink'
import type { WorkerSource } from './engine.ts'

/** What differs between a tab, the SDK and Node: how a worker comes to life. */
export interface Platform {
  /**
   * @param source of another worker than this build's
   * @throws ComputeError `NO_WORKER` where such a one cannot be made
   */
  spawn(source?: WorkerSource): SpawnedWorker
  /** Of the device, in bytes; undefined: it does not tell. @default undefined */
  memory?(): number | undefined
}

export interface SpawnedWorker {
  readonly endpoint: Endpoint
  /** Called at most once, when the worker dies by itself. */
  onFailure(listener: (cause: unknown) => void): void
  terminate(): void
}

/** As a page may know it: a power of two up to 8 GiB, or nothing at all. */
export function pageMemory(): number | undefined {
  // of browsers that have it; not in TypeScript's library
  const { deviceMemory } = navigator as { deviceMemory?: number }
  return deviceMemory === undefined ? undefined : deviceMemory * 2 ** 30
}

/** As a page makes it. */
export const givenWorker = (source: WorkerSource): Worker =>
  typeof source === 'function' ? source() : new Worker(source, { type: 'module' })

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
