import type { Milliseconds, PeerIdString } from '../wire/index.ts'

const HOUR: Milliseconds = 3_600_000
/** Requesters that are remembered; beyond it the oldest is forgotten. */
const AUTHORS_MAX = 1_024

/** How much a node gives away for nothing on one requester's word: so much an hour, whoever fetches it. */
export class GiveLimit {
  private readonly limit: number
  private readonly given = new Map<PeerIdString, { readonly since: Milliseconds; bytes: number }>()

  /** @param limit bytes an hour of one requester */
  constructor(limit: number) {
    this.limit = limit
  }

  /** Counts what is about to be given. False: it would be too much. */
  take(author: PeerIdString, bytes: number, now: Milliseconds): boolean {
    const known = this.given.get(author)
    const use = known !== undefined && now - known.since < HOUR ? known : { since: now, bytes: 0 }
    if (use.bytes + bytes > this.limit) {
      return false
    }
    use.bytes += bytes
    this.given.set(author, use)
    const [oldest] = this.given.keys()
    if (this.given.size > AUTHORS_MAX && oldest !== undefined) {
      this.given.delete(oldest)
    }
    return true
  }
}
