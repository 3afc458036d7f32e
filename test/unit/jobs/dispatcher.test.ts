import { afterEach, expect, test } from 'vitest'
import type { Channel } from '../../../src/jobs/channel.ts'
import { Dispatcher } from '../../../src/jobs/dispatcher.ts'
import { Hands } from '../../../src/jobs/hands.ts'
import type { JobContext } from '../../../src/jobs/job-context.ts'
import { Outlay } from '../../../src/jobs/outlay.ts'
import { SwarmRouter } from '../../../src/router/index.ts'
import { doubling } from '../../fixtures/doubling.ts'

// Who gets a unit, without a network: channels are what the dispatcher reads of them.

const skill = doubling('strong')
const { units } = skill.plan([1], {})
const stops: Array<() => void> = []
afterEach(() => {
  for (const stop of stops.splice(0)) {
    stop()
  }
})

/** A provider, idle unless said otherwise. */
function channelOf(peer: string, change: Partial<Channel> = {}) {
  const given: number[] = []
  const hands = new Hands(1_000)
  const channel = {
    peer,
    rate: 1_000,
    max: 1_000n,
    committed: 0n,
    slots: 1,
    speed: undefined,
    hands,
    sent: hands.sent,
    failedUnits: new Set(),
    tally: { units: 1 },
    isLive: true,
    isStalled: false,
    isLagging: false,
    hasRoom: true,
    give: (index: number) => given.push(index),
    ...change
  } as unknown as Channel // all that is read of it
  return { channel, given }
}

function dispatcherOf(channels: readonly Channel[]): Dispatcher {
  const job = {
    skill,
    plan: { units, parts: [], partRefs: [] },
    router: new SwarmRouter({ random: () => 0 }),
    outlay: new Outlay({ units, rate: 1_000, budget: 1_000n }),
    missing: new Set(units.keys()),
    random: () => 0,
    onAssigned: () => {}
  } as unknown as JobContext // all that is read of it
  const dispatcher = new Dispatcher(job, channels, () => {})
  stops.push(() => dispatcher.stop())
  return dispatcher
}

test('a unit waits for who would have it done first', () => {
  const busy = channelOf('fast', { speed: 1_000_000_000, hasRoom: false })
  const idle = channelOf('slow', { speed: 1 })
  dispatcherOf([busy.channel, idle.channel]).next()
  expect([busy.given, idle.given]).toEqual([[], []])
})

test.each([
  ['was faster than all', 1_000_000_000],
  ['has finished nothing yet', undefined]
])('it does not wait for one that lags, though it %s', (_, speed) => {
  const lagging = channelOf('lagging', { speed, isStalled: true, isLagging: true })
  const idle = channelOf('idle', { speed: 1 })
  dispatcherOf([lagging.channel, idle.channel]).next()
  expect([lagging.given, idle.given]).toEqual([[], [0]])
})
