import type { Bench, BenchOptions, BenchResult } from './report.ts'
import * as churn from './sim-churn.ts'
import * as router from './sim-router.ts'
import * as scale from './sim-scale.ts'
import * as specialise from './sim-specialise.ts'
import * as supermarket from './sim-supermarket.ts'

export const title = 'All simulations; writes docs/SIMULATION.md and its pictures anew'

const SIMULATIONS: readonly Bench[] = [supermarket, router, churn, specialise, scale]

export const run = (options: BenchOptions): Promise<BenchResult> => runAll(SIMULATIONS, options)

/** One after the other, as one bench. */
export async function runAll(benches: readonly Bench[], options: BenchOptions): Promise<BenchResult> {
  const results: BenchResult[] = []
  for (const simulation of benches) {
    options.log(simulation.title)
    results.push(await simulation.run(options))
  }
  return {
    rows: results.flatMap(({ rows }) => rows),
    ratios: results.flatMap(({ ratios }) => ratios),
    failures: results.flatMap(({ failures }) => failures ?? [])
  }
}
