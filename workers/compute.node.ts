import { parentPort } from 'node:worker_threads'
import nodeEndpoint from 'comlink/dist/umd/node-adapter.js'
import { serveCompute } from '../src/compute/worker/index.ts'
import { kernelHash, SKILLS } from '../src/skills/index.ts'
import { openDawn } from './dawn.node.ts'

if (parentPort === null) {
  throw new Error('This file is the entry point of a worker thread: it cannot be run by itself.')
}
serveCompute({ skills: SKILLS, kernelHash, openGpu: openDawn }, nodeEndpoint(parentPort))
