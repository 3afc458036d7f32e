import { CreditError } from './errors.ts'

/** Runs tasks one after the other, in the order of the calls. */
export function serial(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (task) => {
    const run = last.then(task, task)
    last = run.catch(() => {}) // the caller gets the error; the next task starts anyway
    return run
  }
}

/**
 * Runs tasks of the same key one after the other.
 *
 * @param waitingMax tasks a key, beyond which `BUSY` is thrown
 */
export function serialByKey(waitingMax = Number.POSITIVE_INFINITY) {
  const queues = new Map<string, { run: ReturnType<typeof serial>; waiting: number }>()
  return async <T>(key: string, task: () => Promise<T>): Promise<T> => {
    const queue = queues.get(key) ?? { run: serial(), waiting: 0 }
    if (queue.waiting >= waitingMax) {
      throw new CreditError('BUSY', 'Too many requests at once: ask again later.', { retryable: true })
    }
    queues.set(key, queue)
    queue.waiting++
    try {
      return await queue.run(task)
    } finally {
      queue.waiting--
      if (queue.waiting === 0) {
        queues.delete(key)
      }
    }
  }
}
