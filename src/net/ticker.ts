import type { Ticker } from './types.ts'

/** Ticks of the runtime's own timers: right for Node. They never keep a process alive. */
export function timerTicker(): Ticker {
  return {
    every(ms, tick) {
      const timer: unknown = setInterval(tick, ms)
      if (hasUnref(timer)) {
        timer.unref()
      }
      return () => clearInterval(timer as number) // Node's clearInterval takes its Timeout object too
    }
  }
}

function hasUnref(timer: unknown): timer is { unref(): void } {
  return typeof timer === 'object' && timer !== null && 'unref' in timer
}

// A tick is not repeated until the page has handled it: after a long task there is one tick, not a backlog
// that would look like many missed heartbeats.
const WORKER_SOURCE = `
const timers = new Map()
onmessage = ({ data: [kind, id, ms] }) => {
  if (kind === 'start') {
    const timer = { pending: false }
    timer.handle = setInterval(() => {
      if (!timer.pending) {
        timer.pending = true
        postMessage(id)
      }
    }, ms)
    timers.set(id, timer)
  } else if (kind === 'stop') {
    clearInterval(timers.get(id)?.handle)
    timers.delete(id)
  } else if (timers.has(id)) {
    timers.get(id).pending = false
  }
}`

/** Ticks of a worker, which a hidden page does not slow down. The worker lives while anyone listens. */
export function workerTicker(): Ticker {
  const listeners = new Map<number, () => void>()
  let worker: Worker | undefined
  let lastId = 0
  const start = (): Worker => {
    const url = URL.createObjectURL(new Blob([WORKER_SOURCE], { type: 'text/javascript' }))
    const started = new Worker(url, { name: 'ticker' })
    URL.revokeObjectURL(url)
    started.addEventListener('message', ({ data: id }) => {
      started.postMessage(['handled', id])
      listeners.get(id)?.()
    })
    return started
  }
  return {
    every(ms, tick) {
      worker ??= start()
      const id = ++lastId
      listeners.set(id, tick)
      worker.postMessage(['start', id, ms])
      return () => {
        if (!listeners.delete(id)) {
          return
        }
        worker?.postMessage(['stop', id])
        if (listeners.size === 0) {
          worker?.terminate()
          worker = undefined
        }
      }
    }
  }
}
