import type { MicroCredits, PipelineLane } from '../wire/index.ts'
import { leastCommonMultiple, roundByLargestRemainder } from './shapley-rounding.ts'
import { checkStages } from './shapley-stages.ts'

/** A number as numerator / denominator. */
interface Fraction {
  readonly numerator: bigint
  readonly denominator: bigint
}

/**
 * The Shapley split of many rows that went through a pipeline side by side: the value of the whole is the sum over its
 * lanes, and so are the shares. Of each lane it is that of `shapley-pipeline.ts` (credit.md section 4, form 2), in exact
 * fractions: with m_k alternates in stage k of weight w_k and W = Σ w_k
 *
 *     φ = ½ w_k / m_k + ½ W ∫₀¹ s^(m_k − 1) · Π_{l ≠ k} (1 − s^(m_l)) ds
 *
 * where the integrand is a polynomial with whole coefficients. With one provider a stage: ½ w_k + ½ W / stages.
 *
 * @param players how many payees there are
 * @param seed 32 bytes: who gets the odd µcr
 * @returns µcr by payee index, whose sum is that of all weights
 * @throws CreditError `BAD_SPLIT` for a stage without payees, or a payee out of range or in two stages of a lane
 */
export function splitLanes(
  lanes: readonly PipelineLane[],
  players: number,
  seed: Uint8Array
): MicroCredits[] {
  const values = lanes.flatMap((lane) => valuesOf(lane, players))
  const denominator = leastCommonMultiple(values.map(({ value }) => value.denominator))
  const numerators = new Array<bigint>(players).fill(0n)
  for (const { payee, value } of values) {
    numerators[payee] = (numerators[payee] ?? 0n) + (value.numerator * denominator) / value.denominator
  }
  const total = lanes.flat().reduce((sum, { weight }) => sum + weight, 0n)
  return roundByLargestRemainder(numerators, denominator, total, seed)
}

/** Lanes of the same payees as one: a share is linear in the weights. Order by first appearance. */
export function mergeLanes(lanes: readonly PipelineLane[]): PipelineLane[] {
  const merged = new Map<string, PipelineLane>()
  for (const lane of lanes) {
    const key = JSON.stringify(lane.map(({ payees }) => payees))
    const before = merged.get(key)
    merged.set(
      key,
      lane.map(({ weight, payees }, stage) => ({ weight: weight + (before?.[stage]?.weight ?? 0n), payees }))
    )
  }
  return [...merged.values()]
}

/**
 * The least weights by which nobody earns less than its price, with one provider a stage: half of the pool is shared
 * evenly, so what that gives a stage beyond its price need not be in its weight. While no stage costs less than half an
 * even share, the weights come to the prices, and each earns its price (up to 1 µcr by rounding).
 *
 * @param prices by stage (µcr)
 * @returns weights by stage, of which `½ w_k + ½ W / stages ≥ price_k`
 */
export function weightsFor(prices: readonly MicroCredits[]): MicroCredits[] {
  const stages = BigInt(prices.length)
  let weighing = prices
  for (;;) {
    // W = Σ (2 p_k − W / stages) over those that weigh anything
    const divisor = stages + BigInt(weighing.length)
    const sum = weighing.reduce((all, price) => all + price, 0n)
    const excess = (price: MicroCredits) => 2n * (price * divisor - sum)
    const left = weighing.filter((price) => excess(price) > 0n)
    if (left.length === weighing.length || left.length === 0) {
      return prices.map((price) => (excess(price) > 0n ? (excess(price) + divisor - 1n) / divisor : 0n))
    }
    weighing = left
  }
}

function valuesOf(lane: PipelineLane, players: number): Array<{ payee: number; value: Fraction }> {
  checkStages(lane, players)
  const whole = lane.reduce((sum, { weight }) => sum + weight, 0n)
  return lane.flatMap(({ weight, payees }, stage) => {
    const last = completing(lane, stage)
    const count = BigInt(payees.length)
    // ½ weight / count + ½ whole · last
    const value = {
      numerator: weight * last.denominator + whole * last.numerator * count,
      denominator: 2n * count * last.denominator
    }
    return payees.map((payee) => ({ payee, value }))
  })
}

/** The integral above: the chance to be the one that completes the lane. */
function completing(lane: PipelineLane, stage: number): Fraction {
  let polynomial = [1n]
  for (const [other, { payees }] of lane.entries()) {
    polynomial = other === stage ? polynomial : timesOneMinus(polynomial, payees.length)
  }
  const own = BigInt(lane[stage]?.payees.length ?? 1)
  const denominator = leastCommonMultiple(polynomial.map((_, power) => BigInt(power) + own))
  const numerator = polynomial.reduce(
    (sum, coefficient, power) => sum + (coefficient * denominator) / (BigInt(power) + own),
    0n
  )
  return { numerator, denominator }
}

/** Times 1 − s^power; coefficients from that of s^0 on. */
function timesOneMinus(polynomial: readonly bigint[], power: number): bigint[] {
  return Array.from(
    { length: polynomial.length + power },
    (_, at) => (polynomial[at] ?? 0n) - (polynomial[at - power] ?? 0n)
  )
}
