import type { SwarmRegistry } from '../registry/index.ts'
import type { Milliseconds } from '../wire/index.ts'

/** Between two looks around: doubles from the first to the most. */
const LOOK_FIRST: Milliseconds = 500
const LOOK_MOST: Milliseconds = 60_000

export interface LookoutInit {
  readonly registry: SwarmRegistry
  readonly skills: readonly string[]
  readonly onFound: () => void
}

/** Keeps some providers known, so that a job finds its first one at once: looks often at first, then every minute. */
export class Lookout {
  private readonly init: LookoutInit
  private isStopped = false
  private wake: () => void = () => {}

  constructor(init: LookoutInit) {
    this.init = init
  }

  /** Resolves when it was stopped. */
  async start(): Promise<void> {
    const { registry, skills, onFound } = this.init
    for (let pause = LOOK_FIRST; !this.isStopped; pause = Math.min(pause * 2, LOOK_MOST)) {
      for (const skill of skills) {
        for await (const _ of registry.find(skill)) {
          onFound()
        }
      }
      await this.pause(pause)
    }
  }

  /** Leaves no timer behind: a program ends when its node has. */
  private async pause(ms: Milliseconds): Promise<void> {
    if (this.isStopped) {
      return
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  stop(): void {
    this.isStopped = true
    this.wake()
  }
}
