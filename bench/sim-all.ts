import type { Bench, BenchOptions, BenchResult } from './report.ts'
import * as churn from './sim-churn.ts'
import * as router from './sim-router.ts'
import * as scale from './sim-scale.ts'
import * as specialise from './sim-specialise.ts'
import * as supermarket from './sim-supermarket.ts'

export const title = 'All simulations; writes docs/SIMULATION.md and its pictures anew'

const SIMULATIONS: readonly Bench[] = [supermarket, router, churn, specialise, scale]

export async function run(options: BenchOptions): Promise<BenchResult> {
  const results: BenchResult[] = []
  for (const simulation of SIMULATIONS) {
    options.log(simulation.title)
    results.push(await simulation.run(options))
  }
  return {
    rows: results.flatMap(({ rows }) => rows),
    ratios: results.flatMap(({ ratios }) => ratios),
    failures: results.flatMap(({ failures }) => failures ?? [])
  }
}
