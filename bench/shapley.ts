import {
  type CapacityGame,
  type CoalitionGame,
  type PermutationOptions,
  type PipelineStage,
  permutationValues,
  splitCapacity,
  splitPipeline,
  splitUnits
} from '../src/credit/index.ts'
import type { UnitGroup } from '../src/wire/index.ts'
import {
  additive,
  airport,
  errorOf,
  integrateCapacity,
  integratePipeline,
  type KnownGame,
  unanimity,
  voting,
  walkCapacity,
  walkPipeline
} from '../test/fixtures/shapley-games.ts'
import { type BenchOptions, type BenchResult, type BenchRow, interleave, ratio, row } from './report.ts'

export const title =
  'Shapley splits: error against an oracle (share, relative L2) and time, beside plain permutations'

const PLAYERS = [10, 30, 100, 1_000]
const RUNS = 5
/** What a job is worth here (µcr): whole µcr are then fine enough not to count. */
const WORTH = 10n ** 9n
/** Games that a settle of the product states, with their limits at a thousand players. */
const PRODUCT = ['units', 'pipeline', 'capacity']
const ERROR_MAX = 0.02
const MS_MAX = 10

/** One game with n players: how the product splits it, and how permutations would. */
interface Contest {
  readonly name: string
  readonly truth: readonly number[]
  readonly game: CoalitionGame
  /** The first form that fits. In µcr, or at the scale of `truth`. */
  split(seed: Uint8Array): readonly (number | bigint)[]
}

type Solve = (seed: Uint8Array) => readonly (number | bigint)[]

export async function run({ runs = RUNS, log }: BenchOptions): Promise<BenchResult> {
  const rows: BenchRow[] = []
  const failures: string[] = []
  for (const players of PLAYERS) {
    for (const contest of contestsOf(players)) {
      log(`${contest.name}@${players}`)
      const measured = await measure(contest, players, runs)
      rows.push(...measured)
      failures.push(...(players === 1_000 ? failuresOf(contest.name, measured) : []))
    }
  }
  const of = (name: string) => rows.filter((each) => each.name === name)
  const ratios = ['units', 'pipeline', 'capacity'].flatMap((name) =>
    of(`shapley.${name}.error@1000`).flatMap((ours) =>
      of(`shapley.${name}.plain.error@1000`).map((plain) =>
        ratio(`shapley.${name}.error-of-plain`, ours, plain)
      )
    )
  )
  return { rows, ratios, failures }
}

async function measure(
  { name, truth, game, split }: Contest,
  players: number,
  runs: number
): Promise<BenchRow[]> {
  const orders = ordersFor(players)
  const sample =
    (options: PermutationOptions): Solve =>
    (bytes) =>
      permutationValues(game, bytes, { orders, ...options }).values
  const rivals: Record<string, Solve> = {
    '': split,
    '.permutations': sample({}),
    '.plain': sample({ sampling: 'plain' })
  }
  const errors = Object.fromEntries(Object.keys(rivals).map((rival) => [rival, [] as number[]]))
  let seed = 0
  const ms = await interleave(
    runs,
    Object.fromEntries(
      Object.entries(rivals).map(([rival, solve]) => [
        rival,
        () => {
          const bytes = new Uint8Array(32).fill(++seed % 256)
          const start = performance.now()
          const values = solve(bytes)
          const spent = performance.now() - start
          errors[rival]?.push(errorOf(values.map(Number), truth))
          return spent
        }
      ])
    )
  )
  return Object.keys(rivals).flatMap((rival) => [
    row(`shapley.${name}${rival}.error@${players}`, 'share', (errors[rival] ?? []).slice(-runs)),
    row(`shapley.${name}${rival}.ms@${players}`, 'ms', ms[rival] ?? [])
  ])
}

function failuresOf(name: string, [error, ms]: readonly BenchRow[]): string[] {
  if (!PRODUCT.includes(name) || error === undefined || ms === undefined) {
    return []
  }
  return [
    ...(error.median > ERROR_MAX ? [`${error.name} is ${error.median}; at most ${ERROR_MAX}`] : []),
    ...(ms.median > MS_MAX ? [`${ms.name} is ${ms.median} ms; at most ${MS_MAX} ms`] : [])
  ]
}

const ordersFor = (players: number) => (players >= 1_000 ? 200 : 1_000)

/** Small whole numbers that repeat late. */
const spread = (players: number, least: number, most: number) =>
  Array.from({ length: players }, (_, i) => least + ((i * 7 + Math.floor(i / 9)) % (most - least + 1)))

function contestsOf(players: number): Contest[] {
  const costs = spread(players, 1, 10)
  const everybody = Array.from({ length: players }, (_, player) => player)
  const needed = everybody.filter((player) => player % 5 === 1)
  const quota = Math.floor(players / 2) + 1
  return [
    units(players),
    pipeline(players),
    capacity('capacity', players, (sum) => [{ at: (sum * 2n) / 3n, value: WORTH }]),
    capacity('majority', players, (sum) => [
      { at: sum / 2n + 1n, value: 0n },
      { at: sum / 2n + 1n, value: WORTH }
    ]),
    // each of these is a game of units, too: the product would split it so
    ofUnits('airport', airport(costs), stepsOf(costs)),
    ofUnits('voting', voting(players, quota), [groupOf(everybody, quota)]),
    ofUnits('unanimity', unanimity(players, new Set(needed)), [groupOf(needed, needed.length)]),
    ofUnits(
      'additive',
      additive(costs),
      costs.map((cost, player) => groupOf([player], 1, cost))
    )
  ]
}

/** µcr for one unit of an oracle's worth, so that rounding to whole µcr does not count. */
const SCALE = 10 ** 9

const groupOf = (payees: number[], quorum: number, weight = 1): UnitGroup => ({
  weight: BigInt(weight * SCALE),
  payees,
  quorum
})

/** Each step from one cost to the next is a unit of those who go as far. */
function stepsOf(costs: readonly number[]): UnitGroup[] {
  const heights = [...new Set(costs)].sort((a, b) => a - b)
  return heights.map((height, i) => {
    const payees = costs.flatMap((cost, player) => (cost >= height ? [player] : []))
    return groupOf(payees, 1, height - (heights[i - 1] ?? 0))
  })
}

function ofUnits(name: string, { game, values }: KnownGame, groups: readonly UnitGroup[]): Contest {
  const { players } = game
  const split = (seed: Uint8Array) => splitUnits(groups, players, seed).map((share) => Number(share) / SCALE)
  return { name, truth: values, game, split }
}

/** Four units a player, of one to three replicas each, of which a majority must agree. */
function units(players: number): Contest {
  const groups = Array.from({ length: players * 4 }, (_, unit): UnitGroup => {
    const replicas = 1 + (unit % 3)
    const payees = Array.from({ length: replicas }, (_, i) => (unit + i * 3) % players)
    return { weight: BigInt(1_000_000 + unit * 37), payees, quorum: Math.floor(replicas / 2) + 1 }
  })
  const truth = new Array<number>(players).fill(0)
  for (const { weight, payees } of groups) {
    for (const payee of payees) {
      truth[payee] = (truth[payee] ?? 0) + Number(weight) / payees.length
    }
  }
  return {
    name: 'units',
    truth,
    game: walkUnits(groups, players),
    split: (seed) => splitUnits(groups, players, seed)
  }
}

function walkUnits(groups: readonly UnitGroup[], players: number): CoalitionGame {
  const unitsOf: number[][] = Array.from({ length: players }, () => [])
  for (const [unit, { payees }] of groups.entries()) {
    for (const payee of payees) {
      unitsOf[payee]?.push(unit)
    }
  }
  return {
    players,
    walk() {
      const agreeing = new Uint8Array(groups.length)
      let worth = 0
      return (player) => {
        for (const unit of unitsOf[player] ?? []) {
          const count = (agreeing[unit] ?? 0) + 1
          agreeing[unit] = count
          worth += groups[unit]?.quorum === count ? Number(groups[unit]?.weight) : 0
        }
        return worth
      }
    }
  }
}

/** Stages of two to four alternates. */
function pipeline(players: number): Contest {
  const stages: PipelineStage[] = []
  for (let next = 0; next < players; ) {
    const size = Math.min(2 + (stages.length % 3), players - next)
    const first = next
    stages.push({
      weight: BigInt(1_000_000 + next * 1_009),
      payees: Array.from({ length: size }, (_, i) => first + i)
    })
    next += size
  }
  return {
    name: 'pipeline',
    truth: integratePipeline(stages, players),
    game: walkPipeline(stages, players),
    split: (seed) => splitPipeline(stages, players, seed)
  }
}

function capacity(name: string, players: number, worth: (sum: bigint) => CapacityGame['worth']): Contest {
  const capacities = spread(players, 1, 9).map(BigInt)
  const game = { capacities, worth: worth(capacities.reduce((sum, each) => sum + each, 0n)) }
  return {
    name,
    truth: integrateCapacity(game),
    game: walkCapacity(game),
    split: (seed) => splitCapacity(game, seed)
  }
}
