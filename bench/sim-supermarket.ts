import { type BenchOptions, type BenchResult, row } from './report.ts'
import { markdownTable, writeSection } from './sim/document.ts'
import { Fleet } from './sim/fleet.ts'
import { simOptions } from './sim/options.ts'
import { drawPlot } from './sim/plot.ts'
import { swarm } from './sim/policies.ts'
import { mean } from './sim/statistics.ts'

export const title = 'The supermarket model: the simulation against the known fixed points'

/** Many, so that none of them finds what is pending mostly its own. */
const ROUTERS = 20
/** Share that a figure may be off. */
const ERROR_MAX = 0.03

interface Case {
  readonly load: number
  readonly draws: number
  /** Units a node: the nearer to capacity, the slower queues forget how they began. */
  readonly unitsPerNode: number
}

const CASES: readonly Case[] = [
  { load: 0.9, draws: 1, unitsPerNode: 4_000 },
  { load: 0.9, draws: 2, unitsPerNode: 1_000 },
  { load: 0.95, draws: 2, unitsPerNode: 1_500 },
  { load: 0.99, draws: 2, unitsPerNode: 6_000 }
]

/**
 * Mean time in units of the mean service time, as the number of nodes grows: Σ_{i≥1} λ^((d^i − d)/(d − 1)) for d ≥ 2
 * choices (Vvedenskaya et al. 1996, Mitzenmacher 2001), 1/(1 − λ) for one.
 */
export function supermarketTime(load: number, draws: number): number {
  if (draws === 1) {
    return 1 / (1 - load)
  }
  let sum = 0
  for (let i = 1, term = 1; term > 1e-12; i++) {
    term = load ** ((draws ** i - draws) / (draws - 1))
    sum += term
  }
  return sum
}

export async function run(options: BenchOptions): Promise<BenchResult> {
  const { seed, nodes, isStandard } = simOptions(options, 500, 0)
  const measured = CASES.map(({ load, draws, unitsPerNode }) => {
    const { times } = new Fleet({
      speeds: Array.from({ length: nodes }, () => 1),
      routers: ROUTERS,
      load,
      informationAge: 0,
      units: unitsPerNode * nodes,
      seed,
      learns: false,
      policy: swarm({ draws, drawsFresh: draws, exploration: 0 })
    }).run()
    const time = mean(times)
    const expected = supermarketTime(load, draws)
    options.log(`load ${load}, ${draws} drawn: ${time.toFixed(3)}, expected ${expected.toFixed(3)}`)
    return { load, draws, time, expected, error: Math.abs(time / expected - 1) }
  })
  const worst = Math.max(...measured.map(({ error }) => error))
  if (isStandard) {
    const table = markdownTable(
      ['load', 'drawn', 'simulated', 'fixed point', 'off by'],
      measured.map(({ load, draws, time, expected, error }) => [
        `${load}`,
        `${draws}`,
        time.toFixed(3),
        expected.toFixed(3),
        `${(error * 100).toFixed(1)} %`
      ])
    )
    const two = measured.filter(({ draws }) => draws === 2)
    const plot = drawPlot({
      title: 'Two choices: mean time in service times',
      x: { label: 'load' },
      y: { label: 'mean time' },
      series: [
        { name: 'simulated', points: two.map(({ load, time }) => [load, time]) },
        {
          name: 'fixed point',
          points: [0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97, 0.99].map((load) => [
            load,
            supermarketTime(load, 2)
          ])
        }
      ]
    })
    writeSection('sim-supermarket', [table], plot)
  }
  return {
    rows: [
      row('sim-supermarket.error', 'share', [worst]),
      ...measured.map(({ load, draws, time }) => row(`sim-supermarket.d${draws}@L${load}`, 's', [time]))
    ],
    ratios: [],
    failures: worst > ERROR_MAX ? [`a figure is ${(worst * 100).toFixed(1)} % off; at most 3 %`] : []
  }
}
