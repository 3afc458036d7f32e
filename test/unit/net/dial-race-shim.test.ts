import { describe, expect, test } from 'vitest'
import { installDialRaceShim } from '../../../src/net/dial-race-shim.ts'

type State = 'connecting' | 'open' | 'closing' | 'closed'

class FakeChannel extends EventTarget {
  readyState: State = 'connecting'

  become(state: State) {
    this.readyState = state
    if (state === 'open' || state === 'closing') {
      this.dispatchEvent(new Event(state))
    } else if (state === 'closed') {
      this.dispatchEvent(new Event('close'))
    }
  }
}

function channelOf(label: string): FakeChannel {
  class FakePeerConnection {
    createDataChannel(_label: string) {
      return new FakeChannel()
    }
  }
  // only the one method that the shim wraps is there
  installDialRaceShim({ RTCPeerConnection: FakePeerConnection as unknown as typeof RTCPeerConnection })
  return new FakePeerConnection().createDataChannel(label)
}

/** Whether the event comes to a listener that is added now, with what happens after that. */
async function heard(channel: FakeChannel, type: string, after: State[] = []): Promise<boolean> {
  let seen = false
  channel.addEventListener(type, () => {
    seen = true
  })
  for (const state of after) {
    channel.become(state)
  }
  await Promise.resolve()
  return seen
}

describe('dial race shim', () => {
  const histories: Array<[before: State[], after: State[]]> = [
    [[], ['open']],
    [[], ['closed']],
    [['open', 'closing'], []],
    [['open', 'closing'], ['closed']],
    [['open', 'closing', 'closed'], []],
    [['closed'], []]
  ]
  test.each(histories)('whoever waits for open after %j (then %j) hears it', async (before, after) => {
    const channel = channelOf('init')
    for (const state of before) {
      channel.become(state)
    }
    expect(await heard(channel, 'open', after)).toBe(true)
  })

  test.each([
    [['open', 'closing'] as State[], ['closed'] as State[]],
    [['open', 'closing', 'closed'] as State[], []]
  ])('whoever waits for close after %j (then %j) hears it', async (before, after) => {
    const channel = channelOf('init')
    for (const state of before) {
      channel.become(state)
    }
    expect(await heard(channel, 'close', after)).toBe(true)
  })

  test('an open channel gets no events that did not happen', async () => {
    const channel = channelOf('init')
    channel.become('open')
    expect(await heard(channel, 'open')).toBe(false)
    expect(await heard(channel, 'close')).toBe(false)
  })

  test('other channels are left alone', async () => {
    const channel = channelOf('')
    channel.become('closed')
    expect(await heard(channel, 'open')).toBe(false)
  })
})
