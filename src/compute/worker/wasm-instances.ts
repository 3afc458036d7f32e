import { type WasmModule, wasmBytes } from '../../../shaders/generated.ts'

/** Compiles each module once a worker, and lends instances: one unit at a time has one. */
export class WasmInstances {
  readonly #modules = new Map<WasmModule, Promise<WebAssembly.Module | undefined>>()
  readonly #idle = new Map<WasmModule, WebAssembly.Instance>()

  /** Undefined where this module cannot be compiled: before SIMD, or under a policy that forbids WebAssembly. */
  async take(name: WasmModule): Promise<WebAssembly.Instance | undefined> {
    const module = await this.#module(name)
    if (module === undefined) {
      return undefined
    }
    const idle = this.#idle.get(name)
    this.#idle.delete(name)
    return idle ?? (await WebAssembly.instantiate(module))
  }

  giveBack(name: WasmModule, instance: WebAssembly.Instance): void {
    this.#idle.set(name, instance)
  }

  #module(name: WasmModule): Promise<WebAssembly.Module | undefined> {
    const known = this.#modules.get(name)
    if (known !== undefined) {
      return known
    }
    const compiling = compile(name)
    this.#modules.set(name, compiling)
    return compiling
  }
}

async function compile(name: WasmModule): Promise<WebAssembly.Module | undefined> {
  try {
    return await WebAssembly.compile(wasmBytes(name))
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) {
      return undefined // the readable twin is slower and right
    }
    throw error
  }
}
