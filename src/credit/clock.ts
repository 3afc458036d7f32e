import type { Milliseconds, PeerIdString } from '../wire/index.ts'
import { ASK_AGAIN_MS, CLOCK_TRUST_MS } from './constants.ts'
import { CreditError } from './errors.ts'

/** Less than that is the network's delay. */
const WORTH_IT_MS = 2_000

/** The middle of some numbers, the lower one of two; undefined: of none. */
export function median(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)]
}

/**
 * This device's clock, set right by its witnesses': by the median of what they say, so that a minority of them moves it
 * no further than the others, and all of them no further than `CLOCK_TRUST_MS`: a chain never goes back in time, so who
 * sits alone, or with its own names, could end it. For what this node signs as an author; as a witness it goes by its own.
 */
export class AuthorClock {
  /** What is added to the device's clock. */
  offset: Milliseconds = 0
  /** What the witnesses say, where that is too much to be followed. */
  private tooFar: Milliseconds = 0
  private readonly device: () => Milliseconds
  private readonly steady: () => Milliseconds
  private readonly apart = new Map<PeerIdString, Milliseconds>()
  /** How far the device's clock was from the steady one when the witnesses were asked last, and when that was. */
  private ahead: Milliseconds | undefined
  private askedAt = Number.NEGATIVE_INFINITY
  private isDoubted = false

  /** @param steady of the device, too, but one that nobody sets. @default there is none: no jump is seen */
  constructor(device: () => Milliseconds, steady = device) {
    this.device = device
    this.steady = steady
  }

  readonly now = (): Milliseconds => this.device() + this.offset

  /**
   * The witnesses are to be asked: the device's clock has been set, or has slept, since they were, or one of them found a
   * record to be of another time. Not twice within 15 s.
   */
  get isDoubtful(): boolean {
    const ahead = this.device() - this.steady()
    this.ahead ??= ahead
    const isSet = Math.abs(ahead - this.ahead) > WORTH_IT_MS
    return (isSet || this.isDoubted) && this.steady() >= this.askedAt + ASK_AGAIN_MS
  }

  doubt(): void {
    this.isDoubted = true
  }

  /** They are asked now: what they said before was of another clock. */
  renew(): void {
    this.apart.clear()
    this.ahead = this.device() - this.steady()
    this.askedAt = this.steady()
    this.isDoubted = true
  }

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
      this.isDoubted = false
      const isTooFar = Math.abs(middle) > CLOCK_TRUST_MS
      this.tooFar = isTooFar ? middle : 0
      this.offset = !isTooFar && Math.abs(middle) > WORTH_IT_MS ? middle : 0
    }
  }

  /** @throws CreditError `CLOCK` where the witnesses' time is too far from this device's: nobody votes on what it signs */
  check(): void {
    if (this.tooFar !== 0) {
      const minutes = Math.round(Math.abs(this.tooFar) / 60_000)
      throw new CreditError(
        'CLOCK',
        `This device's clock is ${minutes} minutes ${this.tooFar > 0 ? 'behind' : 'ahead of'} that of its witnesses: set it right, or if it is, wait for other peers.`,
        { retryable: true, details: { apartMs: this.tooFar } }
      )
    }
  }
}
