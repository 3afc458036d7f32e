import type { Connection, PeerId } from '@libp2p/interface'
import { bestFirst, isBusy } from './connections.ts'
import { endDeadConnections } from './end-dead-connections.ts'
import type { SwarmNode, Ticker } from './types.ts'

const CHECK_MS = 1_000
/** A connection must have been superfluous for so many checks: streams that were just asked for show by then. */
const CHECKS_BEFORE_CLOSE = 3

/**
 * Closes what is left over when two peers dialled each other at once, or met over a relay before they got a
 * direct connection; and ends those of a peer that is back on another one. Only the peer with the smaller id closes
 * what lives, so that the two never close one each.
 *
 * @returns stops it
 */
export function keepOneConnection(
  node: Pick<SwarmNode, 'peerId' | 'getConnections' | 'addEventListener' | 'removeEventListener'>,
  ticker: Ticker
): () => void {
  let superfluous = new Map<Connection, number>()
  const dead = endDeadConnections(node)
  const stopChecks = ticker.every(CHECK_MS, () => {
    const next = new Map<Connection, number>()
    const certain = node.getConnections().filter((connection) => !dead.isDoubtful(connection))
    for (const connection of extraConnections(node.peerId, certain)) {
      const checks = (superfluous.get(connection) ?? 0) + 1
      if (checks >= CHECKS_BEFORE_CLOSE) {
        connection.close().catch((error) => connection.abort(error))
      } else {
        next.set(connection, checks)
      }
    }
    superfluous = next
  })
  return () => {
    stopChecks()
    dead.stop()
  }
}

/** The connections that `self` may close: all but the best one of each peer, if idle. */
export function extraConnections(self: PeerId, connections: readonly Connection[]): Connection[] {
  const byPeer = Map.groupBy(
    connections.filter(({ status }) => status === 'open'),
    ({ remotePeer }) => remotePeer.toString()
  )
  return [...byPeer]
    .filter(([peer, ofPeer]) => ofPeer.length > 1 && self.toString() < peer)
    .flatMap(([, ofPeer]) => ofPeer.toSorted(bestFirst(self)).slice(1))
    .filter((connection) => !isBusy(connection))
}
