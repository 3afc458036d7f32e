import type { MicroCredits } from '../wire/index.ts'
import { WINDOW_MAX } from './constants.ts'

/**
 * What a provider does for a requester before it is paid: at most a window of units, which starts at one and doubles
 * with each receipt for whole units. All that a dishonest requester can take from it is that window.
 */
export class WorkWindow {
  /** Units that may be unreceipted. */
  units = 1
  /** Units that a receipt covers. */
  receiptedUnits = 0
  private readonly delivered: MicroCredits[] = []
  /** Price of all units taken and not failed or cancelled, receipted or not. */
  private taken: MicroCredits = 0n
  private receipted: MicroCredits = 0n
  private dearest: MicroCredits = 0n

  /** Delivered in all (µcr). */
  get total(): MicroCredits {
    return this.delivered.reduce((total, price) => total + price, 0n)
  }

  /** Delivered and not receipted (µcr). */
  get owed(): MicroCredits {
    const { total } = this
    return total > this.receipted ? total - this.receipted : 0n
  }

  /** One more unit is here. False: it is more than the window allows. */
  take(price: MicroCredits): boolean {
    if (price > this.dearest) {
      this.dearest = price
    }
    this.taken += price
    return this.taken - this.receipted <= BigInt(this.units) * this.dearest
  }

  /** A unit was failed, or dropped before it was done. */
  giveBack(price: MicroCredits): void {
    this.taken -= price
  }

  deliver(price: MicroCredits): void {
    this.delivered.push(price)
  }

  /** @param total of all receipts so far. False: it is no more than the last one */
  receive(total: MicroCredits): boolean {
    if (total <= this.receipted) {
      return false
    }
    this.receipted = total
    const covered = this.coveredUnits()
    if (covered > this.receiptedUnits) {
      this.units = Math.min(WINDOW_MAX, this.units * 2) // for whole units only: a crumb buys no trust
    }
    this.receiptedUnits = covered
    return true
  }

  /** How many of the delivered units the receipts so far can have paid for. */
  private coveredUnits(): number {
    let left = this.receipted
    let covered = 0
    for (const price of this.delivered) {
      left -= price
      if (left < 0n) {
        break
      }
      covered += 1
    }
    return covered
  }
}
