import type { MicroCredits } from '../wire/index.ts'
import { ensure } from './errors.ts'
import { squareRoot } from './shapley-arithmetic.ts'
import { sharesOf } from './shapley-rounding.ts'
import { seededIntegers } from './shapley-seed.ts'

/** Any game with v(∅) = 0. To replay in every engine, its worth may use + − × ÷ only. */
export interface CoalitionGame {
  readonly players: number
  /**
   * Starts from the empty coalition. Each call of what it returns adds a player that is not yet in, and returns
   * v of the coalition then.
   */
  walk(): (player: number) => number
}

/**
 * How orders are drawn. `plain`: each by itself. `antithetic`: each with its reverse. `rotations`: each with
 * rotations of itself at even distances, so that a player comes early as often as late.
 */
export const SAMPLINGS = ['plain', 'antithetic', 'rotations'] as const
export type Sampling = (typeof SAMPLINGS)[number]

export interface PermutationOptions {
  /** Orders at least, those of the pilot not counted; the last block is drawn to its end. @default 2000 */
  readonly orders?: number
  /** @default the one with the least sample variance in a pilot of an eighth of `orders` each */
  readonly sampling?: Sampling
}

export interface PermutationEstimate {
  /** By player; they sum to v(all) but for rounding. */
  readonly values: number[]
  /** The standard error of each value. */
  readonly errors: number[]
  readonly sampling: Sampling
  readonly orders: number
}

const DEFAULT_ORDERS = 2_000
/** Rotations of one order, at most: up to so many players, each then has every place once. */
const ROTATIONS_MAX = 16
/** Orders that tell one way from another: below, none is tried. */
const PILOT_MIN = 4 * ROTATIONS_MAX

/**
 * Shapley values by random orders of the players (credit.md section 4, form 4; J. Castro et al., Polynomial
 * calculation of the Shapley value based on sampling, 2009). What all players add along an order telescopes, so
 * every order shares v(all) exactly and gives a dummy nothing. The same seed gives the same values.
 *
 * @param seed 32 bytes
 * @throws CreditError `BAD_SPLIT` for no orders
 */
export function permutationValues(
  game: CoalitionGame,
  seed: Uint8Array,
  options: PermutationOptions = {}
): PermutationEstimate {
  const orders = options.orders ?? DEFAULT_ORDERS
  ensure(Number.isInteger(orders) && orders >= 1, 'BAD_SPLIT', 'Permutations need one order or more.')
  const sampling = options.sampling ?? pickSampling(game, seed, Math.floor(orders / 8))
  return sample(game, sampling, orders, seededIntegers(seed, SAMPLINGS.length))
}

/**
 * `permutationValues` in whole µcr that sum to `total` exactly; values below 0 get nothing.
 *
 * @param total v(all) in µcr
 * @throws CreditError `BAD_SPLIT`
 */
export function splitByPermutations(
  game: CoalitionGame,
  total: MicroCredits,
  seed: Uint8Array,
  options: PermutationOptions = {}
): MicroCredits[] {
  return sharesOf(permutationValues(game, seed, options).values, total, seed)
}

/** Each way tries as many orders, on a stream of random numbers of its own. */
function pickSampling(game: CoalitionGame, seed: Uint8Array, orders: number): Sampling {
  let best: Sampling = 'plain'
  if (orders < PILOT_MIN) {
    return best // too few to tell
  }
  let least = Number.POSITIVE_INFINITY
  for (const [stream, sampling] of SAMPLINGS.entries()) {
    const { errors } = sample(game, sampling, orders, seededIntegers(seed, stream))
    const variance = errors.reduce((sum, error) => sum + error * error, 0)
    if (variance < least) {
      ;[best, least] = [sampling, variance]
    }
  }
  return best
}

function sample(
  game: CoalitionGame,
  sampling: Sampling,
  wanted: number,
  below: (bound: number) => number
): PermutationEstimate {
  const { players } = game
  const size = blockSize(sampling, players)
  const blocks = Math.ceil(wanted / size)
  const order = Array.from({ length: players }, (_, player) => player)
  const means = new Float64Array(players)
  const squares = new Float64Array(players)
  const block = new Float64Array(players)
  for (let done = 1; done <= blocks; done++) {
    shuffle(order, below)
    block.fill(0)
    for (let part = 0; part < size; part++) {
      addGains(game, order, sampling, Math.floor((part * players) / size), part, block)
    }
    // Welford's update of mean and squared deviations
    for (let player = 0; player < players; player++) {
      const value = (block[player] ?? 0) / size
      const mean = means[player] ?? 0
      const next = mean + (value - mean) / done
      means[player] = next
      squares[player] = (squares[player] ?? 0) + (value - mean) * (value - next)
    }
  }
  const errors = [...squares].map((square) => squareRoot(square / Math.max(1, blocks - 1) / blocks))
  return { values: [...means], errors, sampling, orders: blocks * size }
}

function blockSize(sampling: Sampling, players: number): number {
  return { plain: 1, antithetic: 2, rotations: Math.max(1, Math.min(players, ROTATIONS_MAX)) }[sampling]
}

/** Adds what each player gains along one order of a block. */
function addGains(
  game: CoalitionGame,
  order: readonly number[],
  sampling: Sampling,
  shift: number,
  part: number,
  gains: Float64Array
): void {
  const last = order.length - 1
  const isReversed = sampling === 'antithetic' && part === 1
  const start = sampling === 'rotations' ? shift : 0
  const add = game.walk()
  let worth = 0
  for (let place = 0; place <= last; place++) {
    const at = isReversed ? last - place : place + start
    const player = order[at > last ? at - last - 1 : at] ?? 0
    const next = add(player)
    gains[player] = (gains[player] ?? 0) + next - worth
    worth = next
  }
}

/** Fisher–Yates. */
function shuffle(order: number[], below: (bound: number) => number): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = below(i + 1)
    const moved = order[i] ?? 0
    order[i] = order[j] ?? 0
    order[j] = moved
  }
}
