import { equals } from 'uint8arrays/equals'
import { ComputeError, createEngine, type Engine, type EngineInit } from '../compute/index.ts'
import { kernelHash, SKILLS, type Skill } from '../skills/index.ts'

export interface EnginesInit {
  /** @default workers of this device */
  readonly create?: ((init: EngineInit) => Promise<Engine>) | undefined
  /** @default this build's own */
  readonly worker?: EngineInit['worker']
  /** All that the node knows. */
  readonly skills: ReadonlyMap<string, Skill>
}

/** The engines of a node: the one that serves, once it contributes, and until then one worker that checks. */
export class Engines {
  private readonly init: EnginesInit
  private serving: Promise<Engine> | undefined
  private verifier: Promise<Engine> | undefined

  constructor(init: EnginesInit) {
    this.init = init
  }

  /** Started once; after a failure the next call tries anew. */
  async serve(init: EngineInit): Promise<Engine> {
    const starting = this.serving ?? this.start(init)
    this.serving = starting
    try {
      return await starting
    } catch (error) {
      this.serving = undefined
      throw error
    }
  }

  /** Whoever contributes checks with the same engine; whoever only hires gets one worker on the CPU. */
  check(): Promise<Engine> {
    if (this.serving !== undefined) {
      return this.serving
    }
    const verifier = this.verifier ?? this.start({ backend: 'cpu', workers: 1 })
    this.verifier = verifier
    return verifier
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.serving, this.verifier].map(async (engine) => (await engine)?.close()))
  }

  private async start(init: EngineInit): Promise<Engine> {
    const { create = createEngine, worker, skills } = this.init
    const engine = await create({ ...init, worker })
    try {
      for (const [name, skill] of skills) {
        if (!SKILLS.has(name) && !equals(engine.kernels.get(name) ?? NOTHING, await kernelHash(skill))) {
          const message = `The worker does not serve ${name}, or another version of it: pass it to serveSkills() there, too.`
          throw new ComputeError('NO_WORKER', message)
        }
      }
      return engine
    } catch (error) {
      engine.close()
      throw error
    }
  }
}

const NOTHING = new Uint8Array(0)
