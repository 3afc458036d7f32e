import { SwarmError } from '../wire/index.ts'

/**
 * `NO_WEBGPU`: forced, but there is no adapter. `BAD_UNIT`, `UNKNOWN_SKILL`: nothing was computed.
 * `KERNEL_FAILED`: the kernel, its twin or its check threw, or did not pass the GPU's validation.
 * `NO_WORKER`: the one that was named cannot be made here, or does not serve what it should.
 * `TIMEOUT`: over the manifest's limit. `CANCELLED`: inside the worker only; a caller sees its signal's reason.
 */
export type ComputeErrorCode =
  | 'NO_WEBGPU'
  | 'NO_WORKER'
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

/**
 * The kernel's own failure, with whatever error its skill has for that: another variant may do better. Not the unit's
 * fault, nor the device's.
 */
export const isKernelFault = (error: unknown): boolean =>
  error instanceof ComputeError
    ? error.code === 'KERNEL_FAILED'
    : error instanceof SwarmError && error.code !== 'BAD_UNIT'
