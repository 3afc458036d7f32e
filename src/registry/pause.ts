import type { Milliseconds } from '../wire/index.ts'

/** Resolves after `ms`, or as soon as the signal is aborted or `sooner` is resolved. Never rejects. */
export function pause(ms: Milliseconds, signal: AbortSignal, sooner?: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
    void sooner?.then(done)
    if (signal.aborted) {
      done()
    }
  })
}
