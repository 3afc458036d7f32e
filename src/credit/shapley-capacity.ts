import type { MicroCredits } from '../wire/index.ts'
import { ensure } from './errors.ts'
import { gaussLegendre, normal, squareRoot } from './shapley-arithmetic.ts'
import { sharesOf } from './shapley-rounding.ts'

/** So much capacity in all is worth so much. */
export interface WorthPoint {
  readonly at: bigint
  readonly value: MicroCredits
}

/**
 * A game whose worth depends on the sum of its players' capacities only: `v(S) = F(Σ_{i ∈ S} a_i)`, with F
 * linear from (0, 0) from point to point and flat after the last. Two points at one place are a step, the upper
 * one counting there. Work before a deadline is one point: (what is needed, what it is worth).
 */
export interface CapacityGame {
  /** a_i by payee index, in any unit: what each can do before the deadline. */
  readonly capacities: readonly bigint[]
  /** Neither `at` nor `value` ever falls; `at` is above 0. */
  readonly worth: readonly WorthPoint[]
}

/** Up to so many players all coalitions are counted. */
export const EXACT_PLAYERS_MAX = 16
const POINTS_MAX = 16
const SAFE = BigInt(Number.MAX_SAFE_INTEGER)

/**
 * The Shapley value of a capacity game (credit.md section 4, form 3). Up to 16 players with a capacity: the sum
 * over all coalitions. Above: Owen's integral
 *
 *     φ_i = ∫₀¹ E[F(X_t + a_i) − F(X_t)] dt,   X_t = Σ_{j ≠ i} a_j · Bernoulli(t)
 *
 * with X_t normal (G. Owen, Multilinear extensions of games, 1972), scaled so that all values sum to v(all).
 *
 * @returns values in µcr by payee index
 * @throws CreditError `BAD_SPLIT` for points that fall, too many of them, or sums beyond 2^53
 */
export function capacityValues(game: CapacityGame): number[] {
  checkGame(game)
  const capacities = game.capacities.map(Number)
  const worth = worthFunction(game.worth)
  // who has nothing adds nothing, and only costs time
  const able = capacities.flatMap((capacity, player) => (capacity > 0 ? [player] : []))
  const amounts = able.map((player) => capacities[player] ?? 0)
  const found =
    able.length <= EXACT_PLAYERS_MAX ? valuesOfAllCoalitions(amounts, worth) : valuesByNormal(amounts, worth)
  const values = new Array<number>(capacities.length).fill(0)
  for (const [i, player] of able.entries()) {
    values[player] = found[i] ?? 0
  }
  return values
}

/**
 * `capacityValues` in whole µcr that sum to ⌊v(all)⌋ exactly, by the largest remainder.
 *
 * @param seed 32 bytes
 * @throws CreditError `BAD_SPLIT`
 */
export function splitCapacity(game: CapacityGame, seed: Uint8Array): MicroCredits[] {
  return sharesOf(capacityValues(game), worthOfAll(game), seed)
}

/** ⌊v(all)⌋, without rounding errors. */
export function worthOfAll({ capacities, worth }: CapacityGame): MicroCredits {
  const sum = capacities.reduce((all, capacity) => all + capacity, 0n)
  let [at, value] = [0n, 0n]
  for (const point of worth) {
    if (point.at > sum) {
      return value + ((point.value - value) * (sum - at)) / (point.at - at)
    }
    ;[at, value] = [point.at, point.value]
  }
  return value
}

function checkGame({ capacities, worth }: CapacityGame): void {
  ensure(
    worth.length >= 1 && worth.length <= POINTS_MAX,
    'BAD_SPLIT',
    `A capacity's worth is given by 1 to ${POINTS_MAX} points.`
  )
  let [at, value] = [1n, 0n]
  for (const point of worth) {
    ensure(
      point.at >= at && point.value >= value && point.at <= SAFE && point.value <= SAFE,
      'BAD_SPLIT',
      'Points of worth start above 0, never fall, and stay below 2^53.'
    )
    ;[at, value] = [point.at, point.value]
  }
  ensure(
    capacities.every((capacity) => capacity >= 0n) &&
      capacities.reduce((sum, capacity) => sum + capacity, 0n) <= SAFE,
    'BAD_SPLIT',
    'Capacities are 0 or more, and their sum stays below 2^53: use a greater unit.'
  )
}

/** F as F(x) = Σ bend · max(0, x − at) + Σ jump · 1[x ≥ at], which is easy to integrate; and F itself. */
interface Worth {
  at(x: number): number
  readonly kinks: ReadonlyArray<{ at: number; bend: number; jump: number }>
}

function worthFunction(points: readonly WorthPoint[]): Worth {
  const corners = [
    { at: 0, value: 0 },
    ...points.map(({ at, value }) => ({ at: Number(at), value: Number(value) }))
  ]
  const kinks: Array<{ at: number; bend: number; jump: number }> = []
  let slope = 0
  for (const [i, { at, value }] of corners.entries()) {
    const next = corners[i + 1]
    const jump = next?.at === at ? next.value - value : 0
    const after = next === undefined ? 0 : next.at > at ? (next.value - value) / (next.at - at) : slope
    kinks.push({ at, bend: after - slope, jump })
    slope = after
  }
  return {
    at: (x) => interpolate(corners, x),
    kinks: kinks.filter(({ bend, jump }) => bend !== 0 || jump !== 0)
  }
}

function interpolate(corners: ReadonlyArray<{ at: number; value: number }>, x: number): number {
  let before = { at: 0, value: 0 }
  for (const corner of corners) {
    if (corner.at > x) {
      return before.value + ((corner.value - before.value) * (x - before.at)) / (corner.at - before.at)
    }
    before = corner
  }
  return before.value
}

function valuesOfAllCoalitions(amounts: readonly number[], worth: Worth): number[] {
  const players = amounts.length
  const worths = new Float64Array(2 ** players)
  const sums = new Float64Array(2 ** players)
  const sizes = new Uint8Array(2 ** players)
  for (let coalition = 1; coalition < worths.length; coalition++) {
    const last = 31 - Math.clz32(coalition)
    const rest = coalition - 2 ** last
    sums[coalition] = (sums[rest] ?? 0) + (amounts[last] ?? 0)
    sizes[coalition] = (sizes[rest] ?? 0) + 1
    worths[coalition] = worth.at(sums[coalition] ?? 0)
  }
  const chances = chancesBySize(players)
  return amounts.map((_, player) => {
    const own = 2 ** player
    const gains = new Float64Array(players)
    for (let coalition = 0; coalition < worths.length; coalition++) {
      if ((coalition & own) === 0) {
        const size = sizes[coalition] ?? 0
        gains[size] = (gains[size] ?? 0) + ((worths[coalition + own] ?? 0) - (worths[coalition] ?? 0))
      }
    }
    return gains.reduce((sum, gain, size) => sum + gain * (chances[size] ?? 0), 0)
  })
}

/** s! (n − s − 1)! / n! by s: how likely exactly a given coalition of s comes before a player. */
function chancesBySize(players: number): number[] {
  let chance = 1 / Math.max(1, players)
  return Array.from({ length: players }, (_, size) => {
    const own = chance
    chance = (chance * (size + 1)) / (players - size - 1)
    return own
  })
}

/** Half the width, in standard deviations, of where E[F] bends about a kink. */
const BEND_WIDTH = 6
const NODES_A_PANEL = 10

function valuesByNormal(amounts: readonly number[], worth: Worth): number[] {
  const all = amounts.reduce((sum, amount) => sum + amount, 0)
  const squares = amounts.reduce((sum, amount) => sum + amount * amount, 0)
  const values = amounts.map(() => 0)
  const lengths = amounts.map((amount) => squareRoot(squares - amount * amount))
  for (const { t, weight } of nodesFor(worth, all, squares)) {
    const spread = squareRoot(t * (1 - t))
    for (let player = 0; player < amounts.length; player++) {
      const amount = amounts[player] ?? 0
      const gain = expectedGain(worth, t * (all - amount), spread * (lengths[player] ?? 0), amount)
      values[player] = (values[player] ?? 0) + weight * gain
    }
  }
  const sum = values.reduce((total, value) => total + value, 0)
  return sum > 0 ? values.map((value) => (value * worth.at(all)) / sum) : values
}

/** Nodes for ∫₀¹ … dt: panels that end where X_t comes near a kink of F, passes it, and leaves it. */
function nodesFor({ kinks }: Worth, all: number, squares: number): Array<{ t: number; weight: number }> {
  const ends = new Set([0, 1])
  for (const { at } of kinks) {
    const middle = at / all
    const width = BEND_WIDTH * squareRoot((middle * (1 - middle) * squares) / (all * all))
    for (const end of [middle - width, middle, middle + width]) {
      if (end > 0 && end < 1) {
        ends.add(end)
      }
    }
  }
  const { nodes, weights } = gaussLegendre(NODES_A_PANEL)
  const sorted = [...ends].sort((a, b) => a - b)
  return sorted.slice(1).flatMap((end, panel) => {
    const start = sorted[panel] ?? 0
    return [...nodes].map((node, i) => ({
      t: start + node * (end - start),
      weight: (weights[i] ?? 0) * (end - start)
    }))
  })
}

/** E[F(X + amount) − F(X)] for X normal, which is never below 0. */
function expectedGain({ kinks }: Worth, mean: number, deviation: number, amount: number): number {
  let gain = 0
  for (const { at, bend, jump } of kinks) {
    if (at === 0) {
      gain += bend * amount // a sum of capacities is never below 0, whatever the normal curve says
      continue
    }
    const [low, high] = [mean - at, mean - at + amount]
    const before = normal(low / deviation)
    const after = normal(high / deviation)
    const ramp = high * after.integral - low * before.integral + deviation * (after.density - before.density)
    gain += bend * ramp + jump * (after.integral - before.integral)
  }
  return gain
}
