import { parentPort } from 'node:worker_threads'
import nodeEndpoint from 'comlink/dist/umd/node-adapter.js'
import { ComputeError } from '../../../src/compute/errors.ts'
import type { Backend } from '../../../src/compute/worker/backend.ts'
import { serveCompute } from '../../../src/compute/worker/index.ts'
import { kernelHash, type Skill } from '../../../src/skills/index.ts'

/** A worker with a GPU that only sleeps: each variant takes its time, and its name is the result. */
export const VARIANTS = ['plain', 'fast', 'wrong', 'broken'] as const
const MS: Record<string, number> = { plain: 20, fast: 4, wrong: 1, broken: 0 }
const CPU = 9

const skill = (name: string, cpuMs: number): Skill => ({
  manifest: {
    name,
    version: '1.0.0',
    description: '',
    tags: [],
    license: 'MIT',
    timeout_secs: 20,
    check: 'strong'
  },
  input: undefined as never, // the engine does not parse inputs
  example: () => undefined,
  sample: () => undefined,
  variants: VARIANTS.map((name) => ({ name, wgsl: '', needs: [] })),
  plan: () => ({
    parts: [Uint8Array.of(5)],
    units: [{ params: [], parts: [0], data: new Uint8Array(1), cost: 1n }],
    assembler() {
      throw new Error('not assembled')
    }
  }),
  checkUnit: () => ({ resultSize: 1, cost: 1n }),
  *cpu() {
    for (const started = performance.now(); performance.now() - started < cpuMs; ) {
      yield 0
    }
    return Uint8Array.of(CPU)
  },
  gpu() {
    throw new Error('the backend below runs nothing')
  },
  verify: (_, [result]) => result !== VARIANTS.indexOf('wrong')
})

const gpu: Backend = {
  kind: 'webgpu',
  class: 'webgpu-sleepy',
  variants: ({ variants }) => variants.map(({ name }) => name),
  async run({ variants }, _, { variant = variants[0]?.name ?? '', signal }) {
    await new Promise((resolve) => setTimeout(resolve, MS[variant]))
    signal.throwIfAborted()
    if (variant === 'broken') {
      throw new ComputeError('KERNEL_FAILED', 'It does not compile.')
    }
    return Uint8Array.of(VARIANTS.indexOf(variant as (typeof VARIANTS)[number]))
  },
  drop() {},
  setPower() {}
}

if (parentPort === null) {
  throw new Error('start me as a worker thread')
}
const skills = new Map([skill('for-gpu', 200), skill('for-cpu', 0)].map((each) => [each.manifest.name, each]))
serveCompute(
  { skills, kernelHash, openGpu: async () => ({ backend: gpu, isSoftware: false }) },
  nodeEndpoint(parentPort)
)
