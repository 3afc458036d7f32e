import { openWebGpu } from '../src/compute/worker/index.ts'

/**
 * WebGPU in Node by Dawn (npm `webgpu`), where that package and a driver are there. Only on demand: looking for a
 * driver takes time, and says on standard error that there is none.
 */
export const openDawn: typeof openWebGpu = async (share, needs, isForced) => {
  if (!isForced) {
    return undefined
  }
  const dawn = await import('webgpu').catch(() => undefined) // not installed is the same as no GPU
  if (dawn === undefined) {
    return undefined
  }
  Object.assign(globalThis, dawn.globals)
  // kept where browsers have it: Dawn crashes when its instance is collected
  Object.defineProperty(navigator, 'gpu', { value: dawn.create([]), configurable: true })
  return openWebGpu(share, needs, isForced)
}
