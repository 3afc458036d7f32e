import { type BenchOptions, type BenchResult, row } from './report.ts'
import { markdownTable, writeSection } from './sim/document.ts'
import { type Churn, Fleet, type FleetResult } from './sim/fleet.ts'
import { mixedSpeeds } from './sim/fleets.ts'
import { simOptions } from './sim/options.ts'
import { drawPlot } from './sim/plot.ts'
import { swarm } from './sim/policies.ts'
import { mean, percentile } from './sim/statistics.ts'

export const title = 'Nodes that come and go: no unit lost, and what it does to the slowest (simulation)'

const LOAD = 0.8
const ROUTERS = 20
/** Detection: four heartbeats of 500 ms missed. */
const TABS: Churn = { session: 300, silent: 0.5, detection: 2 }
/** Mean sessions in seconds that the plot shows. */
const SESSIONS = [30, 60, 120, 300, 1_000]
const P99_RATIO_MAX = 2

export async function run(options: BenchOptions): Promise<BenchResult> {
  const { seed, nodes, units, isStandard } = simOptions(options, 100, 200_000)
  const simulate = (churn?: Churn): FleetResult =>
    new Fleet({
      speeds: mixedSpeeds(nodes),
      routers: ROUTERS,
      load: LOAD,
      informationAge: 1,
      units,
      seed,
      policy: swarm(),
      ...(churn !== undefined && { churn })
    }).run()
  const calm = simulate()
  const runs = SESSIONS.map((session) => ({ session, result: simulate({ ...TABS, session }) }))
  const tabs = runs.find(({ session }) => session === TABS.session)?.result ?? calm
  const calmP99 = row('sim-churn.p99-without', 's', [percentile(calm.times, 0.99)])
  const churnP99 = row('sim-churn.p99', 's', [percentile(tabs.times, 0.99)])
  const lost = Math.max(...runs.map(({ result }) => Math.abs(result.lost)))
  const slowdown = churnP99.median / calmP99.median
  if (isStandard) {
    const line = (name: string, { times, resent, lost }: FleetResult) => [
      name,
      mean(times).toFixed(2),
      percentile(times, 0.99).toFixed(2),
      percentile(times, 0.999).toFixed(2),
      `${(resent * 100).toFixed(2)} %`,
      `${lost}`
    ]
    const table = markdownTable(
      ['mean session', 'mean (s)', 'p99 (s)', 'p99.9 (s)', 'sent again', 'lost'],
      [
        line('no churn', calm),
        ...runs.toReversed().map(({ session, result }) => line(`${session} s`, result))
      ]
    )
    const plot = drawPlot({
      title: 'Churn at load .8: time of a unit by length of session',
      x: { label: 'mean session (s)', log: true },
      y: { label: 'time (s)' },
      series: [0.5, 0.99, 0.999].map((share) => ({
        name: share === 0.5 ? 'median' : `p${share * 100}`,
        points: runs.map(({ session, result }) => [session, percentile(result.times, share)] as const)
      }))
    })
    writeSection('sim-churn', [table], plot)
  }
  return {
    rows: [calmP99, churnP99, row('sim-churn.lost', 'units', [lost])],
    ratios: [{ name: 'sim-churn.p99-ratio', value: slowdown, of: churnP99.name, to: calmP99.name }],
    failures: [
      ...(lost > 0 ? [`${lost} units were lost`] : []),
      ...(slowdown > P99_RATIO_MAX ? [`churn makes p99 ${slowdown.toFixed(2)} times as long; at most 2`] : [])
    ]
  }
}
