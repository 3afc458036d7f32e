import type { Milliseconds, PeerIdString } from '../wire/index.ts'
import { STRANGERS_GIFTS_PER_GIVER, STRANGERS_GIFTS_PER_HOUR } from './constants.ts'
import { ensure } from './errors.ts'

const HOUR: Milliseconds = 3_600_000

/** Counts what a node takes of strangers within an hour: each gift is a record in its chain. */
export class GiftGate {
  private readonly now: () => Milliseconds
  private taken: ReadonlyArray<{ readonly giver: PeerIdString; readonly at: Milliseconds }> = []

  constructor(now: () => Milliseconds) {
    this.now = now
  }

  /**
   * A place for one gift, held while it is taken: two at once do not pass for one.
   *
   * @returns gives the place back, for a gift that was not taken
   * @throws CreditError `BUSY`
   */
  enter(giver: PeerIdString): () => void {
    const at = this.now()
    const recent = this.taken.filter((gift) => gift.at > at - HOUR)
    ensure(
      recent.length < STRANGERS_GIFTS_PER_HOUR,
      'BUSY',
      'This node has taken many gifts of strangers: try again in an hour.'
    )
    ensure(
      recent.filter((gift) => gift.giver === giver).length < STRANGERS_GIFTS_PER_GIVER,
      'BUSY',
      `This node has taken ${STRANGERS_GIFTS_PER_GIVER} gifts of yours within the hour: try again in an hour.`
    )
    const place = { giver, at }
    this.taken = [...recent, place]
    return () => {
      this.taken = this.taken.filter((gift) => gift !== place)
    }
  }
}
