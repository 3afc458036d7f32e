import { proxy, type Remote, transfer, wrap } from 'comlink'
import type { EngineUnit } from './engine.ts'
import { ComputeError } from './errors.ts'
import { PartsMirror } from './parts.ts'
import type { Platform, SpawnedWorker } from './platform.ts'
import type { SampleUnit, Task, WorkerApi, WorkerInfo, WorkerStart } from './protocol.ts'

/** One unit to compute or one result to check. */
export interface Work {
  readonly id: number
  readonly unit: EngineUnit
  /** Set if this is a result to check. */
  readonly check?: { readonly result: Uint8Array; readonly seed: Uint8Array }
  readonly variant?: string
  readonly onProgress?: (share: number) => void
}

interface Running {
  readonly work: Work
  readonly reject: (error: unknown) => void
}

/** One worker and what it is doing. It lives once: after a crash the engine makes another. */
export class Lane {
  readonly #worker: SpawnedWorker
  readonly #api: Remote<WorkerApi>
  readonly #parts: PartsMirror
  readonly #running = new Map<number, Running>()
  readonly #started: Promise<WorkerInfo>
  readonly #failStart: (error: ComputeError) => void
  #ended: ComputeError | undefined
  /** Set while a unit runs alone here. */
  exclusive = false

  constructor(platform: Platform, start: WorkerStart, partBytes: number, onCrash: () => void) {
    this.#parts = new PartsMirror(partBytes)
    this.#worker = platform.spawn()
    this.#api = wrap<WorkerApi>(this.#worker.endpoint)
    this.#worker.onFailure((cause) => {
      if (this.#ended === undefined) {
        this.end(new ComputeError('WORKER_CRASHED', 'A compute worker crashed.', { retryable: true, cause }))
        onCrash()
      }
    })
    const { promise: neverStarted, reject } = Promise.withResolvers<never>()
    this.#failStart = reject
    this.#started = Promise.race([
      neverStarted,
      this.#api.start(
        start,
        proxy((id, share) => this.#running.get(id)?.work.onProgress?.(share))
      )
    ])
    this.#started.catch(() => {}) // whoever asks for it gets the error; no one has to ask
  }

  get started(): Promise<WorkerInfo> {
    return this.#started
  }

  get load(): number {
    return this.#running.size
  }

  /**
   * Sends work to the worker.
   *
   * @throws ComputeError what the worker threw, or why it ended
   */
  execute(work: Work): Promise<Uint8Array | boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array | boolean>()
    if (this.#ended !== undefined) {
      reject(this.#ended)
      return promise
    }
    this.#running.set(work.id, { work, reject })
    this.#send(work).then(resolve, reject)
    return promise.finally(() => this.#running.delete(work.id))
  }

  async #send(work: Work): Promise<Uint8Array | boolean> {
    const owned: ArrayBuffer[] = []
    const task = this.#task(work, owned)
    if (work.check === undefined) {
      return this.#api.run(transfer(task, owned))
    }
    const { result, seed } = work.check
    return this.#api.verify(transfer(task, owned), compact(result, owned), compact(seed, owned))
  }

  #task(work: Work, owned: ArrayBuffer[]): Task {
    const { skill, params, data, parts } = work.unit
    const missing = parts.filter(({ hash }) => !this.#parts.has(hash)).map(({ hash }) => hash)
    for (const { hash, bytes } of parts) {
      this.#parts.use(hash, bytes.byteLength)
    }
    const inUse = [...this.#running.values()].flatMap((running) => running.work.unit.parts)
    return {
      id: work.id,
      skill,
      params,
      data: compact(data, owned),
      parts: parts.map(({ hash, bytes }) =>
        missing.includes(hash) ? { hash, bytes: compact(bytes, owned) } : { hash }
      ),
      drop: this.#parts.trim(new Set(inUse.map(({ hash }) => hash))),
      progress: work.onProgress !== undefined,
      ...(work.variant !== undefined && { variant: work.variant })
    }
  }

  sample(skill: string): Promise<SampleUnit> {
    return this.#api.sample(skill)
  }

  warm(skill: string, variant: string | undefined): Promise<void> {
    return this.#api.warm(skill, variant)
  }

  cancel(id: number): void {
    void this.#api.cancel(id)
  }

  setPower(share: number): void {
    void this.#api.setPower(share)
  }

  /** Ends the worker at once. What runs on it fails with `error`. */
  end(error: ComputeError): void {
    this.#ended ??= error
    this.#worker.terminate()
    this.#failStart(error)
    for (const { reject } of [...this.#running.values()]) {
      reject(error)
    }
  }
}

/** A view of a larger buffer is copied, since cloning a view clones the whole buffer; the copy is ours to move. */
function compact(bytes: Uint8Array, owned: ArrayBuffer[]): Uint8Array {
  if (bytes.byteLength === bytes.buffer.byteLength) {
    return bytes
  }
  const copy = bytes.slice()
  owned.push(copy.buffer)
  return copy
}
