import type { MicroCredits } from '../wire/index.ts'

/** A rate, in thousandths of the published cost: 1,000 pays what is published, 500 half of it. */
export const RATE_DEFAULT = 1_000
export const RATE_MAX = 1_000_000

/** What a unit costs at a rate, rounded up to 1 µcr. */
export function priceAt(cost: MicroCredits, rate: number): MicroCredits {
  return (cost * BigInt(rate) + 999n) / 1_000n
}

/** What all units cost, each rounded up. */
export function priceOf(units: ReadonlyArray<{ readonly cost: MicroCredits }>, rate: number): MicroCredits {
  return units.reduce((sum, { cost }) => sum + priceAt(cost, rate), 0n)
}

export const min = (a: MicroCredits, b: MicroCredits): MicroCredits => (a < b ? a : b)
export const max = (a: MicroCredits, b: MicroCredits): MicroCredits => (a > b ? a : b)
