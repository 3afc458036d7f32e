/**
 * Whether the protocol keeps its providers busy: one job on 1, 2 and 4 tabs whose units take a set time instead of
 * computing, and on three of unequal speed.
 */
import type { Page } from 'playwright-core'
import { withTabs } from './pages/tabs.ts'
import { type BenchOptions, type BenchResult, interleave, ratio, row } from './report.ts'

export const title = 'One job of 64 units on 1, 2 and 4 providers, and on three of speeds 1:2:4'

const RUNS = 3
const UNITS = 64
/** Of a unit at each of several equal providers (ms). */
const UNIT_MS = 500
/** Of a unit at three of speeds 1:2:4 (ms). */
const MIXED_MS = [800, 400, 200]
const EFFICIENCY = 0.9
const MIXED = 0.85

export async function run({ runs = RUNS, log }: BenchOptions): Promise<BenchResult> {
  return withTabs({ count: 5, log }, async ([requester, ...providers], relays) => {
    if (requester === undefined) {
      throw new Error('There is no tab.')
    }
    const peers: string[] = []
    for (const page of [requester, ...providers]) {
      peers.push((await page.evaluate((list) => window.peer?.start(list, 'waiting'), relays)) ?? '')
    }
    const [, ...hired] = peers
    const rate = async (unitMs: readonly number[]) => {
      const some = hired.slice(0, unitMs.length)
      await serve(providers, unitMs)
      const took = await requester.evaluate(([them, units]) => self.peer?.hire(them, units) ?? Number.NaN, [
        some,
        UNITS
      ] as const)
      log(`${some.length} providers: ${Math.round(took)} ms`)
      return UNITS / (took / 1_000)
    }
    const equal = (count: number) => new Array<number>(count).fill(UNIT_MS)
    await rate(equal(4)) // connects
    const figures = await interleave(runs, {
      one: () => rate(equal(1)),
      two: () => rate(equal(2)),
      four: () => rate(equal(4)),
      mixed: () => rate(MIXED_MS)
    })
    const one = row('swarm.rate@1', '1/s', figures.one)
    const two = row('swarm.rate@2', '1/s', figures.two)
    const four = row('swarm.rate@4', '1/s', figures.four)
    const mixed = row('swarm.rate@mixed', '1/s', figures.mixed)
    const fourfold = row(
      'swarm.rate@1 x 4',
      '1/s',
      figures.one.map((each) => 4 * each)
    )
    const ideal = row('swarm.ideal@mixed', '1/s', [MIXED_MS.reduce((sum, ms) => sum + 1_000 / ms, 0)])
    const efficiency = ratio('swarm.efficiency@4', four, fourfold)
    const share = ratio('swarm.mixed', mixed, ideal)
    return {
      rows: [one, two, four, fourfold, mixed, ideal],
      ratios: [efficiency, share],
      failures: [
        ...(efficiency.value < EFFICIENCY
          ? [`four providers do ${efficiency.value.toFixed(2)} of four times one; at least .9`]
          : []),
        ...(share.value < MIXED
          ? [`the mixed fleet does ${share.value.toFixed(2)} of the ideal; at least .85`]
          : [])
      ]
    }
  })
}

/** The first providers serve with these unit times; the others rest. */
async function serve(providers: readonly Page[], unitMs: readonly number[]): Promise<void> {
  await Promise.all(
    providers.map((page, i) =>
      page.evaluate((ms) => (ms === undefined ? self.peer?.rest() : self.peer?.serveWaiting(ms)), unitMs[i])
    )
  )
}
