import { createEngine, type Engine, type EngineInit } from '../compute/index.ts'

/** The engines of a node: the one that serves, once it contributes, and until then one worker that checks. */
export class Engines {
  private readonly create: (init: EngineInit) => Promise<Engine>
  private serving: Promise<Engine> | undefined
  private verifier: Promise<Engine> | undefined

  constructor(create: (init: EngineInit) => Promise<Engine> = createEngine) {
    this.create = create
  }

  /** Started once; after a failure the next call tries anew. */
  async serve(init: EngineInit): Promise<Engine> {
    const starting = this.serving ?? this.create(init)
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
    const verifier = this.verifier ?? this.create({ backend: 'cpu', workers: 1 })
    this.verifier = verifier
    return verifier
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.serving, this.verifier].map(async (engine) => (await engine)?.close()))
  }
}
