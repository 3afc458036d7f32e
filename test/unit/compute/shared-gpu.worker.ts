import { parentPort } from 'node:worker_threads'
import nodeEndpoint from 'comlink/dist/umd/node-adapter.js'
import { ComputeError } from '../../../src/compute/errors.ts'
import type { Backend } from '../../../src/compute/worker/backend.ts'
import { serveCompute } from '../../../src/compute/worker/index.ts'
import { kernelHash } from '../../../src/skills/index.ts'
import { faultySkills } from './faulty.skills.ts'

/** A worker with a GPU that units share: one of them may take the worker, or the device, from all. */
const lost = new Set<(error: ComputeError) => void>()

const gpu: Backend = {
  kind: 'webgpu',
  class: 'webgpu-shared',
  variants: () => [],
  async run(_, { params, data }) {
    const [behaviour] = params
    const running = Promise.withResolvers<never>()
    lost.add(running.reject)
    try {
      // long enough for a neighbour to be in work as well
      await Promise.race([running.promise, new Promise((resolve) => setTimeout(resolve, 20))])
      if (behaviour === 1) {
        process.exit(3)
      }
      if (behaviour === 2) {
        for (const reject of lost) {
          reject(new ComputeError('DEVICE_LOST', 'The graphics device was lost.', { retryable: true }))
        }
        await running.promise
      }
      return data.slice()
    } finally {
      lost.delete(running.reject)
    }
  },
  drop() {},
  setPower() {}
}

if (parentPort === null) {
  throw new Error('start me as a worker thread')
}
serveCompute(
  {
    skills: new Map(faultySkills(() => {})),
    kernelHash,
    openGpu: async () => ({ backend: gpu, isSoftware: false })
  },
  nodeEndpoint(parentPort)
)
