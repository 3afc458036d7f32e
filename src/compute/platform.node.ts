import { totalmem } from 'node:os'
import { Worker } from 'node:worker_threads'
import nodeEndpoint from 'comlink/dist/umd/node-adapter.js'
import type { Platform, SpawnedWorker } from './platform.ts'

/** A worker thread of any entry file, such as `workers/compute.node.ts`. */
export function spawnThread(entry: URL): SpawnedWorker {
  const worker = new Worker(entry)
  return {
    endpoint: nodeEndpoint(worker),
    onFailure(listener) {
      worker.once('error', listener)
      worker.once('exit', (status) => listener(new Error(`The worker thread ended with status ${status}.`)))
    },
    terminate: () => void worker.terminate()
  }
}

export const platform: Platform = {
  spawn: () => spawnThread(new URL('../../workers/compute.node.ts', import.meta.url)),
  memory: totalmem
}
