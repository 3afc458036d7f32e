import type { Connection, Stream } from '@libp2p/interface'
import { NetError } from './errors.ts'

/** A stream is there after a round trip or two: one that takes longer is stuck, and a second try is not. */
const ATTEMPT_MS = 3_000
const ATTEMPTS = 3
/** The other side has answered: it will not change its mind. */
const FINAL = new Set([
  'UnsupportedProtocolError',
  'LimitedConnectionError',
  'TooManyOutboundProtocolStreamsError'
])

export interface OpenStreamOptions {
  readonly signal?: AbortSignal
  /** Allow it over a relayed connection: for small control messages only. @default false */
  readonly runOnLimitedConnection?: boolean
  /** For one attempt. @default 3_000 */
  readonly attemptMs?: number
}

/**
 * `connection.newStream`, tried again when it hangs or breaks off. Over WebRTC that happens about once in two
 * hundred streams: the id of a data channel that closed a moment ago is taken again too early.
 *
 * @throws NetError `UNREACHABLE`, or the reason of `signal`
 */
export async function openStream(
  connection: Connection,
  protocol: string,
  options: OpenStreamOptions = {}
): Promise<Stream> {
  const { signal, runOnLimitedConnection = false, attemptMs = ATTEMPT_MS } = options
  let cause: unknown
  for (let attempt = 0; attempt < ATTEMPTS && connection.status === 'open'; attempt++) {
    const timeout = AbortSignal.timeout(attemptMs)
    try {
      return await connection.newStream(protocol, {
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
        runOnLimitedConnection
      })
    } catch (error) {
      signal?.throwIfAborted()
      cause = error
      if (error instanceof Error && FINAL.has(error.name)) {
        break
      }
    }
  }
  throw new NetError('UNREACHABLE', `No ${protocol} stream to ${connection.remotePeer}: ask another peer.`, {
    retryable: true,
    cause
  })
}
