import { streamPair } from '@libp2p/utils'
import * as fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import * as z from 'zod/mini'
import { framedStream, NetError } from '../../../src/net/index.ts'
import { control, type PeerIdString, WireError } from '../../../src/wire/index.ts'
import { ManualTicker } from './manual-ticker.ts'

const schema = z.discriminatedUnion('t', [
  z.strictObject({
    t: z.literal('data'),
    n: z.int(),
    bytes: z.custom<Uint8Array>((v) => v instanceof Uint8Array)
  }),
  ...control
])
type Data = { t: 'data'; n: number; bytes: Uint8Array }
const MAX_FRAME = 20_000
// the tests' peers have no key: the name is only carried along
const peer = 'peer' as PeerIdString

const open: Array<{ abort(error: Error): void }> = []
afterEach(() => {
  for (const stream of open.splice(0)) {
    stream.abort(new Error('test over'))
  }
})

async function pair(options: { window?: number; chunk?: number } = {}) {
  const streamInit = options.chunk === undefined ? {} : { maxMessageSize: options.chunk }
  const [a, b] = await streamPair({ delay: 0, outbound: streamInit, inbound: streamInit })
  const ticker = new ManualTicker()
  const framed = (stream: typeof a) =>
    framedStream<typeof schema, Data>({ stream, peer, schema, maxFrame: MAX_FRAME, ticker, ...options })
  return { a, b, ticker, framed }
}

async function framedPair(options: { window?: number; chunk?: number } = {}) {
  const { a, b, ticker, framed } = await pair(options)
  const ends = { left: framed(a), right: framed(b), a, b, ticker }
  open.push(ends.left, ends.right)
  return ends
}

const data = (n: number, size = 10): Data => ({ t: 'data', n, bytes: new Uint8Array(size).fill(n) })

describe('framed stream', () => {
  test('any sequence of frames arrives in order, whatever the chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: MAX_FRAME - 100 }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 5_000 }),
        fc.integer({ min: 1, max: 100_000 }),
        async (sizes, chunk, window) => {
          const { left, right } = await framedPair({ chunk, window })
          const frames = sizes.map((size, n) => data(n, size))
          const sending = (async () => {
            for (const frame of frames) {
              await left.send(frame)
            }
            await left.close()
          })()
          const got: unknown[] = []
          for await (const frame of right) {
            got.push(frame)
          }
          await sending
          expect(got).toEqual(frames)
          expect(right.closed.reason).toMatchObject({ code: 'CLOSED' })
        }
      ),
      { numRuns: 25 }
    )
  })
})
void NetError
void WireError
