import type { JobQuote, QuoteOptions } from '../api.ts'
import type { Engine } from '../compute/index.ts'
import type { FoundProvider, SwarmRegistry } from '../registry/index.ts'
import type { SwarmRouter } from '../router/index.ts'
import { kernelHash, type Plan, type Skill } from '../skills/index.ts'
import type { Milliseconds, PeerIdString } from '../wire/index.ts'
import { RATE_DEFAULT } from './price.ts'
import { measureSpeed, quote } from './quote.ts'

/** How long to look for providers: an estimate is wanted now. */
const SEARCH_MS: Milliseconds = 1_000
const PROVIDERS_MAX = 64
/** As a contributing node has by default. */
const WORKERS_MAX = 4

export interface QuoterInit {
  readonly registry: SwarmRegistry
  readonly router: SwarmRouter
  readonly engine: () => Promise<Engine>
}

/** Estimates jobs; remembers how fast this machine is at each skill. */
export class Quoter {
  private readonly init: QuoterInit
  private readonly speeds = new Map<string, Promise<number>>()

  constructor(init: QuoterInit) {
    this.init = init
  }

  /** @throws SkillError for a bad input, JobError `BAD_OPTION`, ComputeError if this machine cannot compute it */
  async quote(skill: Skill, input: unknown, options: QuoteOptions = {}): Promise<JobQuote> {
    const { name, version } = skill.manifest
    const { engine: start, router } = this.init
    const engine = await start()
    const cores = globalThis.navigator?.hardwareConcurrency ?? 2
    return quote({
      skill,
      input,
      options,
      providers: async () => {
        const task = {
          skill: name,
          version,
          kernel: await kernelHash(skill),
          rate: options.rate ?? RATE_DEFAULT,
          excluded: new Set<never>()
        }
        return router.choose(await this.find(name), task, PROVIDERS_MAX)
      },
      speedOf: (peer) => router.speedAt(peer, name),
      localSpeed: (plan) => this.localSpeed(engine, skill, plan),
      workers: engine.device.backend === 'webgpu' ? 1 : Math.max(1, Math.min(WORKERS_MAX, cores - 1))
    })
  }

  private async find(skill: string): Promise<FoundProvider[]> {
    const found = new Map<PeerIdString, FoundProvider>()
    const signal = AbortSignal.timeout(SEARCH_MS)
    try {
      for await (const provider of this.init.registry.find(skill, { signal })) {
        found.set(provider.advert.peer, provider) // what was heard, then what is heard now
      }
    } catch (error) {
      if (!signal.aborted) {
        throw error
      }
    }
    return [...found.values()]
  }

  private localSpeed(engine: Engine, skill: Skill, plan: Plan<unknown>): Promise<number> {
    const { name } = skill.manifest
    const known = this.speeds.get(name)
    if (known !== undefined) {
      return known
    }
    const measuring = measureSpeed(engine, skill, plan)
    this.speeds.set(name, measuring)
    measuring.catch(() => this.speeds.delete(name))
    return measuring
  }
}
