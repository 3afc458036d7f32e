import * as z from 'zod/mini'
import type { Engine, EngineUnit, RunOptions } from '../../src/compute/index.ts'
import type { Skill } from '../../src/skills/index.ts'
import type { Trade } from './swarm-peer.ts'

/**
 * A skill whose units take a set time instead of computing: two cores cannot show what four providers would do, but
 * whether the protocol keeps them all busy it can. Of the benches alone; no build of the product knows it.
 */

const NOTHING = new Uint8Array(1)
const COST = 100n

const skill: Skill = {
  manifest: {
    name: 'wait',
    version: '1.0.0',
    description: 'Waits.',
    tags: [],
    license: 'MIT',
    timeout_secs: 60,
    check: 'strong'
  },
  input: z.unknown(),
  example: () => 1,
  variants: [],
  plan: (_input, { units = 1 } = {}) => ({
    parts: [],
    units: Array.from({ length: units }, (_, i) => ({ params: [i], parts: [], data: NOTHING, cost: COST })),
    assembler: () => ({ accept: () => {}, finish: () => undefined })
  }),
  checkUnit: () => ({ resultSize: 1, cost: COST }),
  // biome-ignore lint/correctness/useYield: the engine below never asks for it
  *cpu() {
    return NOTHING
  },
  gpu: () => ({ bindings: [], resultSize: 0, dispatches: [] }),
  verify: () => true
}

/** One unit after the other, each for a set time. */
export class WaitingEngine implements Engine {
  readonly device = { backend: 'cpu' as const, class: 'waiting' }
  readonly concurrency = 1
  readonly kernels = new Map()
  /** When a unit was last given up (ms since the epoch). */
  abortedAt = Number.NaN
  private readonly unitMs: number
  private last: Promise<unknown> = Promise.resolve()

  constructor(unitMs: number) {
    this.unitMs = unitMs
  }

  run(_unit: EngineUnit, { signal }: RunOptions = {}): Promise<Uint8Array> {
    const result = this.last.then(() => {
      signal?.throwIfAborted()
      return new Promise<Uint8Array>((resolve, reject) => {
        const timer = setTimeout(() => resolve(NOTHING), this.unitMs)
        signal?.addEventListener('abort', () => {
          clearTimeout(timer)
          this.abortedAt = performance.timeOrigin + performance.now()
          reject(signal.reason)
        })
      })
    })
    this.last = result.catch(() => {})
    return result
  }

  async verify(): Promise<boolean> {
    return true
  }

  setPower(): void {}
  close(): void {}
}

export const waiting: Trade = { skill, verifier: async () => new WaitingEngine(0) }
