import type { MicroCredits } from '../wire/index.ts'
import { WINDOW_MAX } from './constants.ts'

export interface WorkWindowInit {
  /** All that the channel pays (µcr). */
  readonly max: MicroCredits
  /** Of that, what was receipted before (µcr). @default 0n */
  readonly receipted?: MicroCredits
}

/**
 * What a provider does on an escrow before it is paid, over all job streams: at most a window of units, which starts at
 * one and doubles with each receipt for whole units. All that a dishonest requester can take from it is that window.
 */
export class WorkWindow {
  /** Units that may be unreceipted. */
  units = 1
  /** Units that a receipt covers. */
  receiptedUnits = 0
  /** Bytes that were fetched from other providers since the last receipt. */
  pulled = 0
  /** Delivered in all (µcr), as far as is known here: all that was receipted before was delivered. */
  total: MicroCredits
  /** Prices of what was delivered and no receipt covers, oldest first. */
  private readonly unpaid: MicroCredits[] = []
  /** Price of all units taken and not failed or cancelled, receipted or not. */
  private taken: MicroCredits
  private receipted: MicroCredits
  /** Of that, what is not for the units that are covered. */
  private spare: MicroCredits = 0n
  private max: MicroCredits
  private dearest: MicroCredits = 0n

  constructor({ max, receipted = 0n }: WorkWindowInit) {
    this.max = max
    this.total = receipted
    this.taken = receipted
    this.receipted = receipted
  }

  /** Delivered and not receipted (µcr). */
  get owed(): MicroCredits {
    return this.total > this.receipted ? this.total - this.receipted : 0n
  }

  /** Whether the channel can still pay for one more unit. */
  pays(price: MicroCredits): boolean {
    return this.taken + price <= this.max
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
    this.total += price
    this.unpaid.push(price)
    this.cover()
  }

  /** @param total of all receipts so far. False: it is no more than the last one */
  receive(total: MicroCredits): boolean {
    if (total <= this.receipted) {
      return false
    }
    this.spare += total - this.receipted
    this.receipted = total
    this.pulled = 0
    if (this.cover()) {
      this.units = Math.min(WINDOW_MAX, this.units * 2) // for whole units only: a crumb buys no trust
    }
    return true
  }

  /** The escrow was released: no receipt can pay for anything more. */
  close(): void {
    this.max = this.total
  }

  /** Whether the receipts so far pay for more of the delivered units than before. */
  private cover(): boolean {
    let covered = 0
    for (const price of this.unpaid) {
      if (price > this.spare) {
        break
      }
      this.spare -= price
      covered += 1
    }
    this.unpaid.splice(0, covered)
    this.receiptedUnits += covered
    return covered > 0
  }
}
