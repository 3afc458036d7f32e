import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Channel, type ChannelHandler, type JobStream } from '../../../src/jobs/channel.ts'
import { hashPlan } from '../../../src/jobs/plan.ts'
import { skillByName } from '../../../src/skills/index.ts'
import { cidOf, encode, type JobResponseFrame, type PeerIdString } from '../../../src/wire/index.ts'
import { product } from '../../fixtures/node-house.ts'

// A provider that keeps the stream alive and holds a unit: only the clock can tell it from a slow one.

const TIMEOUT = 60_000
// no wire here: a name will do
const peer = 'provider' as PeerIdString

/** The provider's end: frames that it says, and whether it takes what is sent. */
class Script {
  takes = true
  private waiting: JobResponseFrame[] = []
  private wake = Promise.withResolvers<void>()
  readonly aborted: Error[] = []

  say(frame: JobResponseFrame): void {
    this.waiting.push(frame)
    this.wake.resolve()
  }

  get stream(): JobStream {
    const next = async () => {
      while (this.waiting.length === 0) {
        await this.wake.promise
        this.wake = Promise.withResolvers<void>()
      }
      // control frames never reach a reader, and this script says none
      const value = this.waiting.shift() as Extract<JobResponseFrame, { t: 'progress' }>
      return { done: false as const, value }
    }
    return {
      peer,
      connection: undefined,
      closed: new AbortController().signal,
      send: () => (this.takes ? Promise.resolve() : new Promise<void>(() => {})),
      bye: () => {},
      close: async () => {},
      abort: (error) => void this.aborted.push(error),
      [Symbol.asyncIterator]: () => ({ next })
    }
  }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

async function withUnit(script: Script, takes = true) {
  const plan = await hashPlan(skillByName('matmul-i8').plan(product(16), { units: 1 }))
  const channel = new Channel({
    peer,
    escrow: await cidOf(encode({})),
    payeeIndex: 0,
    rate: 1_000,
    max: 10n,
    connect: async () => script.stream,
    unitTimeout: TIMEOUT
  })
  const onEnded = vi.fn<ChannelHandler['onEnded']>()
  const nothing = () => {}
  const handler = {
    onProgress: nothing,
    onResult: nothing,
    onRoom: nothing,
    onFailed: nothing,
    onDropped: nothing,
    onEnded
  }
  script.say({ t: 'accepted', window: 1, slots: 1, load: 0, have: [] })
  await channel.open(handler, {
    jobId: new Uint8Array(16),
    skill: 'matmul-i8',
    kernel: new Uint8Array(32),
    plan
  })
  script.takes = takes
  const [spec] = plan.units
  if (spec === undefined) {
    throw new Error('one unit')
  }
  channel.give(0, spec, 16 * 16 * 4, plan)
  await vi.advanceTimersByTimeAsync(0)
  return { channel, onEnded }
}

const timedOut = expect.objectContaining({ code: 'UNIT_TIMEOUT', retryable: true })

test.each<[string, boolean, JobResponseFrame | undefined]>([
  ['says nothing', true, undefined],
  ['takes nothing', false, undefined],
  ['says again and again that it has not begun', true, { t: 'progress', index: 0, permille: 0 }],
  ['sends empty chunks', true, { t: 'output', index: 0, offset: 0, bytes: new Uint8Array() }]
])('a provider that %s is given up after the longest time of a unit', async (_, takes, frame) => {
  const script = new Script()
  const { channel, onEnded } = await withUnit(script, takes)
  for (let passed = 0; passed < TIMEOUT; passed += 1_000) {
    expect(onEnded).not.toHaveBeenCalled()
    if (frame !== undefined) {
      script.say(frame)
    }
    await vi.advanceTimersByTimeAsync(1_000)
  }
  expect(onEnded).toHaveBeenCalledExactlyOnceWith(channel, timedOut)
  expect(script.aborted).toEqual([timedOut])
  expect(channel.isLive).toBe(false)
})

test('a provider that gets on keeps its unit beyond that time', async () => {
  const script = new Script()
  const { onEnded } = await withUnit(script)
  for (let permille = 1; permille <= 10; permille++) {
    script.say({ t: 'progress', index: 0, permille })
    await vi.advanceTimersByTimeAsync(TIMEOUT - 1)
  }
  expect(onEnded).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(TIMEOUT)
  expect(onEnded).toHaveBeenCalled()
})
