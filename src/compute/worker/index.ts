import { type Endpoint, expose } from 'comlink'
import { keepErrorsTyped } from '../protocol.ts'
import { ComputeHost, type HostInit } from './host.ts'

export { type OpenGpu, openWebGpu } from './webgpu-backend.ts'

/**
 * The worker's half of `compute/`, a door of its own: the other half starts workers, and must not be part of one.
 *
 * @param endpoint @default the worker's own global scope
 */
export function serveCompute(init: HostInit, endpoint?: Endpoint): void {
  keepErrorsTyped()
  expose(new ComputeHost(init), endpoint)
}
