import { type BenchOptions, type BenchResult, type BenchRow, row } from './report.ts'
import { markdownTable, writeSection } from './sim/document.ts'
import { Fleet, type FleetResult, type Policy } from './sim/fleet.ts'
import { mixedSpeeds } from './sim/fleets.ts'
import { simOptions } from './sim/options.ts'
import { drawPlot } from './sim/plot.ts'
import * as policies from './sim/policies.ts'
import { mean, percentile } from './sim/statistics.ts'

export const title = 'Time of a unit by routing strategy, load, and age of what is known (simulation)'

const ROUTERS = 20
/** Nodes of another skill, as a share of those that can do the work. */
const INCAPABLE_SHARE = 0.2
const LOADS = [0.8, 0.9]
/** Seconds; a unit takes 1/speed s. */
const AGES = [0, 1, 5]

interface Rival {
  readonly make: () => Policy
  /** Looks at no load, or at the true one: age makes no difference. */
  readonly isAgeless?: boolean
}

const RIVALS: readonly Rival[] = [
  { make: () => policies.random, isAgeless: true },
  { make: policies.roundRobin, isAgeless: true },
  { make: () => policies.speedWeighted, isAgeless: true },
  { make: () => policies.leastLoaded },
  { make: () => policies.twoChoices },
  { make: () => policies.paper },
  { make: () => policies.paperUnfiltered },
  { make: () => policies.swarm() },
  { make: () => policies.omniscient, isAgeless: true }
]

/** What credit.md section 6 wants of `swarm` at load .8, mean and p99 in seconds. */
const LIMITS: Readonly<Record<number, readonly [number, number]>> = {
  0: [1.12, 4.2],
  1: [1.31, 5.2],
  5: [1.91, 7.9]
}

interface Cell {
  readonly policy: string
  readonly load: number
  readonly age: number
  readonly means: readonly number[]
  readonly p99s: readonly number[]
  readonly unstable: boolean
  readonly misrouted: number
}

export async function run(options: BenchOptions): Promise<BenchResult> {
  const { seed, nodes, units, isStandard } = simOptions(options, 100, 300_000)
  const seeds = Array.from({ length: options.runs ?? 3 }, (_, i) => seed + i)
  const cells: Cell[] = []
  for (const rival of RIVALS) {
    for (const load of LOADS) {
      let known: Cell | undefined
      for (const age of AGES) {
        known =
          known !== undefined && rival.isAgeless
            ? { ...known, age }
            : measure(rival, load, age, seeds, nodes, units)
        cells.push(known)
      }
    }
    options.log(`${rival.make().name} done`)
  }
  if (isStandard) {
    document(cells)
  }
  return { rows: cells.flatMap(rowsOf), ratios: [], failures: nodes === 100 ? missed(cells) : [] }
}

function measure(
  { make }: Rival,
  load: number,
  age: number,
  seeds: readonly number[],
  nodes: number,
  units: number
): Cell {
  const results: FleetResult[] = seeds.map((seed) => {
    const policy = make()
    const fleet = new Fleet({
      speeds: mixedSpeeds(nodes),
      // Whoever filters never sees them, and runs faster without.
      incapable: policy.name === 'paper-unfiltered' ? Math.round(nodes * INCAPABLE_SHARE) : 0,
      routers: ROUTERS,
      load,
      informationAge: age,
      units,
      seed,
      policy
    })
    return fleet.run()
  })
  return {
    policy: make().name,
    load,
    age,
    means: results.map(({ times }) => mean(times)),
    p99s: results.map(({ times }) => percentile(times, 0.99)),
    unstable: results.some(({ unstable }) => unstable),
    misrouted: mean(results.map(({ misrouted }) => misrouted))
  }
}

function rowsOf({ policy, load, age, means, p99s }: Cell): BenchRow[] {
  const place = `@L${load}T${age}`
  return [
    row(`sim-router.${policy}.mean${place}`, 's', means),
    row(`sim-router.${policy}.p99${place}`, 's', p99s)
  ]
}

function missed(cells: readonly Cell[]): string[] {
  return cells
    .filter(({ policy }) => policy === 'swarm')
    .flatMap((cell) => {
      const [meanRow, p99Row] = rowsOf(cell)
      const [meanLimit, p99Limit] = cell.load === 0.8 ? (LIMITS[cell.age] ?? []) : []
      return [
        ...(cell.unstable ? [`swarm is not stable at load ${cell.load}`] : []),
        ...over(meanRow, meanLimit),
        ...over(p99Row, p99Limit)
      ]
    })
}

function over(figure: BenchRow | undefined, limit: number | undefined): string[] {
  return figure !== undefined && limit !== undefined && figure.median > limit
    ? [`${figure.name} is ${figure.median.toFixed(2)} s; at most ${limit}`]
    : []
}

function document(cells: readonly Cell[]): void {
  const names = [...new Set(cells.map(({ policy }) => policy))]
  const table = markdownTable(
    ['mean / p99 (s)', ...LOADS.flatMap((load) => AGES.map((age) => `load ${load}, ${age} s old`))],
    names.map((name) => [name, ...cells.filter(({ policy }) => policy === name).map(textOf)])
  )
  const plot = drawPlot({
    title: 'Mean time of a unit at load .8, 100 nodes, 20 routers',
    x: { label: 'what is known is … seconds old' },
    y: { label: 'mean time (s)', log: true },
    series: names
      .filter((name) => cells.every(({ policy, unstable }) => policy !== name || !unstable))
      .map((name) => ({
        name,
        points: cells
          .filter(({ policy, load }) => policy === name && load === 0.8)
          .map(({ age, means }) => [age, mean(means)] as const)
      }))
  })
  writeSection('sim-router', [table], plot)
}

function textOf(cell: Cell): string {
  if (cell.unstable) {
    return 'grows'
  }
  const [meanRow, p99Row] = rowsOf(cell)
  const misrouted = cell.misrouted > 0 ? ` (${(cell.misrouted * 100).toFixed(1)} % refused)` : ''
  return `${meanRow?.median.toFixed(2)} / ${p99Row?.median.toFixed(1)}${misrouted}`
}
