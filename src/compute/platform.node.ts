import { totalmem } from 'node:os'
import { Worker } from 'node:worker_threads'
import nodeEndpoint from 'comlink/dist/umd/node-adapter.js'
import { ComputeError } from './errors.ts'
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

/** @param own of this build */
export const threadsOf = (own: URL): Platform => ({
  spawn(source = own) {
    if (typeof source === 'function') {
      throw new ComputeError('NO_WORKER', 'In Node `worker` is the URL of a file that calls serveSkills().')
    }
    return spawnThread(source)
  },
  memory: totalmem
})

export const platform = threadsOf(new URL('../../workers/compute.node.ts', import.meta.url))
