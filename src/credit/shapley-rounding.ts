import type { MicroCredits } from '../wire/index.ts'
import { ensure } from './errors.ts'

/** Values are cut to so many parts of the whole, below which floating-point noise might break ties. */
const PARTS = 2 ** 40

/**
 * Whole µcr from exact fractions by the largest remainder: the sum is `total` exactly. Equal remainders go round
 * from a place that the seed picks.
 *
 * @param numerators by player, over `denominator`; their sum is total · denominator
 * @param seed 32 bytes, of which the first four count (big endian)
 */
export function roundByLargestRemainder(
  numerators: readonly bigint[],
  denominator: bigint,
  total: MicroCredits,
  seed: Uint8Array
): MicroCredits[] {
  const shares = numerators.map((numerator) => numerator / denominator)
  const left = Number(total - shares.reduce((sum, share) => sum + share, 0n))
  const players = numerators.length
  const first = players === 0 ? 0 : new DataView(seed.buffer, seed.byteOffset).getUint32(0) % players
  const order = numerators
    .map((numerator, player) => ({
      player,
      remainder: numerator % denominator,
      turn: (player - first + players) % players
    }))
    .sort((a, b) => compare(b.remainder, a.remainder) || a.turn - b.turn)
  for (const { player } of order.slice(0, left)) {
    shares[player] = (shares[player] ?? 0n) + 1n
  }
  return shares
}

/**
 * Whole µcr in proportion to Shapley values: each is first cut to 2^-40 of their sum (below 0: to 0), then
 * rounded by the largest remainder.
 *
 * @throws CreditError `BAD_SPLIT` if there is something to share and nobody has a value above 0
 */
export function sharesOf(values: readonly number[], total: MicroCredits, seed: Uint8Array): MicroCredits[] {
  const positive = values.map((value) => Math.max(value, 0))
  const sum = positive.reduce((all, value) => all + value, 0)
  if (total === 0n) {
    return values.map(() => 0n)
  }
  ensure(sum > 0 && sum < Number.POSITIVE_INFINITY, 'BAD_SPLIT', 'Nobody added anything that could be paid.')
  const parts = positive.map((value) => BigInt(Math.round((value / sum) * PARTS)))
  const whole = parts.reduce((all, part) => all + part, 0n)
  return roundByLargestRemainder(
    parts.map((part) => part * total),
    whole,
    total,
    seed
  )
}

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0)

/** Of whole numbers above 0; 1 of none. */
export function leastCommonMultiple(numbers: Iterable<bigint>): bigint {
  let multiple = 1n
  for (const number of numbers) {
    let [x, y] = [multiple, number]
    while (y > 0n) {
      ;[x, y] = [y, x % y]
    }
    multiple = (multiple / x) * number
  }
  return multiple
}
