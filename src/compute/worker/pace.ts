import { type Debt, owe, rested } from './governor.ts'

/** Shorter rests are saved up: timers are no finer. */
const REST_MIN_MS = 4

/** Holds one device to its share of time: `rest` before each slice, `worked` after it. */
export class Pace {
  share: number
  #debt: Debt = 0
  #idleSince = performance.now()

  constructor(share: number) {
    this.share = share
  }

  /** Rests if rest is due; time since the last slice counts. An abort ends the rest, not the debt. */
  async rest(signal: AbortSignal): Promise<void> {
    this.#idled()
    if (this.#debt >= REST_MIN_MS) {
      await sleep(this.#debt, signal)
      this.#idled()
    }
  }

  /** Notes `busyMs` of work that ended now. */
  worked(busyMs: number): void {
    this.#debt = owe(this.#debt, busyMs, this.share)
    this.#idleSince = performance.now()
  }

  #idled(): void {
    const now = performance.now()
    this.#debt = rested(this.#debt, now - this.#idleSince)
    this.#idleSince = now
  }
}

/** Resolves after `ms`, or at once when the signal aborts. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve()
      return
    }
    const finish = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', finish)
      resolve()
    }
    const timer = setTimeout(finish, ms)
    signal?.addEventListener('abort', finish)
  })
}

/**
 * Lets messages in. A browser's timer would be clamped to 4 ms; Node's ports, on the other hand, take up to a
 * thousand messages of one channel before they look at another.
 */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') {
      setImmediate(resolve)
      return
    }
    ticks.push(resolve)
    channel.port2.postMessage(undefined)
  })
}

const ticks: Array<() => void> = []
const channel = new MessageChannel()
channel.port1.onmessage = () => ticks.shift()?.()
