/**
 * Whether the protocol keeps its providers busy: one job on 1, 2 and 4 tabs whose units take a set time instead of
 * computing, and on three of unequal speed.
 */
import type { Page } from 'playwright-core'
import { withTabs } from './pages/tabs.ts'
import { type BenchOptions, type BenchResult, interleave, ratio, row } from './report.ts'

export const title =
  'One job of 64 units on 1, 2 and 4 providers, and on three of speeds 1:2:4; cancelling one; losing a provider'

const RUNS = 3
const UNITS = 64
/** Of a unit at each of several equal providers (ms). */
const UNIT_MS = 500
/** Of a unit at three of speeds 1:2:4 (ms). */
const MIXED_MS = [800, 400, 200]
const EFFICIENCY = 0.9
const MIXED = 0.85
/** From `cancel` until the provider gives up the unit, and from the detection of a loss until its unit is elsewhere. */
const CANCEL_MS = 200
const RESUME_MS = 1_000
/** Of a unit that is cancelled, and how far it is then (ms). */
const LONG_MS = 10_000
const FAR_MS = 500

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
    const cancel = row('swarm.cancel', 'ms', await cancels(runs, requester, providers, hired))
    const losses = await loses(requester, providers, hired, log)
    const detect = row(
      'swarm.detect',
      'ms',
      losses.map((loss) => loss.detectMs)
    )
    const resume = row(
      'swarm.resume',
      'ms',
      losses.map((loss) => loss.resumeMs)
    )
    return {
      rows: [one, two, four, fourfold, mixed, ideal, cancel, detect, resume],
      ratios: [efficiency, share],
      failures: [
        ...(efficiency.value < EFFICIENCY
          ? [`four providers do ${efficiency.value.toFixed(2)} of four times one; at least .9`]
          : []),
        ...(share.value < MIXED
          ? [`the mixed fleet does ${share.value.toFixed(2)} of the ideal; at least .85`]
          : []),
        ...(cancel.max <= CANCEL_MS
          ? []
          : [`a cancelled unit went on for ${cancel.max.toFixed(0)} ms; at most ${CANCEL_MS}`]),
        ...(resume.max <= RESUME_MS
          ? []
          : [`a lost unit waited for ${resume.max.toFixed(0)} ms; at most ${RESUME_MS}`])
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

/** From each cancelling of a job until its provider has given up the unit (ms). */
async function cancels(
  runs: number,
  requester: Page,
  providers: readonly Page[],
  peers: readonly string[]
): Promise<number[]> {
  await serve(providers, [LONG_MS])
  const took: number[] = []
  for (let i = 0; i < runs; i++) {
    const cancelledAt = await requester.evaluate(
      ([them, after]) => self.peer?.hireAndCancel(them, after) ?? Number.NaN,
      [peers.slice(0, 1), FAR_MS] as const
    )
    const given = await providers[0]?.waitForFunction(
      (at) => (self.peer?.abortedAt() ?? 0) >= at,
      cancelledAt
    )
    await given?.dispose()
    took.push(((await providers[0]?.evaluate(() => self.peer?.abortedAt())) ?? Number.NaN) - cancelledAt)
  }
  return took
}

/** Kills one of two providers after the other, each in the middle of a job, without a goodbye. The last one stays. */
async function loses(
  requester: Page,
  providers: readonly Page[],
  peers: readonly string[],
  log: (text: string) => void
): Promise<Array<{ readonly detectMs: number; readonly resumeMs: number }>> {
  const losses = []
  for (let i = 0; i + 1 < providers.length; i++) {
    await serve(providers.slice(i), [UNIT_MS, UNIT_MS])
    const victim = peers[i]
    const job = requester.evaluate(([them, units]) => self.peer?.hireAndTell(them, units) ?? [], [
      peers.slice(i, i + 2),
      UNITS / 4
    ] as const)
    await requester.waitForFunction((peer) => peer !== undefined && self.peer?.hasVerified(peer), victim)
    const killedAt = performance.timeOrigin + performance.now()
    await providers[i]?.goto('chrome://crash').catch(() => {}) // what it is there for
    const told = await job
    const lost = told.find(
      ({ type, provider, at }) => type === 'retried' && provider === victim && at > killedAt
    )
    const again = told.find(
      ({ type, unit, at }) => type === 'assigned' && unit === lost?.unit && at >= (lost?.at ?? Number.NaN)
    )
    const detectMs = (lost?.at ?? Number.NaN) - killedAt
    const resumeMs = (again?.at ?? Number.NaN) - (lost?.at ?? Number.NaN)
    log(
      `a loss was seen after ${Math.round(detectMs)} ms, its unit elsewhere ${Math.round(resumeMs)} ms later`
    )
    losses.push({ detectMs, resumeMs })
  }
  return losses
}
