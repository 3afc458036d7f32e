/**
 * SwarmHarness: hire a swarm of browser tabs, or lend it yours.
 *
 * @example
 *
 * ```ts
 * const swarm = await createSwarm({ relays })
 * const job = swarm.submit('matmul-i8', { a, b, m, k, n }, { budget: 5_000n })
 * for await (const event of job) console.log(event.type)
 * const { value, receipt } = await job.result
 * ```
 */
export type * from './api.ts'
export { startSwarm as createSwarm } from './swarm.ts'
export { type MicroCredits, type Milliseconds, type PeerIdString, SwarmError } from './wire/index.ts'
