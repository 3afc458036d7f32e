import { SkillError } from './errors.ts'

const PAGE_BYTES = 65_536

/**
 * A module's memory, grown to at least `size` bytes. A later call that grows it detaches the buffer.
 *
 * @throws SkillError `NO_MEMORY` if the host has no such room
 */
export function wasmMemory(exports: WebAssembly.Exports, size: number): ArrayBuffer {
  const { memory } = exports
  if (!(memory instanceof WebAssembly.Memory)) {
    throw new SkillError('BAD_MODULE', 'The module exports no memory: generate the shaders anew.')
  }
  const missing = size - memory.buffer.byteLength
  if (missing > 0) {
    try {
      memory.grow(Math.ceil(missing / PAGE_BYTES))
    } catch (cause) {
      throw new SkillError('NO_MEMORY', `There is no room for a unit of ${size} bytes here.`, { cause })
    }
  }
  return memory.buffer
}

/** An exported function: numbers in, a number or nothing out. */
export function wasmFunction(
  exports: WebAssembly.Exports,
  name: string
): (...values: number[]) => number | undefined {
  const found = exports[name]
  if (typeof found !== 'function') {
    throw new SkillError('BAD_MODULE', `The module exports no function ${name}: generate the shaders anew.`)
  }
  return (...values) => found(...values)
}

/**
 * Lays regions out in memory one after the other, each at a multiple of 16: their offsets, and the end. From 0
 * on: modules have no data of their own.
 */
export function layOut(sizes: readonly number[]): { offsets: number[]; size: number } {
  const offsets: number[] = []
  let size = 0
  for (const each of sizes) {
    offsets.push(size)
    size += (each + 15) & ~15
  }
  return { offsets, size }
}
