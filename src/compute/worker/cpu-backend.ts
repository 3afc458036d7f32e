import type { Skill } from '../../skills/index.ts'
import type { Backend, BackendRun, BackendUnit } from './backend.ts'
import { nextTask, Pace } from './pace.ts'

/** Time between two looks at messages, in ms. */
const SLICE_MS = 8

/** Runs the CPU twins. */
export class CpuBackend implements Backend {
  readonly kind = 'cpu'
  readonly class: string
  readonly #pace: Pace

  constructor(name: string, share: number) {
    this.class = name
    this.#pace = new Pace(share)
  }

  async run(skill: Skill, unit: BackendUnit, { signal, onProgress }: BackendRun): Promise<Uint8Array> {
    const work = skill.cpu(unit)
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

  drop(): void {}

  setPower(share: number): void {
    this.#pace.share = share
  }
}
