import { copiesLimit } from '../router/index.ts'
import type { UnitSpec } from '../skills/index.ts'
import type { MicroCredits } from '../wire/index.ts'
import { max, priceAt, priceOf } from './price.ts'

export interface OutlayInit {
  readonly units: readonly UnitSpec[]
  /** What is paid, in thousandths of the published cost. */
  readonly rate: number
  /** The most that the job may cost. */
  readonly budget: MicroCredits
}

/** What a unit is bought for: its result; the same result sooner; or to see whether another one is right. */
export type Purpose = 'result' | 'copy' | 'comparison'

/**
 * What a job may cost: each of its units once; copies of late ones within a twentieth of that and one unit;
 * comparisons, for skills whose own check is weak, within the budget. All amounts in µcr.
 */
export class Outlay {
  readonly price: MicroCredits
  readonly rate: number
  /** Paid for in earlier rounds. */
  settled: MicroCredits = 0n
  private readonly budget: MicroCredits
  private readonly limit: MicroCredits
  private compared: MicroCredits = 0n

  constructor({ units, rate, budget }: OutlayInit) {
    this.rate = rate
    this.budget = budget
    this.price = priceOf(units, rate)
    const prices = units.map(({ cost }) => priceAt(cost, rate))
    this.limit = copiesLimit(this.price, prices.reduce(max, 0n))
  }

  /**
   * Whether one more unit may be sent.
   *
   * @param committed what providers may come to be paid in this round
   * @param waiting the price of the units that were not handed out
   */
  allows(purpose: Purpose, price: MicroCredits, committed: MicroCredits, waiting: MicroCredits): boolean {
    const total = this.settled + committed + waiting + (purpose === 'result' ? 0n : price)
    return total <= this.budget && (purpose !== 'copy' || total - this.compared <= this.limit)
  }

  /** A unit was sent to compare results. */
  compare(price: MicroCredits): void {
    this.compared += price
  }

  /** What is left for a further escrow: more could never be paid. */
  left(committed: MicroCredits): MicroCredits {
    const left = this.budget - this.settled - committed
    return left > 0n ? left : 0n
  }
}
