import type { Skill } from '../skills/index.ts'
import type { DeviceClass, Engine, EngineUnit, RunOptions } from './engine.ts'
import { ComputeError } from './errors.ts'
import { randomFrom } from './worker/random.ts'

/** Time between two looks at other things, in ms. */
const SLICE_MS = 8

/**
 * An engine without workers, by the CPU twins, in the thread that calls: for tests. A long unit holds up all else a
 * slice at a time.
 *
 * @param kernelHash names a skill's kernel, 32 bytes
 */
export async function createInlineEngine(
  skills: ReadonlyMap<string, Skill>,
  kernelHash: (skill: Skill) => Promise<Uint8Array>
): Promise<Engine> {
  const kernels = await Promise.all(
    [...skills].map(async ([name, skill]) => [name, await kernelHash(skill)] as const)
  )
  return new InlineEngine(skills, new Map(kernels))
}

class InlineEngine implements Engine {
  readonly device: DeviceClass = { backend: 'cpu', class: 'cpu-inline' }
  readonly concurrency = 1
  readonly kernels: ReadonlyMap<string, Uint8Array>
  readonly #skills: ReadonlyMap<string, Skill>
  readonly #closed = new AbortController()
  #last: Promise<unknown> = Promise.resolve()

  constructor(skills: ReadonlyMap<string, Skill>, kernels: ReadonlyMap<string, Uint8Array>) {
    this.#skills = skills
    this.kernels = kernels
  }

  run(unit: EngineUnit, options: RunOptions = {}): Promise<Uint8Array> {
    return this.#next(options, (signal) => compute(this.#skill(unit), unit, signal, options.onProgress))
  }

  verify(unit: EngineUnit, result: Uint8Array, seed: Uint8Array, options: RunOptions = {}): Promise<boolean> {
    return this.#next(options, async () => this.#skill(unit).verify(inputOf(unit), result, randomFrom(seed)))
  }

  setPower(): void {}

  close(): void {
    this.#closed.abort(new ComputeError('CLOSED', 'The engine was closed: start another one.'))
  }

  /** One after the other. */
  #next<T>({ signal }: RunOptions, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const over = AbortSignal.any([this.#closed.signal, ...(signal ? [signal] : [])])
    const done = this.#last.then(() => {
      over.throwIfAborted()
      return work(over)
    })
    this.#last = done.catch(() => {}) // whoever asked hears of it
    return done
  }

  #skill({ skill }: EngineUnit): Skill {
    const found = this.#skills.get(skill)
    if (found === undefined) {
      throw new ComputeError('UNKNOWN_SKILL', 'This build has no skill of this name.')
    }
    return found
  }
}

async function compute(
  skill: Skill,
  unit: EngineUnit,
  signal: AbortSignal,
  onProgress: RunOptions['onProgress']
): Promise<Uint8Array> {
  let started = performance.now()
  const work = skill.cpu(inputOf(unit))
  for (let step = work.next(); ; step = work.next()) {
    if (step.done) {
      return step.value
    }
    if (performance.now() - started >= SLICE_MS) {
      onProgress?.(step.value)
      await new Promise((resolve) => setTimeout(resolve))
      signal.throwIfAborted()
      started = performance.now()
    }
  }
}

const inputOf = ({ params, data, parts }: EngineUnit) => ({
  params,
  data,
  parts: parts.map(({ bytes }) => bytes)
})
