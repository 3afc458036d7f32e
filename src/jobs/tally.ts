import type { MicroCredits } from '../wire/index.ts'

/** What one provider has earned in a round, unit by unit. */
export class Tally {
  /** Units that a receipt covers. */
  receiptedUnits = 0
  /** What the first, the first two … verified units come to. */
  private readonly sums: MicroCredits[] = []

  get units(): number {
    return this.sums.length
  }

  get amount(): MicroCredits {
    return this.sums.at(-1) ?? 0n
  }

  /** What so many of its units come to. */
  amountOf(units: number): MicroCredits {
    return this.sums[units - 1] ?? 0n
  }

  /** One more unit is verified. */
  add(price: MicroCredits): void {
    this.sums.push(this.amount + price)
  }

  /** Found out as a cheat: what it has no receipt for is lost to it. */
  forfeit(): void {
    this.sums.length = Math.min(this.sums.length, this.receiptedUnits)
  }
}
