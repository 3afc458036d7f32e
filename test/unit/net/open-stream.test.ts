import type { Connection, NewStreamOptions, Stream } from '@libp2p/interface'
import { streamPair } from '@libp2p/utils'
import { describe, expect, test } from 'vitest'
import { openStream } from '../../../src/net/index.ts'

type Attempt = (signal: AbortSignal | undefined) => Promise<Stream>

/** A connection of which only what `openStream` uses is there. */
function connectionWith(attempts: Attempt[]) {
  let made = 0
  const connection = {
    status: 'open',
    remotePeer: 'peer',
    newStream: (_protocol: string, options?: NewStreamOptions) => {
      const attempt = attempts[made++] ?? (() => Promise.reject(new Error('one attempt too many')))
      return attempt(options?.signal)
    }
  }
  return {
    connection: connection as unknown as Connection,
    made: () => made,
    close: () => {
      connection.status = 'closed'
    }
  }
}

const failing =
  (name: string): Attempt =>
  () =>
    Promise.reject(Object.assign(new Error(name), { name }))
const hanging: Attempt = (signal) =>
  new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))

describe('openStream', () => {
  test('tries again after an attempt that breaks off and one that hangs', async () => {
    const [stream] = await streamPair()
    const { connection, made } = connectionWith([failing('UnexpectedEOFError'), hanging, async () => stream])
    expect(await openStream(connection, '/x', { attemptMs: 10 })).toBe(stream)
    expect(made()).toBe(3)
  })

  test.each(['UnsupportedProtocolError', 'LimitedConnectionError'])(
    'takes %s for an answer',
    async (name) => {
      const { connection, made } = connectionWith([failing(name)])
      await expect(openStream(connection, '/x')).rejects.toMatchObject({
        code: 'UNREACHABLE',
        cause: { name }
      })
      expect(made()).toBe(1)
    }
  )

  test('gives up after three attempts, and at once when the connection is gone', async () => {
    const three = connectionWith([failing('a'), failing('b'), failing('c')])
    await expect(openStream(three.connection, '/x')).rejects.toMatchObject({ code: 'UNREACHABLE' })
    expect(three.made()).toBe(3)
    const gone = connectionWith([
      () => {
        gone.close()
        return failing('a')(undefined)
      }
    ])
    await expect(openStream(gone.connection, '/x')).rejects.toMatchObject({ code: 'UNREACHABLE' })
    expect(gone.made()).toBe(1)
  })

  test('ends with the reason of its signal', async () => {
    const { connection } = connectionWith([hanging])
    const abort = new AbortController()
    const opening = openStream(connection, '/x', { signal: abort.signal })
    abort.abort(new Error('no longer wanted'))
    await expect(opening).rejects.toThrow('no longer wanted')
  })
})
