import type { Connection } from '@libp2p/interface'
import { byteStream } from '@libp2p/utils'
import { isDirect } from './connections.ts'
import { NetError } from './errors.ts'
import type { SwarmNode } from './types.ts'

const PING = '/ipfs/ping/1.0.0'
const PING_BYTES = 32
const ANSWER_MS = 2_000
/** Peers that dialled each other at once have two connections of about the same age: both live. */
const AT_ONCE_MS = 2_000

export interface DeadConnections {
  /** Being asked whether it still lives. */
  isDoubtful(connection: Connection): boolean
  stop(): void
}

/**
 * A peer that was killed and is back opens a new connection, while WebRTC holds the old one for open some 20 s more.
 * So an older connection to the same peer is pinged, and ended if it does not answer: else messages would go into it,
 * and the new one would be closed as superfluous.
 *
 * @param answerMs how long it has. @default 2_000
 */
export function endDeadConnections(
  node: Pick<SwarmNode, 'getConnections' | 'addEventListener' | 'removeEventListener'>,
  answerMs = ANSWER_MS
): DeadConnections {
  const doubtful = new Set<Connection>()
  const probe = async (connection: Connection) => {
    doubtful.add(connection)
    const signal = AbortSignal.timeout(answerMs)
    try {
      await ping(connection, signal)
    } catch {
      // anything but silence is a sign of life, or of an end that shows by itself
      if (signal.aborted) {
        connection.abort(new NetError('CLOSED', 'The peer is back on a newer connection.'))
      }
    } finally {
      doubtful.delete(connection)
    }
  }
  const onOpen = ({ detail: fresh }: { detail: Connection }) => {
    for (const old of node.getConnections(fresh.remotePeer)) {
      const isOlder = fresh.timeline.open - old.timeline.open > AT_ONCE_MS
      if (isOlder && old.status === 'open' && isDirect(old) && !doubtful.has(old)) {
        void probe(old)
      }
    }
  }
  node.addEventListener('connection:open', onOpen)
  return {
    isDoubtful: (connection) => doubtful.has(connection),
    stop: () => node.removeEventListener('connection:open', onOpen)
  }
}

async function ping(connection: Connection, signal: AbortSignal): Promise<void> {
  const stream = await connection.newStream(PING, { signal })
  try {
    const bytes = byteStream(stream)
    await bytes.write(new Uint8Array(PING_BYTES), { signal })
    await bytes.read({ bytes: PING_BYTES, signal })
  } finally {
    stream.abort(new NetError('CLOSED', 'The ping is over.'))
  }
}
