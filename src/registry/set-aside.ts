import type { Milliseconds } from '../wire/index.ts'

/** After the first failure of a peer that is not connected, and the longest. */
const FIRST: Milliseconds = 30_000
const LONGEST: Milliseconds = 15 * 60_000
/** For a peer that is connected: its trouble is mostly ours, a stream that did not open. */
const CONNECTED_FIRST: Milliseconds = 1_000
const CONNECTED_LONGEST: Milliseconds = 30_000
/** Peers remembered. Beyond, the one that failed longest ago is forgotten. */
const REMEMBERED = 4_096

/**
 * How long a peer that did not answer is left alone: doubling with each failure in a row.
 *
 * @param failures 1 for the first
 */
export function timeAside(failures: number, isConnected: boolean): Milliseconds {
  const [first, longest] = isConnected ? [CONNECTED_FIRST, CONNECTED_LONGEST] : [FIRST, LONGEST]
  return Math.min(longest, first * 2 ** Math.min(Math.max(0, failures - 1), 16))
}

interface Aside {
  readonly failures: number
  readonly until: number
  readonly isConnected: boolean
}

/** Peers that did not answer, and until when they are left alone. One answer and all is forgiven. */
export class SetAside {
  private readonly peers = new Map<string, Aside>()

  has(peer: string, now: number): boolean {
    return (this.peers.get(peer)?.until ?? 0) > now
  }

  /** Likewise, and it was not connected, or could not be reached: what it says unasked does not make it reachable. */
  isUnreachable(peer: string, now: number): boolean {
    return this.has(peer, now) && this.peers.get(peer)?.isConnected === false
  }

  add(peer: string, isConnected: boolean, now: number): void {
    const failures = (this.peers.get(peer)?.failures ?? 0) + 1
    this.peers.delete(peer)
    this.peers.set(peer, { failures, until: now + timeAside(failures, isConnected), isConnected })
    const [longestAgo] = this.peers.keys()
    if (this.peers.size > REMEMBERED && longestAgo !== undefined) {
      this.peers.delete(longestAgo)
    }
  }

  /** It is there again, so it may be asked; if it fails once more it still waits as long as before. */
  retry(peer: string): void {
    const known = this.peers.get(peer)
    if (known !== undefined) {
      this.peers.set(peer, { ...known, until: 0 })
    }
  }

  delete(peer: string): void {
    this.peers.delete(peer)
  }
}
