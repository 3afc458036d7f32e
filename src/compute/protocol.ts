import { transferHandlers } from 'comlink'
import type { ErrorDetails } from '../wire/index.ts'
import type { BackendKind, Profile } from './engine.ts'
import { ComputeError, type ComputeErrorCode } from './errors.ts'

/** What the engine and its workers say to each other, over comlink. */

export interface Task {
  readonly id: number
  readonly skill: string
  readonly params: readonly number[]
  readonly data: Uint8Array
  /** `bytes` only for parts that the worker does not have yet. */
  readonly parts: ReadonlyArray<{ readonly hash: string; readonly bytes?: Uint8Array }>
  /** Hashes of parts to forget first. */
  readonly drop: readonly string[]
  /** Whether anyone listens for progress. */
  readonly progress: boolean
  /** @default the first that the device can run */
  readonly variant?: string
}

/** A typical unit of a skill, planned from its sample. */
export interface SampleUnit {
  readonly params: readonly number[]
  readonly data: Uint8Array
  readonly parts: readonly Uint8Array[]
}

export interface WorkerStart {
  readonly backend: BackendKind | 'auto'
  readonly power: number
  readonly profile: Profile
}

export interface WorkerInfo {
  readonly backend: BackendKind
  /** Such as `webgpu-nvidia`, or `cpu`, or why it is the CPU: `cpu-no-gpu`, `cpu-software-gpu`. */
  readonly class: string
  /** Bytes that one kernel can bind, where the backend knows. */
  readonly memory?: number | undefined
  readonly skills: ReadonlyArray<{
    readonly name: string
    readonly kernel: Uint8Array
    readonly timeoutMs: number
    /** What this device can run, in the skill's order, if there is a sample to compare on. */
    readonly variants: readonly string[]
  }>
}

export type ProgressListener = (id: number, share: number) => void

export interface WorkerApi {
  start(init: WorkerStart, onProgress: ProgressListener): Promise<WorkerInfo>
  run(task: Task): Promise<Uint8Array>
  /** @throws ComputeError `UNKNOWN_SKILL` */
  sample(skill: string): Promise<SampleUnit>
  /** @throws ComputeError */
  warm(skill: string, variant: string | undefined): Promise<void>
  verify(task: Task, result: Uint8Array, seed: Uint8Array): Promise<boolean>
  cancel(id: number): void
  setPower(share: number): void
}

interface Thrown {
  readonly value: unknown
}

interface SentError {
  readonly code: ComputeErrorCode
  readonly message: string
  readonly retryable: boolean
  readonly details: ErrorDetails
}

const isSentError = (sent: unknown): sent is { computeError: SentError } =>
  typeof sent === 'object' && sent !== null && 'computeError' in sent

let errorsAreTyped = false

/** Lets a ComputeError keep its code, `retryable` and details on the way out of a worker. Call on both sides. */
export function keepErrorsTyped(): void {
  if (errorsAreTyped) {
    return
  }
  errorsAreTyped = true
  const plain = transferHandlers.get('throw')
  if (plain === undefined) {
    throw new TypeError('comlink has no handler for thrown values: check its version.')
  }
  transferHandlers.set('throw', {
    canHandle: (value): value is Thrown => plain.canHandle(value),
    serialize(thrown: Thrown) {
      const error = thrown.value
      if (!(error instanceof ComputeError)) {
        return plain.serialize(thrown)
      }
      const { code, message, retryable, details } = error
      return [{ computeError: { code, message, retryable, details } }, []]
    },
    deserialize(sent: unknown) {
      if (isSentError(sent)) {
        const { code, message, ...options } = sent.computeError
        throw new ComputeError(code, message, options)
      }
      return plain.deserialize(sent)
    }
  })
}
