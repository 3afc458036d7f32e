import type { MicroCredits } from '../wire/index.ts'
import { gaussLegendre, power } from './shapley-arithmetic.ts'
import { sharesOf } from './shapley-rounding.ts'
import { checkStages } from './shapley-stages.ts'

/** One stage of a pipeline: what it is worth, and who can do it (payees by index). */
export interface PipelineStage {
  readonly weight: MicroCredits
  readonly payees: readonly number[]
}

/** The part of a stage's weight that it earns by itself; the rest is earned by the whole pipeline only. */
const ALONE = 0.5

/**
 * The Shapley value of a pipeline (credit.md section 4, form 2): with m_k alternates in stage k of weight w_k,
 * W = Σ w_k and `v(S) = ½ Σ w_k · 1[S covers k] + ½ W · 1[S covers all]`,
 *
 *     φ = ½ w_k / m_k + ½ W ∫₀¹ s^(m_k − 1) · Π_{l ≠ k} (1 − s^(m_l)) ds
 *
 * for each alternate of stage k. The integrand is a polynomial of degree n − 1, so Gauss–Legendre with ⌈n/2⌉
 * nodes is exact but for rounding (relative error below 10^-12).
 *
 * @returns values in µcr by payee index; payees of no stage get 0
 * @throws CreditError `BAD_SPLIT` for a stage without payees, or a payee out of range or in two stages
 */
export function pipelineValues(stages: readonly PipelineStage[], players: number): number[] {
  checkStages(stages, players)
  const sizes = countSizes(stages)
  const integrals = integrateCovers(sizes)
  const whole = Number(stages.reduce((sum, { weight }) => sum + weight, 0n))
  const values = new Array<number>(players).fill(0)
  for (const { weight, payees } of stages) {
    const last = integrals.get(payees.length) ?? 0
    for (const payee of payees) {
      values[payee] = (ALONE * Number(weight)) / payees.length + (1 - ALONE) * whole * last
    }
  }
  return values
}

/**
 * `pipelineValues` in whole µcr that sum to W exactly, by the largest remainder.
 *
 * @param seed 32 bytes
 * @throws CreditError `BAD_SPLIT`
 */
export function splitPipeline(
  stages: readonly PipelineStage[],
  players: number,
  seed: Uint8Array
): MicroCredits[] {
  const total = stages.reduce((sum, { weight }) => sum + weight, 0n)
  return sharesOf(pipelineValues(stages, players), total, seed)
}

/** How many stages there are of each number of alternates. */
function countSizes(stages: readonly PipelineStage[]): Map<number, number> {
  const sizes = new Map<number, number>()
  for (const { payees } of stages) {
    sizes.set(payees.length, (sizes.get(payees.length) ?? 0) + 1)
  }
  return sizes
}

/** The integral of the formula above for a stage of each size: the chance to be the one that completes it all. */
function integrateCovers(sizes: ReadonlyMap<number, number>): Map<number, number> {
  const players = [...sizes].reduce((sum, [size, stages]) => sum + size * stages, 0)
  const { nodes, weights } = gaussLegendre(Math.ceil(players / 2))
  const integrals = new Map([...sizes.keys()].map((size) => [size, 0]))
  for (const [i, s] of nodes.entries()) {
    const covered = new Map([...sizes.keys()].map((size) => [size, 1 - power(s, size)]))
    let all = weights[i] ?? 0
    for (const [size, stages] of sizes) {
      all *= power(covered.get(size) ?? 0, stages)
    }
    for (const size of sizes.keys()) {
      const others = all / (covered.get(size) ?? 1)
      integrals.set(size, (integrals.get(size) ?? 0) + others * power(s, size - 1))
    }
  }
  return integrals
}
