/** What one decision of the router costs, in this process: who gets the next unit, among so many candidates. */
import type { FoundProvider } from '../src/registry/index.ts'
import { SwarmRouter, type Task } from '../src/router/index.ts'
import type { PeerIdString } from '../src/wire/index.ts'
import { type BenchOptions, type BenchResult, interleave, row } from './report.ts'
import { randomOf } from './sim/random.ts'

export const title = 'One decision of the router among 10, 100 and 1,000 candidates (this process)'

const RUNS = 15
const DECISIONS = 200
const LIMIT_US = 100
const KERNEL = new Uint8Array(32).fill(7)
const SKILL = 'x'

export async function run({ runs = RUNS, log }: BenchOptions): Promise<BenchResult> {
  const figures = await interleave(runs, {
    swarm10: timer('swarm', 10),
    swarm100: timer('swarm', 100),
    swarm1000: timer('swarm', 1_000),
    paper1000: timer('paper', 1_000)
  })
  const decision = row('route.decision@1000', 'µs', figures.swarm1000)
  log(`among 1,000: ${decision.median.toFixed(1)} µs`)
  return {
    rows: [
      row('route.decision@10', 'µs', figures.swarm10),
      row('route.decision@100', 'µs', figures.swarm100),
      decision,
      row('route.decision-paper@1000', 'µs', figures.paper1000)
    ],
    ratios: [],
    failures:
      decision.median > LIMIT_US
        ? [`a decision among 1,000 takes ${decision.median.toFixed(0)} µs; at most ${LIMIT_US}`]
        : []
  }
}

/** Microseconds of one decision, the mean of many; the router has met half of the candidates. */
function timer(strategy: 'paper' | 'swarm', count: number): () => Promise<number> {
  const random = randomOf(1, `route ${strategy} ${count}`)
  const found = Array.from({ length: count }, (_, i) => provider(i, random))
  const router = new SwarmRouter({ strategy, random })
  for (const { advert } of found.filter((_, i) => i % 2 === 0)) {
    router.learn(advert.peer, SKILL, 'verified', { operations: 1e9, tookMs: 50 + 100 * random(), pending: 0 })
  }
  const task: Task = { skill: SKILL, version: '1', kernel: KERNEL, rate: 1_000, excluded: new Set() }
  return async () => {
    const begun = performance.now()
    for (let i = 0; i < DECISIONS; i++) {
      const [chosen] = router.choose(found, task, 1)
      if (chosen === undefined) {
        throw new Error('Nobody was chosen.')
      }
      router.dispatched(chosen.advert.peer)
      router.returned(chosen.advert.peer)
    }
    return ((performance.now() - begun) * 1_000) / DECISIONS
  }
}

function provider(i: number, random: () => number): FoundProvider {
  const now = Date.now()
  return {
    advert: {
      v: 1,
      net: KERNEL,
      peer: `peer ${i}` as PeerIdString, // the router never reads into it
      seq: 1,
      ts: now,
      expires: now + 3_600_000,
      skills: [{ name: SKILL, version: '1', kernel: KERNEL, rate: 1_000 }],
      device: { backend: 'cpu', class: 'cpu-2', memory: 0 },
      load: Math.floor(100 * random()),
      uptime: 60
    },
    latencyMs: 100 * random(),
    loadAt: now
  }
}
