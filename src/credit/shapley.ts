import type { MicroCredits, SettleBody, UnitGroup } from '../wire/index.ts'
import { ensure } from './errors.ts'
import { splitLanes } from './shapley-lanes.ts'
import { leastCommonMultiple, roundByLargestRemainder } from './shapley-rounding.ts'

/**
 * The Shapley split of a job of units (credit.md section 4, form 1): with
 * `v(S) = Σ_u w_u · 1[|S ∩ C_u| ≥ q_u]` the members of C_u are symmetric, so `φ_i = Σ_{u ∋ i} w_u / |C_u|`:
 * exact for any quorum that C_u can reach; a group that cannot is a dummy.
 *
 * Shares are rounded to µcr by the largest remainder, so that they sum to v(all) exactly. Ties go round from a
 * place that the seed picks.
 *
 * @param players how many payees there are
 * @param seed 32 bytes
 * @returns µcr by payee index
 * @throws CreditError `BAD_SPLIT` for an index out of range or twice in a group, or a quorum of 0
 */
export function splitUnits(groups: readonly UnitGroup[], players: number, seed: Uint8Array): MicroCredits[] {
  checkGroups(groups, players)
  const earning = groups.filter(({ payees, quorum }) => quorum <= payees.length)
  const denominator = leastCommonMultiple(earning.map(({ payees }) => BigInt(payees.length)))
  const numerators = new Array<bigint>(players).fill(0n)
  for (const { weight, payees } of earning) {
    const share = (weight * denominator) / BigInt(payees.length)
    for (const payee of payees) {
      numerators[payee] = (numerators[payee] ?? 0n) + share
    }
  }
  const total = earning.reduce((sum, { weight }) => sum + weight, 0n)
  return roundByLargestRemainder(numerators, denominator, total, seed)
}

/** The payouts that follow from what a settle says of its split: anyone can compare them with its payouts. */
export function replaySplit({ payouts, split }: Pick<SettleBody, 'payouts' | 'split'>): MicroCredits[] {
  return split.form === 'units'
    ? splitUnits(split.inputs, payouts.length, split.seed)
    : splitLanes(split.inputs, payouts.length, split.seed)
}

/** Units that the same payees computed under the same quorum, as one group. Order by first appearance. */
export function mergeGroups(groups: readonly UnitGroup[]): UnitGroup[] {
  const merged = new Map<string, UnitGroup>()
  for (const group of groups) {
    const payees = [...group.payees].sort((a, b) => a - b)
    const key = `${group.quorum}:${payees.join()}`
    const weight = (merged.get(key)?.weight ?? 0n) + group.weight
    merged.set(key, { weight, payees, quorum: group.quorum })
  }
  return [...merged.values()]
}

function checkGroups(groups: readonly UnitGroup[], players: number): void {
  for (const { payees, quorum, weight } of groups) {
    ensure(quorum >= 1 && weight >= 0n, 'BAD_SPLIT', 'A group of units needs a quorum of at least 1.')
    ensure(
      new Set(payees).size === payees.length && payees.every((payee) => payee >= 0 && payee < players),
      'BAD_SPLIT',
      'A group of units must name each of its payees once, by its index in the escrow.'
    )
  }
}
