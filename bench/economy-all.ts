import * as attacks from './attacks.ts'
import type { BenchOptions, BenchResult } from './report.ts'
import { runAll } from './sim-all.ts'
import * as economy from './sim-economy.ts'
import * as priority from './sim-priority.ts'

export const title =
  'The economy: its simulations and the attacks; writes docs/ECONOMY.md and docs/THREAT_MODEL.md anew'

export const run = (options: BenchOptions): Promise<BenchResult> =>
  runAll([economy, priority, attacks], options)
