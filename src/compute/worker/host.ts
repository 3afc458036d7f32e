import { transfer } from 'comlink'
import type { Skill } from '../../skills/index.ts'
import { SwarmError } from '../../wire/index.ts'
import { ComputeError } from '../errors.ts'
import type { ProgressListener, SampleUnit, Task, WorkerApi, WorkerInfo, WorkerStart } from '../protocol.ts'
import type { Backend, BackendUnit } from './backend.ts'
import { CpuBackend } from './cpu-backend.ts'
import { randomFrom } from './random.ts'
import { WasmInstances } from './wasm-instances.ts'
import { type OpenGpu, openWebGpu } from './webgpu-backend.ts'

/** What a worker can compute, handed in by its entry file. */
export interface HostInit {
  readonly skills: ReadonlyMap<string, Skill>
  readonly kernelHash: (skill: Skill) => Promise<Uint8Array>
  /** @default WebGPU as `navigator.gpu` has it */
  readonly openGpu?: OpenGpu
}

/** The worker's side of the engine: skills by name, a backend, parts by hash. */
export class ComputeHost implements WorkerApi {
  readonly #init: HostInit
  readonly #parts = new Map<string, Uint8Array>()
  readonly #running = new Map<number, AbortController>()
  readonly #instances = new WasmInstances()
  readonly #backend = Promise.withResolvers<Backend>()
  #onProgress: ProgressListener = () => {}

  constructor(init: HostInit) {
    this.#init = init
    this.#backend.promise.catch(() => {}) // `start` says it
  }

  async start(init: WorkerStart, onProgress: ProgressListener): Promise<WorkerInfo> {
    this.#onProgress = onProgress
    try {
      this.#backend.resolve(await this.#chooseBackend(init))
    } catch (error) {
      this.#backend.reject(error)
    }
    const backend = await this.#backend.promise
    const skills = [...this.#init.skills.values()].map(async (skill) => ({
      name: skill.manifest.name,
      kernel: await this.#init.kernelHash(skill),
      timeoutMs: skill.manifest.timeout_secs * 1_000,
      variants: skill.sample === undefined ? [] : backend.variants(skill)
    }))
    return {
      backend: backend.kind,
      class: backend.class,
      memory: backend.memory,
      skills: await Promise.all(skills)
    }
  }

  async run(task: Task): Promise<Uint8Array> {
    const unit = this.#receive(task)
    const { skill, resultSize } = this.#check(task, unit)
    const controller = new AbortController()
    this.#running.set(task.id, controller)
    try {
      const backend = await this.#backend.promise
      const result = await backend.run(skill, unit, {
        signal: controller.signal,
        variant: task.variant,
        onProgress: (share) => {
          if (task.progress) {
            this.#onProgress(task.id, share)
          }
        }
      })
      if (result.byteLength !== resultSize) {
        throw new ComputeError(
          'KERNEL_FAILED',
          `The result has ${result.byteLength} bytes, not ${resultSize}.`
        )
      }
      // kernels make results of their own: nobody else holds the buffer
      return transfer(result, [result.buffer as ArrayBuffer])
    } catch (error) {
      throw typed(error)
    } finally {
      this.#running.delete(task.id)
    }
  }

  async warm(name: string, variant: string | undefined): Promise<void> {
    const unit = await this.sample(name)
    try {
      const backend = await this.#backend.promise
      await backend.warm?.(this.#skill(name), { ...unit, hashes: [] }, variant)
    } catch (error) {
      throw typed(error)
    }
  }

  async verify(task: Task, result: Uint8Array, seed: Uint8Array): Promise<boolean> {
    const unit = this.#receive(task)
    const { skill, resultSize } = this.#check(task, unit)
    try {
      return result.byteLength === resultSize && (await this.#judge(skill, unit, result, randomFrom(seed)))
    } catch (error) {
      throw typed(error)
    }
  }

  async #judge(skill: Skill, unit: BackendUnit, result: Uint8Array, random: () => number): Promise<boolean> {
    const { wasm } = skill
    const instance = wasm?.verify && (await this.#instances.take(wasm.module))
    if (wasm?.verify === undefined || instance === undefined) {
      return skill.verify(unit, result, random)
    }
    try {
      return wasm.verify(unit, result, random, instance.exports)
    } finally {
      this.#instances.giveBack(wasm.module, instance)
    }
  }

  async sample(name: string): Promise<SampleUnit> {
    const skill = this.#skill(name)
    const plan = skill.plan(skill.sample?.() ?? skill.example())
    const [unit] = plan.units
    if (unit === undefined) {
      throw new ComputeError('KERNEL_FAILED', `The sample of ${name} plans no unit.`)
    }
    const parts = unit.parts.map((part) => plan.parts[part] ?? new Uint8Array(0))
    return { params: unit.params, data: unit.data, parts }
  }

  cancel(id: number): void {
    this.#running.get(id)?.abort(new ComputeError('CANCELLED', 'The unit was cancelled.'))
  }

  setPower(share: number): void {
    this.#whenReady((backend) => backend.setPower(share))
  }

  #whenReady(act: (backend: Backend) => void): void {
    void this.#backend.promise.then(act, () => {}) // without a backend there is nothing to act on
  }

  /** Stores and forgets parts first, whatever comes of the unit: the engine counts on it. */
  #receive(task: Task): BackendUnit {
    for (const hash of task.drop) {
      this.#parts.delete(hash)
      this.#whenReady((backend) => backend.drop(hash))
    }
    for (const { hash, bytes } of task.parts) {
      if (bytes !== undefined) {
        this.#parts.set(hash, bytes)
      }
    }
    const parts = task.parts.map(({ hash }) => {
      const bytes = this.#parts.get(hash)
      if (bytes === undefined) {
        throw new ComputeError('BAD_UNIT', 'The unit names a part that was not sent.')
      }
      return bytes
    })
    return { params: task.params, data: task.data, parts, hashes: task.parts.map(({ hash }) => hash) }
  }

  #check(task: Task, unit: BackendUnit): { skill: Skill; resultSize: number } {
    const skill = this.#skill(task.skill)
    try {
      const { resultSize } = skill.checkUnit({
        params: unit.params,
        dataSize: unit.data.byteLength,
        partSizes: unit.parts.map((part) => part.byteLength)
      })
      return { skill, resultSize }
    } catch (error) {
      throw typed(error)
    }
  }

  #skill(name: string): Skill {
    const skill = this.#init.skills.get(name)
    if (skill === undefined) {
      throw new ComputeError('UNKNOWN_SKILL', 'This build has no skill of this name.')
    }
    return skill
  }

  async #chooseBackend({ backend, power, profile }: WorkerStart): Promise<Backend> {
    if (backend === 'cpu') {
      return new CpuBackend('cpu', power)
    }
    const needs = [...this.#init.skills.values()].flatMap(({ variants }) =>
      variants.flatMap(({ needs }) => needs)
    )
    const found = await (this.#init.openGpu ?? openWebGpu)(
      power,
      new Set(needs),
      backend === 'webgpu',
      profile
    )
    if (backend === 'webgpu') {
      if (found === undefined) {
        const message = 'There is no WebGPU adapter: use the CPU backend, or turn on WebGPU in this browser.'
        throw new ComputeError('NO_WEBGPU', message)
      }
      return found.backend
    }
    if (found === undefined || found.isSoftware) {
      return new CpuBackend(found === undefined ? 'cpu-no-gpu' : 'cpu-software-gpu', power)
    }
    return found.backend
  }
}

/** What has a code keeps it; an engine's "no room" and whatever else a kernel throws get one. */
function typed(error: unknown): SwarmError {
  const message = error instanceof Error ? error.message : String(error)
  if (isOutOfMemory(error, message)) {
    return new ComputeError('OUT_OF_MEMORY', 'There is no room for this unit here.', {
      retryable: true,
      cause: error
    })
  }
  return error instanceof SwarmError
    ? error
    : new ComputeError('KERNEL_FAILED', `The kernel failed: ${message}`, { cause: error })
}

/** Engines name a failed allocation in words only. */
function isOutOfMemory(error: unknown, message: string): boolean {
  return error instanceof SwarmError
    ? error.code === 'NO_MEMORY'
    : error instanceof RangeError && /allocation|out of memory/i.test(message)
}
