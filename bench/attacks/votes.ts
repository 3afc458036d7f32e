import { quorumOf, SEAT_SIZES } from '../../src/credit/seat.ts'
import { type Random, randomOf, shuffle } from '../sim/random.ts'
import { NOTHING, type Outcome, type ScenarioInit } from './scenario.ts'

/**
 * Two records for one place, and a seat of K members of which b are bought. Honest members vote once for a place,
 * for ever; bought ones for whatever they are shown. Production's sizes and quorums, and a model of the votes:
 * `seated` has the witness service itself. Gain: the chance of a second certificate.
 */

const TRIES = 2_000

/** @returns the share of tries in which both records got a quorum */
function doubleVotes(size: number, bad: number, random: Random): number {
  const quorum = quorumOf(size)
  let both = 0
  for (let i = 0; i < TRIES; i++) {
    // the attacker shows each honest member one of the two first, as it likes: halves are best
    const honest = size - bad
    const first = Math.floor(random() * (honest + 1))
    both += bad + first >= quorum && bad + honest - first >= quorum ? 1 : 0
  }
  return both / TRIES
}

/** Seats drawn from a crowd of which a share is bought: how often one is worth attacking. */
function boughtSeats(size: number, share: number, random: Random): number {
  const crowd = Array.from({ length: 300 }, (_, i) => i < 300 * share)
  let lost = 0
  for (let i = 0; i < TRIES; i++) {
    const bad = shuffle(crowd, random).slice(0, size).filter(Boolean).length
    lost += doubleVotes(size, bad, () => 0.5) > 0 ? 1 : 0
  }
  return lost / TRIES
}

export interface SeatRow {
  readonly size: number
  readonly quorum: number
  /** Bad members up to which a second certificate never came. */
  readonly bears: number
  /** Share of random seats that a second certificate can be had of, by share of bought peers. */
  readonly lost: ReadonlyArray<readonly [share: number, lost: number]>
}

export function seatTable({ seed }: ScenarioInit): SeatRow[] {
  const random = randomOf(seed, 'votes')
  return SEAT_SIZES.filter((size) => size > 0).map((size) => {
    const chances = Array.from({ length: size + 1 }, (_, bad) => doubleVotes(size, bad, random))
    return {
      size,
      quorum: quorumOf(size),
      bears: chances.findIndex((chance) => chance > 0) - 1,
      lost: [0.1, 0.2, 1 / 3].map((share) => [share, boughtSeats(size, share, random)] as const)
    }
  })
}

export function voteAttacks(init: ScenarioInit): Outcome[] {
  const seven = seatTable(init).find(({ size }) => size === 7)
  const random = randomOf(init.seed, 'seven')
  const lost = seven?.lost.at(-1)?.[1] ?? Number.NaN
  return [
    {
      ...NOTHING,
      name: 'bought-witnesses',
      gain: Math.max(...[0, 1, 2].map((bad) => doubleVotes(7, bad, random))),
      beyond: lost,
      hold: 'bounded',
      ends: `A third of *each seat* is what quorums bear (Lamport, Shostak & Pease 1982); with a third of *all* peers bought, ${(lost * 100).toFixed(0)} % of random seats of seven have three or more.`
    }
  ]
}
