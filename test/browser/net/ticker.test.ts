import { afterEach, expect, test, vi } from 'vitest'
import { ticker } from '../../../src/net/index.ts'

afterEach(() => vi.restoreAllMocks())

/** Counts the workers that are started and ended. */
function watchWorkers() {
  const counts = { started: 0, ended: 0 }
  const Original = globalThis.Worker
  vi.spyOn(globalThis, 'Worker').mockImplementation(function (this: Worker, url, options) {
    counts.started++
    const worker = new Original(url, options)
    const terminate = worker.terminate.bind(worker)
    worker.terminate = () => {
      counts.ended++
      terminate()
    }
    return worker
  })
  return counts
}

test('ticks come from one worker, which lives as long as anyone listens', async () => {
  const workers = watchWorkers()
  let second = 0
  const ticked = Promise.withResolvers<void>()
  const stopFirst = ticker.every(5, () => undefined)
  const stopSecond = ticker.every(5, () => ++second === 3 && ticked.resolve())
  await ticked.promise
  stopFirst()
  stopFirst()
  expect(workers).toEqual({ started: 1, ended: 0 })
  stopSecond()
  expect(workers).toEqual({ started: 1, ended: 1 })
})

test('after a long task there is one tick, not a backlog', async () => {
  const ticks: number[] = []
  const enough = Promise.withResolvers<void>()
  const stop = ticker.every(10, () => {
    ticks.push(performance.now())
    if (ticks.length === 1) {
      const until = performance.now() + 300
      while (performance.now() < until) {
        // the page is busy, as with a long layout
      }
    }
    if (ticks.length === 4) {
      enough.resolve()
    }
  })
  await enough.promise
  stop()
  const [, second = 0, , fourth = 0] = ticks
  // A backlog of 30 ticks would be handed over at once.
  expect(fourth - second).toBeGreaterThan(10)
})

test('nothing ticks after the stop', async () => {
  let late = 0
  const stop = ticker.every(5, () => late++)
  stop()
  const other = Promise.withResolvers<void>()
  let others = 0
  const stopOther = ticker.every(5, () => ++others === 5 && other.resolve())
  await other.promise
  stopOther()
  expect(late).toBe(0)
})
