import type { Stream } from '@libp2p/interface'
import { streamPair } from '@libp2p/utils'
import * as fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import * as z from 'zod/mini'
import { encodeFrame } from '../../../src/net/frame-codec.ts'
import { framedStream, type NetError } from '../../../src/net/index.ts'
import { bytesUpTo, control, type PeerIdString } from '../../../src/wire/index.ts'
import { ManualTicker } from './manual-ticker.ts'

const MAX_FRAME = 20_000
const schema = z.discriminatedUnion('t', [
  z.strictObject({ t: z.literal('data'), n: z.int(), bytes: bytesUpTo(MAX_FRAME) }),
  ...control
])
type Data = { t: 'data'; n: number; bytes: Uint8Array }
// the tests' peers have no key: the name is only carried along
const peer = 'peer' as PeerIdString

interface Options {
  window?: number
  maxFrame?: number
  heartbeatsMissed?: number
}

const open: Array<{ abort(error: Error): void }> = []
afterEach(() => {
  for (const stream of open.splice(0)) {
    stream.abort(new Error('test over'))
  }
})

function framed(stream: Stream, ticker: ManualTicker, options: Options = {}) {
  const made = framedStream<typeof schema, Data>({
    stream,
    peer,
    schema,
    maxFrame: MAX_FRAME,
    ticker,
    ...options
  })
  open.push(made)
  return made
}

/** Two framed ends, each with its own ticks. */
async function framedPair(options: Options = {}) {
  const [a, b] = await streamPair({ delay: 0 })
  const leftTicker = new ManualTicker()
  const rightTicker = new ManualTicker()
  return {
    left: framed(a, leftTicker, options),
    right: framed(b, rightTicker, options),
    leftTicker,
    rightTicker,
    leftStream: a,
    rightStream: b
  }
}

/** A raw stream that may send anything, against a framed end. */
async function rawAgainst(options: Options = {}) {
  const [raw, b] = await streamPair({ delay: 0 })
  open.push(raw)
  return { raw, right: framed(b, new ManualTicker(), options), rightStream: b }
}

const data = (n: number, size = 10): Data => ({ t: 'data', n, bytes: new Uint8Array(size).fill(n) })
const reader = (stream: AsyncIterable<unknown>) => stream[Symbol.asyncIterator]()
const aborted = (signal: AbortSignal) =>
  new Promise<unknown>((resolve) => {
    signal.aborted
      ? resolve(signal.reason)
      : signal.addEventListener('abort', () => resolve(signal.reason), { once: true })
  })

async function readAll(stream: AsyncIterable<unknown>) {
  const frames: unknown[] = []
  for await (const frame of stream) {
    frames.push(frame)
  }
  return frames
}

/** Lets everything that is under way between the two ends arrive. */
async function settle() {
  for (let i = 0; i < 5; i++) {
    await new Promise((resolve) => setTimeout(resolve))
  }
}

describe('order and integrity', () => {
  test('any frames, both ways at once, arrive in order under any window', async () => {
    const sizes = fc.array(fc.integer({ min: 0, max: MAX_FRAME - 100 }), { maxLength: 25 })
    await fc.assert(
      fc.asyncProperty(sizes, sizes, fc.integer({ min: 1, max: 100_000 }), async (there, back, window) => {
        const { left, right } = await framedPair({ window })
        const run = async (end: typeof left, out: Data[], expected: Data[]) => {
          const it = reader(end)
          const sending = (async () => {
            for (const frame of out) {
              await end.send(frame)
            }
          })()
          const got: unknown[] = []
          while (got.length < expected.length) {
            got.push((await it.next()).value)
          }
          await sending
          expect(got).toEqual(expected)
        }
        const toRight = there.map((size, n) => data(n, size))
        const toLeft = back.map((size, n) => data(n, size))
        await Promise.all([run(left, toRight, toLeft), run(right, toLeft, toRight)])
        await left.close()
        expect(await readAll(right)).toEqual([])
      }),
      { numRuns: 12 }
    )
  })

  test('sends that were not awaited keep their order', async () => {
    const { left, right } = await framedPair({ window: 1 })
    const frames = Array.from({ length: 20 }, (_, n) => data(n, (n * 997) % 5_000))
    const sending = Promise.all(frames.map((frame) => left.send(frame)))
    const it = reader(right)
    for (const frame of frames) {
      expect((await it.next()).value).toEqual(frame)
    }
    await sending
  })

  test('beats and acks never reach the reader', async () => {
    const { left, right, leftTicker } = await framedPair()
    leftTicker.tick(3)
    await left.send(data(1))
    expect((await reader(right).next()).value).toEqual(data(1))
  })
})

describe('window', () => {
  test('a slow reader stops the sender at the window, and reading opens it again', async () => {
    const window = 50_000
    const { left, right } = await framedPair({ window })
    let handed = 0
    const sending = (async () => {
      for (let n = 0; n < 40; n++) {
        await left.send(data(n, 9_000))
        handed++
      }
    })()
    await settle()
    expect(handed).toBe(Math.floor(window / 9_030))
    const it = reader(right)
    for (let n = 0; n < 40; n++) {
      expect((await it.next()).value).toEqual(data(n, 9_000))
    }
    await sending
  })

  test('a sender that ignores the window is cut off', async () => {
    const { raw, right } = await rawAgainst({ window: 50_000 })
    const frame = encodeFrame(data(1, 9_000), MAX_FRAME)
    for (let i = 0; i < 10; i++) {
      raw.send(frame)
    }
    expect(await aborted(right.closed)).toMatchObject({ name: 'WireError', code: 'TOO_LARGE' })
  })

  test('a send that waits for the window can be given up, and the next one goes on', async () => {
    const { left, right } = await framedPair({ window: 10_000 })
    await left.send(data(1, 9_000))
    const giveUp = new AbortController()
    const stuck = left.send(data(2, 9_000), { signal: giveUp.signal })
    const next = left.send(data(3, 10))
    giveUp.abort(new Error('changed my mind'))
    await expect(stuck).rejects.toThrow('changed my mind')
    await next
    const it = reader(right)
    expect((await it.next()).value).toEqual(data(1, 9_000))
    expect((await it.next()).value).toEqual(data(3, 10))
  })

  test.each([
    ['more than was sent', [{ t: 'ack', bytes: 1_000_000 }]],
    [
      'less than before',
      [
        { t: 'ack', bytes: 13 },
        { t: 'ack', bytes: 3 }
      ]
    ]
  ])('an ack of %s ends the stream', async (_, acks) => {
    const { raw, right } = await rawAgainst()
    await right.send(data(1))
    for (const ack of acks) {
      raw.send(encodeFrame(ack, 100))
    }
    expect(await aborted(right.closed)).toMatchObject({ name: 'WireError', code: 'MALFORMED' })
  })
})

describe('bad input', () => {
  test.each([
    ['not CBOR', Uint8Array.of(2, 0xff, 0xff), 'MALFORMED'],
    ['a frame of an unknown kind', encodeFrame({ t: 'steal' }, 100), 'MALFORMED'],
    ['a frame with an unknown field', encodeFrame({ ...data(1), extra: 1 }, 100), 'MALFORMED'],
    ['a length beyond the limit', Uint8Array.of(0xff, 0xff, 0x7f), 'TOO_LARGE']
  ])('%s resets the stream with a typed error', async (_, bytes, code) => {
    const { raw, right, rightStream } = await rawAgainst()
    const remote = new Promise<Event>((resolve) => raw.addEventListener('close', resolve, { once: true }))
    raw.send(encodeFrame(data(1), MAX_FRAME))
    raw.send(bytes)
    const it = reader(right)
    expect((await it.next()).value).toEqual(data(1))
    await expect(it.next()).rejects.toMatchObject({ name: 'WireError', code })
    expect(right.closed.reason).toMatchObject({ code })
    expect(rightStream.status).toBe('aborted')
    await remote
    await expect(right.send(data(2))).rejects.toMatchObject({ code })
  })

  test('any bytes: frames or a typed end, never a hang or another error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        const { raw, right } = await rawAgainst({ maxFrame: 100 })
        raw.send(bytes)
        await raw.close()
        await expect(readAll(right)).rejects.toSatisfy(
          (error: NetError) => error.name === 'NetError' || error.name === 'WireError'
        )
      }),
      { numRuns: 50 }
    )
  })

  test('a stream cut in mid-frame is a lost peer', async () => {
    const { raw, right } = await rawAgainst()
    raw.send(encodeFrame(data(1, 500), MAX_FRAME).subarray(0, 100))
    await raw.close()
    await expect(readAll(right)).rejects.toMatchObject({ code: 'PEER_LOST' })
  })

  test('a frame beyond the limit is refused here, and the stream lives on', async () => {
    const { left, right } = await framedPair()
    await expect(left.send(data(1, MAX_FRAME))).rejects.toMatchObject({ code: 'TOO_LARGE' })
    await left.send(data(2))
    expect((await reader(right).next()).value).toEqual(data(2))
  })
})

describe('life and death', () => {
  test('close ends the other side without an error, after every frame', async () => {
    const { left, right } = await framedPair()
    await left.send(data(1))
    await left.send(data(2))
    await left.close()
    expect(await readAll(right)).toEqual([data(1), data(2)])
    expect(right.closed.reason).toMatchObject({ code: 'CLOSED' })
    await expect(left.send(data(3))).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(right.send(data(3))).rejects.toMatchObject({ code: 'CLOSED' })
  })

  test('close first sends what waits for the window', async () => {
    const { left, right } = await framedPair({ window: 10_000 })
    const frames = [1, 2, 3].map((n) => data(n, 9_000))
    const sending = frames.map((frame) => left.send(frame))
    const closing = left.close()
    expect(await readAll(right)).toEqual(frames)
    await Promise.all([...sending, closing])
  })

  test('bye gives the reader PEER_LEFT with the reason, after every frame', async () => {
    const { left, right } = await framedPair()
    await left.send(data(1))
    left.bye('paused')
    const it = reader(right)
    expect((await it.next()).value).toEqual(data(1))
    await expect(it.next()).rejects.toMatchObject({
      name: 'NetError',
      code: 'PEER_LEFT',
      details: { reason: 'paused' }
    })
    expect((await it.next()).done).toBe(true)
  })

  test('a reset is a lost peer, for the reader and for a waiting sender', async () => {
    const { left, right } = await framedPair({ window: 10_000 })
    await right.send(data(1, 9_000))
    const stuck = right.send(data(2, 9_000))
    const reading = reader(right).next()
    left.abort(new Error('gone'))
    await expect(reading).rejects.toMatchObject({ code: 'PEER_LOST', retryable: true })
    await expect(stuck).rejects.toMatchObject({ code: 'PEER_LOST' })
  })

  test('a peer without a sign of life is lost after the agreed number of heartbeats', async () => {
    const { right, rightTicker, rightStream } = await framedPair({ heartbeatsMissed: 4 })
    const reading = reader(right).next()
    rightTicker.tick(4)
    expect(right.closed.aborted).toBe(false)
    rightTicker.tick()
    await expect(reading).rejects.toMatchObject({ code: 'PEER_LOST' })
    expect(rightStream.status).toBe('aborted')
    expect(rightTicker.listeners).toBe(0)
  })

  test('heartbeats keep a silent stream alive', async () => {
    const { left, right, leftTicker, rightTicker } = await framedPair({ heartbeatsMissed: 2 })
    for (let i = 0; i < 10; i++) {
      leftTicker.tick()
      rightTicker.tick()
      await settle()
    }
    expect(left.closed.aborted || right.closed.aborted).toBe(false)
  })

  test('part of a large frame is a sign of life too', async () => {
    const [raw, b] = await streamPair({ delay: 0 })
    open.push(raw)
    const ticker = new ManualTicker()
    const right = framed(b, ticker, { heartbeatsMissed: 2 })
    const bytes = encodeFrame(data(1, 1_000), MAX_FRAME)
    for (let i = 0; i < 10; i++) {
      raw.send(bytes.subarray(i * 100, (i + 1) * 100))
      await settle()
      ticker.tick()
    }
    expect(right.closed.aborted).toBe(false)
  })

  test('an end that came before anyone listened is seen', async () => {
    const [raw, b] = await streamPair({ delay: 0 })
    raw.send(encodeFrame(data(1), MAX_FRAME))
    raw.send(encodeFrame({ t: 'bye', reason: 'end' }, 100))
    await raw.close()
    await settle()
    expect(await readAll(framed(b, new ManualTicker()))).toEqual([data(1)])
  })
})
