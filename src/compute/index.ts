import { platform } from '#compute-platform'
import type { Engine, EngineInit } from './engine.ts'
import { createPool } from './pool.ts'

export type * from './engine.ts'
export { ComputeError, type ComputeErrorCode } from './errors.ts'
export { createInlineEngine } from './inline-engine.ts'

/**
 * Starts an engine in workers of its own.
 *
 * @throws ComputeError `NO_WEBGPU` if WebGPU is forced and there is none; `NO_WORKER` for one that cannot be made here;
 *   `WORKER_CRASHED` if no worker starts
 */
export function createEngine(init: EngineInit = {}): Promise<Engine> {
  const { worker } = init
  return createPool(
    worker === undefined ? platform : { ...platform, spawn: () => platform.spawn(worker) },
    init
  )
}
