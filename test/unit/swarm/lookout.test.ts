import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { FoundProvider, SwarmRegistry } from '../../../src/registry/index.ts'
import { Lookout } from '../../../src/swarm/lookout.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** A lookout that finds nobody; each look lasts until `found` is called. */
function lookout() {
  const looks: Array<() => void> = []
  async function* find(): AsyncGenerator<FoundProvider> {
    await new Promise<void>((resolve) => looks.push(resolve))
  }
  const registry = { find } as unknown as SwarmRegistry // all that a lookout asks of it
  const made = new Lookout({ registry, skills: ['one'], onFound: () => {} })
  return { made, looks, over: made.start() }
}

test('a lookout that is stopped while it waits leaves no timer', async () => {
  const { made, looks, over } = lookout()
  looks[0]?.()
  await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1))
  made.stop()
  await over
  expect(vi.getTimerCount()).toBe(0)
})

test('one that is stopped while it looks does not wait any more', async () => {
  const { made, looks, over } = lookout()
  made.stop()
  looks[0]?.()
  await over
  expect(vi.getTimerCount()).toBe(0)
  expect(looks).toHaveLength(1)
})

test('it looks again and again', async () => {
  const { made, looks, over } = lookout()
  looks[0]?.()
  await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1))
  vi.advanceTimersByTime(500)
  await vi.waitFor(() => expect(looks).toHaveLength(2))
  made.stop()
  looks[1]?.()
  await over
})
