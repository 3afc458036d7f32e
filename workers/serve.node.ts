import { parentPort } from 'node:worker_threads'
import nodeEndpoint from 'comlink/dist/umd/node-adapter.js'
import { serveCompute } from '../src/compute/worker/index.ts'
import { kernelHash, skillsWith } from '../src/skills/index.ts'
import { openDawn } from './dawn.node.ts'

/** In a worker thread. */
export function serve(own: readonly unknown[]): void {
  if (parentPort === null) {
    throw new TypeError(
      'A file that serves skills is the entry point of a worker thread: it cannot be run by itself.'
    )
  }
  serveCompute({ skills: skillsWith(own), kernelHash, openGpu: openDawn }, nodeEndpoint(parentPort))
}
