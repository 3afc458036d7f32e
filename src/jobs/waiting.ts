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
