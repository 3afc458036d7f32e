import type { Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import type * as z from 'zod/mini'
import { decode, encode, SwarmError, WireError } from '../wire/index.ts'
import { asError, NetError } from './errors.ts'

/** One request, one response, one stream: the manner of the advert and ledger protocols. */

export interface ExchangeOptions {
  /** Largest message in bytes, both ways. */
  readonly maxBytes: number
  readonly signal?: AbortSignal
  /** For the whole exchange. @default 10_000 */
  readonly timeoutMs?: number
}

export interface RespondOptions extends ExchangeOptions {
  /** Called with the answer's size in bytes, before it is sent. @default nobody asks */
  readonly answered?: (bytes: number) => void
}

const TIMEOUT_MS = 10_000
/** Bytes of the longest length prefix. */
const PREFIX_MAX = 4

/**
 * Sends one message and reads one back, then closes the stream.
 *
 * @param schema of the response
 * @throws NetError `TIMED_OUT` or `NO_ANSWER`; WireError for an answer that does not fit (the stream is reset)
 */
export function request<S extends z.ZodMiniType>(
  stream: Stream,
  schema: S,
  message: unknown,
  options: ExchangeOptions
): Promise<z.output<S>> {
  return exchange(stream, options, async (channel, signal) => {
    await channel.write(bounded(message, options.maxBytes), { signal })
    const answer = await channel.read({ signal })
    return decode(answer.subarray(), schema, options.maxBytes)
  })
}

/**
 * Reads one message, answers with what `handler` makes of it, then closes the stream.
 *
 * @param schema of the request
 * @param handler gets the request's size in bytes, too
 * @throws like `request`, and what `handler` throws: the other side then sees a reset
 */
export function respond<S extends z.ZodMiniType>(
  stream: Stream,
  schema: S,
  handler: (message: z.output<S>, signal: AbortSignal, bytes: number) => unknown,
  options: RespondOptions
): Promise<void> {
  return exchange(stream, options, async (channel, signal) => {
    const question = await channel.read({ signal })
    const message = decode(question.subarray(), schema, options.maxBytes)
    const answer = await handler(message, signal, question.byteLength)
    const bytes = bounded(answer, options.maxBytes)
    options.answered?.(bytes.byteLength)
    await channel.write(bytes, { signal })
  })
}

type Channel = ReturnType<typeof lpStream>

async function exchange<T>(
  stream: Stream,
  options: ExchangeOptions,
  talk: (channel: Channel, signal: AbortSignal) => Promise<T>
): Promise<T> {
  const timeout = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS)
  const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout])
  const channel = lpStream(stream, {
    maxDataLength: options.maxBytes,
    maxBufferSize: options.maxBytes + PREFIX_MAX,
    lengthDecoder
  })
  try {
    const result = await talk(channel, signal)
    void stream.close({ signal }).catch((thrown) => stream.abort(asError(thrown)))
    return result
  } catch (thrown) {
    stream.abort(asError(thrown))
    options.signal?.throwIfAborted()
    throw timeout.aborted ? timedOut(thrown) : explain(thrown)
  }
}

/**
 * `lpStream`'s own decoder waits for the end of a prefix that has none.
 *
 * @throws RangeError as long as the prefix is not complete: what `lpStream` expects
 */
function lengthDecoder(prefix: { subarray(): Uint8Array }): number {
  let length = 0
  for (const [i, byte] of prefix.subarray().entries()) {
    length += (byte & 0x7f) * 2 ** (7 * i)
    if (byte <= 0x7f) {
      return length
    }
    if (i + 1 >= PREFIX_MAX) {
      throw new WireError('MALFORMED', 'A message starts with a length that is too long to be one.')
    }
  }
  throw new RangeError('The length is not complete.')
}

function bounded(message: unknown, maxBytes: number): Uint8Array {
  const bytes = encode(message)
  if (bytes.byteLength > maxBytes) {
    throw new WireError(
      'TOO_LARGE',
      `A message of ${bytes.byteLength} bytes exceeds its limit of ${maxBytes}.`
    )
  }
  return bytes
}

function timedOut(cause: unknown): NetError {
  return new NetError('TIMED_OUT', 'The peer did not answer in time: ask again or ask another one.', {
    retryable: true,
    cause
  })
}

const OVERSIZED = new Set(['InvalidDataLengthError', 'InvalidDataLengthLengthError', 'StreamBufferError'])

function explain(thrown: unknown): Error {
  const cause = asError(thrown)
  if (cause instanceof SwarmError) {
    return cause
  }
  if (OVERSIZED.has(cause.name)) {
    return new WireError('TOO_LARGE', 'The peer sent a message beyond its limit.', { cause })
  }
  return new NetError('NO_ANSWER', 'The peer ended the exchange without an answer: ask another one.', {
    retryable: true,
    cause
  })
}
