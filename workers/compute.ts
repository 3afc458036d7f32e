import { serveCompute } from '../src/compute/worker/index.ts'
import { kernelHash, SKILLS } from '../src/skills/index.ts'

serveCompute({ skills: SKILLS, kernelHash })
