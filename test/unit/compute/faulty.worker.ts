import { parentPort } from 'node:worker_threads'
import nodeEndpoint from 'comlink/dist/umd/node-adapter.js'
import { serveCompute } from '../../../src/compute/worker/index.ts'
import { kernelHash, SKILLS } from '../../../src/skills/index.ts'
import { faultySkills } from './faulty.skills.ts'

if (parentPort === null) {
  throw new Error('start me as a worker thread')
}
const faulty = faultySkills(() => process.exit(3))
serveCompute({ skills: new Map([...SKILLS, ...faulty]), kernelHash }, nodeEndpoint(parentPort))
