import { gaussLegendre, normal, power, squareRoot } from './shapley-arithmetic.ts'
import type { CapacityWorth } from './shapley-capacity-worth.ts'

/** Players whose square is above this share of all that remain are no part of the normal sum. */
const HEAVY_SHARE = 0.1
const HEAVY_MAX = 6
/** Half the width, in standard deviations, of where E[F] bends about a kink. */
const BEND_WIDTH = 6
const NODES_A_PANEL = 10
/** Capacities at which the value is reckoned; between them it is interpolated. */
const PROFILE_NODES = 12

/** Players whose sum is taken as normal: their capacities' sum, and the sum of the squares. */
interface Crowd {
  readonly sum: number
  readonly squares: number
}

/**
 * Owen's integral for many players. The sum of the others is normal, but for the few greatest of them, over
 * whose coalitions it adds up: a sum in which one part outweighs the rest is not normal.
 */
export function valuesByNormal(amounts: readonly number[], worth: CapacityWorth): number[] {
  const heavy = pickHeavy(amounts)
  const heavyAmounts = heavy.map((player) => amounts[player] ?? 0)
  const light = amounts.filter((_, player) => !heavy.includes(player))
  const crowd = {
    sum: light.reduce((sum, amount) => sum + amount, 0),
    squares: light.reduce((sum, amount) => sum + amount * amount, 0)
  }
  const rateOf = interpolate(light, (amount) => {
    const others = { sum: crowd.sum - amount, squares: crowd.squares - amount * amount }
    return integrateGains(amount, heavyAmounts, others, worth) / amount
  })
  const values = amounts.map((amount, player) => {
    const place = heavy.indexOf(player)
    return place < 0
      ? amount * rateOf(amount)
      : integrateGains(amount, heavyAmounts.toSpliced(place, 1), crowd, worth)
  })
  const sum = values.reduce((total, value) => total + value, 0)
  const all = amounts.reduce((total, amount) => total + amount, 0)
  return sum > 0 ? values.map((value) => (value * worth.at(all)) / sum) : values
}

/** The players, greatest first, that outweigh what remains after them. */
function pickHeavy(amounts: readonly number[]): number[] {
  const order = amounts
    .map((_, player) => player)
    .sort((a, b) => (amounts[b] ?? 0) - (amounts[a] ?? 0) || a - b)
  let squares = amounts.reduce((sum, amount) => sum + amount * amount, 0)
  const heavy: number[] = []
  for (const player of order.slice(0, HEAVY_MAX)) {
    const square = (amounts[player] ?? 0) ** 2
    if (square <= HEAVY_SHARE * squares) {
      break
    }
    heavy.push(player)
    squares -= square
  }
  // equal players are treated alike: all of them, or none
  const next = amounts[order[heavy.length] ?? -1]
  return heavy.filter((player) => amounts[player] !== next)
}

/** ∫₀¹ E[F(X_t + amount) − F(X_t)] dt over every coalition of the heavy others. */
function integrateGains(
  amount: number,
  heavy: readonly number[],
  crowd: Crowd,
  worth: CapacityWorth
): number {
  let value = 0
  for (let coalition = 0; coalition < 2 ** heavy.length; coalition++) {
    const inside = heavy.filter((_, i) => (coalition & (1 << i)) !== 0)
    const base = inside.reduce((sum, each) => sum + each, 0)
    for (const { t, weight } of nodesFor(worth, base, amount, crowd)) {
      const chance = power(t, inside.length) * power(1 - t, heavy.length - inside.length)
      const deviation = squareRoot(t * (1 - t) * crowd.squares)
      value += weight * chance * expectedGain(worth, base + t * crowd.sum, deviation, amount)
    }
  }
  return value
}

/** Nodes for ∫₀¹ … dt: panels that end where the sum comes near a kink of F, passes it, and leaves it. */
function nodesFor(
  { kinks }: CapacityWorth,
  base: number,
  amount: number,
  { sum, squares }: Crowd
): Array<{ t: number; weight: number }> {
  const ends = new Set([0, 1])
  for (const kink of kinks) {
    for (const middle of [(kink.at - base) / sum, (kink.at - base - amount) / sum]) {
      const width = (BEND_WIDTH * squareRoot(middle * (1 - middle) * squares)) / sum
      for (const end of [middle - width, middle, middle + width]) {
        if (end > 0 && end < 1) {
          ends.add(end)
        }
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
function expectedGain({ kinks }: CapacityWorth, mean: number, deviation: number, amount: number): number {
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

/** A smooth function, reckoned at a few places between the least and the greatest of `places` at most. */
function interpolate(places: readonly number[], f: (place: number) => number): (place: number) => number {
  const different = [...new Set(places)].sort((a, b) => a - b)
  const [least = 0, greatest = 0] = [different[0], different.at(-1)]
  if (different.length <= PROFILE_NODES) {
    const known = new Map(different.map((place) => [place, f(place)]))
    return (place) => known.get(place) ?? f(place)
  }
  const nodes = [...gaussLegendre(PROFILE_NODES).nodes].map((node) => least + node * (greatest - least))
  const values = nodes.map(f)
  // barycentric weights, of distances in units of the range so that their product stays in range
  const weights = nodes.map((node) =>
    nodes.reduce(
      (product, other) => (other === node ? product : product / ((node - other) / (greatest - least))),
      1
    )
  )
  return (place) => {
    const exact = nodes.indexOf(place)
    if (exact >= 0) {
      return values[exact] ?? 0
    }
    const parts = nodes.map((node, i) => (weights[i] ?? 0) / (place - node))
    const above = parts.reduce((sum, part, i) => sum + part * (values[i] ?? 0), 0)
    return above / parts.reduce((sum, part) => sum + part, 0)
  }
}
