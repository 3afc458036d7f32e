import type { Channel } from '../credit/index.ts'
import type { MicroCredits, PeerIdString } from '../wire/index.ts'
import { min } from './price.ts'

/**
 * The channels of one escrow: how much each payee may earn at most. Σ max is at most `limit` (budget and
 * balance), and at most the whole price for each payee. With a wide limit anyone may do everything, so that a
 * fast or surviving provider takes over without a further escrow; with a tight one the units are shared out.
 *
 * @param costs of the units that are missing (µcr)
 * @param copies by how many payees each unit is computed
 * @returns fewer channels than payees where there are fewer units and copies; Σ max < price only if `limit` is
 */
export function allocate(
  payees: readonly PeerIdString[],
  costs: readonly MicroCredits[],
  limit: MicroCredits,
  copies = 1
): Channel[] {
  const price = costs.reduce((sum, cost) => sum + cost, 0n)
  const count = Math.min(payees.length, Math.max(1, costs.length, copies))
  const maxima = payees.slice(0, count).map(() => 0n)
  costs.forEach((cost, i) => {
    maxima[i % count] = (maxima[i % count] ?? 0n) + cost
  })
  let spare = limit > price ? limit - price : 0n
  const bySmallestNeed = [...maxima.keys()].sort((a, b) => Number((maxima[b] ?? 0n) - (maxima[a] ?? 0n)))
  bySmallestNeed.forEach((payee, done) => {
    const share = maxima[payee] ?? 0n
    const extra = min(price - share, spare / BigInt(count - done))
    maxima[payee] = share + extra
    spare -= extra
  })
  return maxima.map((max, i) => ({ peer: payees[i] as PeerIdString, max })) // as many maxima as payees taken
}

/** The prices of as many units as the limit pays for, those first in line preferred. */
export function affordable(costs: readonly MicroCredits[], limit: MicroCredits): MicroCredits[] {
  let left = limit
  return costs.filter((cost) => {
    const isPaid = cost <= left
    left -= isPaid ? cost : 0n
    return isPaid
  })
}
