import type { Skill } from '../../skills/index.ts'
import type { Backend, BackendRun, BackendUnit } from './backend.ts'
import { nextTask, Pace } from './pace.ts'
import { WasmInstances } from './wasm-instances.ts'

/** Time between two looks at messages, in ms. */
const SLICE_MS = 8

/** Runs the CPU twins, the WebAssembly ones where there are any. */
export class CpuBackend implements Backend {
  readonly kind = 'cpu'
  readonly class: string
  readonly #pace: Pace
  readonly #instances = new WasmInstances()

  constructor(name: string, share: number) {
    this.class = name
    this.#pace = new Pace(share)
  }

  async run(skill: Skill, unit: BackendUnit, options: BackendRun): Promise<Uint8Array> {
    const { wasm } = skill
    const instance = wasm && (await this.#instances.take(wasm.module))
    if (wasm === undefined || instance === undefined) {
      return this.#work(skill.cpu(unit), options)
    }
    try {
      return await this.#work(wasm.cpu(unit, instance.exports), options)
    } finally {
      this.#instances.giveBack(wasm.module, instance)
    }
  }

  async warm({ wasm }: Skill): Promise<void> {
    const instance = wasm && (await this.#instances.take(wasm.module))
    if (wasm !== undefined && instance !== undefined) {
      this.#instances.giveBack(wasm.module, instance)
    }
  }

  variants(): readonly string[] {
    return []
  }

  drop(): void {}

  setPower(share: number): void {
    this.#pace.share = share
  }

  async #work(work: Generator<number, Uint8Array>, { signal, onProgress }: BackendRun): Promise<Uint8Array> {
    await this.#pace.rest(signal)
    let started = performance.now()
    for (let step = work.next(); ; step = work.next()) {
      const busy = performance.now() - started
      if (step.done) {
        this.#pace.worked(busy)
        return step.value
      }
      if (busy >= SLICE_MS) {
        this.#pace.worked(busy)
        onProgress(step.value)
        await nextTask()
        await this.#pace.rest(signal)
        signal.throwIfAborted()
        started = performance.now()
      }
    }
  }
}
