import { SwarmError } from '../wire/index.ts'

/**
 * `NO_WEBGPU`: forced, but there is no adapter. `BAD_UNIT`, `UNKNOWN_SKILL`: nothing was computed.
 * `KERNEL_FAILED`: the kernel, its twin or its check threw, or did not pass the GPU's validation.
 * `TIMEOUT`: over the manifest's limit. `CANCELLED`: inside the worker only; a caller sees its signal's reason.
 */
export type ComputeErrorCode =
  | 'NO_WEBGPU'
  | 'UNKNOWN_SKILL'
  | 'BAD_UNIT'
  | 'KERNEL_FAILED'
  | 'TIMEOUT'
  | 'CANCELLED'
  | 'DEVICE_LOST'
  | 'OUT_OF_MEMORY'
  | 'WORKER_CRASHED'
  | 'CLOSED'

export class ComputeError extends SwarmError<ComputeErrorCode> {
  override readonly name = 'ComputeError'
}
