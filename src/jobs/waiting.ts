import { CreditError } from '../credit/index.ts'
import { BUSY_ATTEMPTS, BUSY_PAUSE } from './constants.ts'

/** A condition that loops wait for: every `notify` wakes all who wait. */
export class Condition {
  private pending = Promise.withResolvers<void>()

  wait(): Promise<void> {
    return this.pending.promise
  }

  notify(): void {
    const { resolve } = this.pending
    this.pending = Promise.withResolvers<void>()
    resolve()
  }
}

/** Rejects with the signal's reason once it is aborted; settles as `work` does otherwise. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) {
      onAbort()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/** Rejects with the signal's reason once it is aborted. */
export async function paused(ms: number, signal: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const pause = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await orAborted(pause, signal).finally(() => clearTimeout(timer))
}

/**
 * Tries again while this node's witnesses are being changed, for a minute: no job fails for that.
 *
 * @throws CreditError `BUSY` after that; whatever else `attempt` throws, at once; the signal's reason
 */
export async function pastReseating<T>(attempt: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (let left = BUSY_ATTEMPTS; ; left--) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof CreditError && error.code === 'BUSY') || left <= 1) {
        throw error
      }
      await paused(BUSY_PAUSE, signal ?? new AbortController().signal)
    }
  }
}
