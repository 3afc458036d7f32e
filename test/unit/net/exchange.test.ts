import { streamPair } from '@libp2p/utils'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as z from 'zod/mini'
import { request, respond } from '../../../src/net/index.ts'
import { encode } from '../../../src/wire/index.ts'

const question = z.strictObject({ ask: z.string() })
const answer = z.strictObject({ say: z.string() })
const options = { maxBytes: 1_000 }

describe('one request, one response', () => {
  test('any message that fits comes back as the handler made it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 200 }), async (ask) => {
        const [a, b] = await streamPair({ delay: 0 })
        const serving = respond(b, question, (message) => ({ say: message.ask }), options)
        expect(await request(a, answer, { ask }, options)).toEqual({ say: ask })
        await serving
      }),
      { numRuns: 20 }
    )
  })

  test.each([
    ['garbage', Uint8Array.of(3, 0xff, 0xff, 0xff), 'MALFORMED'],
    [
      'an answer of another kind',
      Uint8Array.of(encode({ no: 1 }).byteLength, ...encode({ no: 1 })),
      'MALFORMED'
    ],
    ['an answer beyond the limit', Uint8Array.of(0xff, 0x7f), 'TOO_LARGE'],
    ['a length that never ends', new Uint8Array(20).fill(0xff), 'MALFORMED']
  ])('%s is a WireError', async (_, bytes, code) => {
    const [a, b] = await streamPair({ delay: 0 })
    b.send(bytes)
    await expect(request(a, answer, { ask: 'x' }, options)).rejects.toMatchObject({ name: 'WireError', code })
    expect(a.status).toBe('aborted')
  })

  test('an answer cut short, or none, is NO_ANSWER', async () => {
    for (const bytes of [Uint8Array.of(9, 1), undefined]) {
      const [a, b] = await streamPair({ delay: 0 })
      const asking = request(a, answer, { ask: 'x' }, options)
      if (bytes !== undefined) {
        b.send(bytes)
      }
      await b.close()
      await expect(asking).rejects.toMatchObject({ name: 'NetError', code: 'NO_ANSWER', retryable: true })
    }
  })

  test('a silent peer is TIMED_OUT, on either side', async () => {
    const [a, b] = await streamPair({ delay: 0 })
    const timed = { ...options, timeoutMs: 20 }
    await expect(request(a, answer, { ask: 'x' }, timed)).rejects.toMatchObject({ code: 'TIMED_OUT' })
    const [, idle] = await streamPair({ delay: 0 })
    await expect(respond(idle, question, () => ({ say: '' }), timed)).rejects.toMatchObject({
      code: 'TIMED_OUT'
    })
    expect(b.status).not.toBe('open')
  })

  test('a handler that throws resets the stream, and throws here', async () => {
    const [a, b] = await streamPair({ delay: 0 })
    const serving = respond(
      b,
      question,
      () => {
        throw new Error('no')
      },
      options
    )
    serving.catch(() => undefined)
    await expect(request(a, answer, { ask: 'x' }, options)).rejects.toMatchObject({ code: 'NO_ANSWER' })
    await expect(serving).rejects.toMatchObject({ cause: { message: 'no' } })
  })

  test('nothing beyond the limit is sent', async () => {
    const [a] = await streamPair({ delay: 0 })
    const large = { ask: 'x'.repeat(2_000) }
    await expect(request(a, answer, large, options)).rejects.toMatchObject({ code: 'TOO_LARGE' })
  })

  test('ends with the reason of its signal', async () => {
    const [a] = await streamPair({ delay: 0 })
    const abort = new AbortController()
    const asking = request(a, answer, { ask: 'x' }, { ...options, signal: abort.signal })
    abort.abort(new Error('stopped'))
    await expect(asking).rejects.toThrow('stopped')
  })
})
