/** What an advert tells of a device's memory, in steps so coarse that nobody is known by them. All in bytes. */

const MIB = 2 ** 20
/** Powers of two, from the least that WebGPU guarantees to what a 32-bit index reaches. */
const STEPS = [4_096, 2_048, 1_024, 512, 256, 128].map((step) => step * MIB)
/** Of a CPU device's memory, for one kernel: the rest is the owner's, and other units'. */
const CPU_SHARE = 1 / 4
/** Half of what a WebAssembly memory can have: inputs and result lie in it together. */
const CPU_MOST = 2_048 * MIB

/** The largest step that is not above it; 0 below the least. */
export function coarseMemory(bytes: number): number {
  return STEPS.find((step) => step <= bytes) ?? 0
}

/** What one kernel can bind on a GPU. */
export function gpuMemory(limits: {
  readonly maxBufferSize: number
  readonly maxStorageBufferBindingSize: number
}): number {
  return coarseMemory(Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize))
}

/** What one kernel can have on the CPU. @param total of the device; undefined: it does not tell */
export function cpuMemory(total: number | undefined): number {
  return total === undefined ? 0 : coarseMemory(Math.min(total * CPU_SHARE, CPU_MOST))
}
