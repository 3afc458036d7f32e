import { execFile } from 'node:child_process'
import { type OpenGpu, openWebGpu } from '../src/compute/worker/index.ts'

/** What this needs of npm `webgpu`. */
export interface Dawn {
  readonly globals: object
  create(options: string[]): GPU
}

interface DawnInit {
  /** Undefined where it is not installed, or has no library for this platform. */
  readonly load: () => Promise<Dawn | undefined>
  /** Looks for a driver without loading one here. */
  readonly hasDriver: () => Promise<boolean>
}

const PROBE_MS = 5_000
const PROBE = `
  const { create, globals } = await import(process.argv[1])
  Object.assign(globalThis, globals)
  const gpu = create([])
  const adapter = await gpu.requestAdapter()
  process.exit(adapter === null || gpu === undefined ? 1 : 0)`

/**
 * Whether Dawn finds an adapter. In a process of its own: a library that finds no driver says so on standard error, past
 * everything that could catch it, and a driver that crashes must not take the node with it.
 *
 * @param module its URL
 */
export function findsAdapter(module: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const args = ['--input-type=module', '--eval', PROBE, module]
  execFile(process.execPath, args, { timeout: PROBE_MS, killSignal: 'SIGKILL' }, (error) =>
    resolve(error === null)
  )
  return promise
}

/** As `openDawn`, of any such library. */
export function dawnOf({ load, hasDriver }: DawnInit): OpenGpu {
  const open: OpenGpu = async (share, needs, isForced, profile) => {
    if (!isForced && !(await hasDriver())) {
      return undefined
    }
    const dawn = await load()
    if (dawn === undefined) {
      return undefined
    }
    Object.assign(globalThis, dawn.globals)
    // kept where browsers have it: Dawn crashes when its instance is collected
    Object.defineProperty(navigator, 'gpu', { value: dawn.create([]), configurable: true })
    return openWebGpu(share, needs, isForced, profile)
  }
  return async (share, needs, isForced, profile) => {
    try {
      return await open(share, needs, isForced, profile)
    } catch (error) {
      if (isForced) {
        throw error
      }
      return undefined // whatever is wrong with it, the CPU computes
    }
  }
}

/** WebGPU in Node by Dawn (npm `webgpu`), where that package and a driver are there. */
export const openDawn: OpenGpu = dawnOf({
  load: () => import('webgpu').catch(() => undefined), // not installed is the same as no GPU
  hasDriver: async () => findsAdapter(import.meta.resolve('webgpu')) // throws where it is not installed
})
