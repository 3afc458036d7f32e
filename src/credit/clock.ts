import type { Milliseconds, PeerIdString } from '../wire/index.ts'

/** Less than that is the network's delay. */
const WORTH_IT_MS = 2_000

/** The middle of some numbers, the lower one of two; undefined: of none. */
export function median(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)]
}

/**
 * This device's clock, set right by its witnesses': by the median of what they say, so that a minority of them moves it
 * no further than the others. For what this node signs as an author; as a witness it goes by its own.
 */
export class AuthorClock {
  /** What is added to the device's clock. */
  offset: Milliseconds = 0
  private readonly device: () => Milliseconds
  private readonly apart = new Map<PeerIdString, Milliseconds>()

  constructor(device: () => Milliseconds) {
    this.device = device
  }

  readonly now = (): Milliseconds => this.device() + this.offset

  /** A witness has told its time. @param quorum so many must have, before any of it counts */
  hear(peer: PeerIdString, now: Milliseconds, members: readonly PeerIdString[], quorum: number): void {
    this.apart.set(peer, now - this.device())
    for (const known of this.apart.keys()) {
      if (!members.includes(known)) {
        this.apart.delete(known)
      }
    }
    const middle = this.apart.size >= quorum ? median([...this.apart.values()]) : undefined
    if (middle !== undefined) {
      this.offset = Math.abs(middle) > WORTH_IT_MS ? middle : 0
    }
  }
}
