import { transferHandlers } from 'comlink'
import {
  asSwarmError,
  errorFromPlain,
  errorToPlain,
  type PlainError,
  type SwarmError
} from '../wire/index.ts'
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

const isSentError = (sent: unknown): sent is { swarmError: PlainError } =>
  typeof sent === 'object' && sent !== null && 'swarmError' in sent

let errorsAreTyped = false

/**
 * Lets every error keep its code, sentence, `retryable` and details on the way in and out of a worker; one that has no
 * code gets `INTERNAL`. Call on both sides.
 */
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
    serialize: ({ value }: Thrown) => [{ swarmError: errorToPlain(asSwarmError(value)) }, []],
    deserialize(sent: unknown) {
      throw isSentError(sent) ? revived(sent.swarmError) : asSwarmError(sent)
    }
  })
}

/** The engine asks for its own class; of all others code and name are enough. */
function revived(sent: PlainError): SwarmError {
  const { name, code, message, ...options } = sent
  return name === 'ComputeError'
    ? new ComputeError(code as ComputeErrorCode, message, options) // of the other half of this same part
    : errorFromPlain(sent)
}
