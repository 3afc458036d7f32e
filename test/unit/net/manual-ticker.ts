import type { Ticker } from '../../../src/net/index.ts'

/** A ticker that ticks when the test says so. */
export class ManualTicker implements Ticker {
  readonly #ticks = new Set<() => void>()

  every(_ms: number, tick: () => void): () => void {
    this.#ticks.add(tick)
    return () => this.#ticks.delete(tick)
  }

  /** Every listener once, in the order of their start. */
  tick(times = 1): void {
    for (let i = 0; i < times; i++) {
      for (const tick of [...this.#ticks]) {
        tick()
      }
    }
  }

  get listeners(): number {
    return this.#ticks.size
  }
}
