/**
 * SwarmHarness: hire a swarm of browser tabs, or lend it yours.
 *
 * @example
 *
 * ```ts
 * const swarm = await createSwarm({ relays })
 * const job = swarm.submit(matmulI8, { a, b, m, k, n }, { budget: 5_000n })
 * for await (const event of job) console.log(event.type)
 * const { value, receipt } = await job.result
 * ```
 *
 * @packageDocumentation
 */
import type { CreateSwarmInit, Swarm } from './api.ts'
import { openSwarm } from './swarm/sdk/index.ts'

export type * from './api.ts'
export type {
  KnnInput,
  KnnOutput,
  MandelbrotInput,
  MandelbrotOutput,
  MatmulF32Input,
  MatmulF32Output,
  MatmulInput,
  MatmulOutput,
  RenderInput,
  RenderOutput
} from './skills/index.ts'
export { type OpenedIdentity, openIdentity } from './swarm/identity-view.ts'
export {
  checkLedger,
  type EscrowRow,
  type LedgerFault,
  type LedgerRow,
  readEscrows,
  readLedger
} from './swarm/ledger-view.ts'
export { knnI8, mandelbrot, matmulF32, matmulI8, renderTile } from './swarm/sdk/index.ts'
export {
  decodeLedgerFile,
  type ErrorDetails,
  encodeLedgerFile,
  errorFromPlain,
  errorToPlain,
  type MicroCredits,
  type Milliseconds,
  type PeerIdString,
  type PlainError,
  SwarmError,
  sealerOf
} from './wire/index.ts'

/**
 * Starts a node of the swarm: a tab or a Node program that hires others, and serves them once it is told to
 * `contribute()`.
 *
 * @throws SwarmError `BAD_OPTION`, `NO_RELAY`, `LOCKED` (the data folder is in use), `DENIED`, `CORRUPT`, …:
 * docs/API.md lists them
 */
export function createSwarm(init?: CreateSwarmInit): Promise<Swarm> {
  return openSwarm(init)
}
