import type { Page } from 'playwright-core'
import { type BenchRatio, type BenchRow, interleave, ratio, row } from '../report.ts'
import type { Visit } from './visit.ts'

const TINY_UNITS = 400
const TUNER_ROUNDS = 9
/** Whose first unit is timed, and how often at most: each time all its variants are compared. */
const VISITED = 'matmul-f32'
const VISITS = 3

/** What a bench has found so far. */
export interface Figures {
  readonly rows: BenchRow[]
  readonly ratios: BenchRatio[]
}

/** Tiny units: the engine against a loop written by hand. */
export async function measureEngine(
  page: Page,
  runs: number,
  { rows, ratios }: Figures,
  log: (text: string) => void
): Promise<void> {
  const rates = await interleave(runs, {
    engine: async () =>
      (await page.evaluate((count) => window.kernels?.engineRate(count), TINY_UNITS)) ?? Number.NaN,
    loop: async () =>
      (await page.evaluate((count) => window.kernels?.loopRate(count), TINY_UNITS)) ?? Number.NaN
  })
  const engine = row('kernels.engine.units', '1/s', rates.engine)
  const loop = row('kernels.engine.loop', '1/s', rates.loop)
  log(`tiny units a second: engine ${engine.median.toFixed(0)}, submit loop ${loop.median.toFixed(0)}`)
  rows.push(engine, loop)
  ratios.push(ratio('kernels.engine', engine, loop))
}

/** The first unit by the best variant: in a fresh profile, where it has to be found, and after a reload. */
export async function measureReload(
  page: Page,
  runs: number,
  { rows, ratios }: Figures,
  log: (text: string) => void
): Promise<void> {
  const times = { any: [] as number[], first: [] as number[], again: [] as number[] }
  for (let round = 0; round < Math.min(runs, VISITS); round++) {
    const context = await page.context().browser()?.newContext()
    const tab = await context?.newPage()
    if (tab === undefined) {
      throw new Error('The browser has gone.')
    }
    const seen: Visit[] = []
    for (const go of [() => tab.goto(page.url()), () => tab.reload()]) {
      await go()
      await tab.waitForFunction(() => window.kernels !== undefined)
      const each = await tab.evaluate((skill) => window.kernels?.visit(skill), VISITED)
      seen.push(...(each === undefined ? [] : [each]))
    }
    await context?.close()
    const [fresh, kept] = seen
    if (fresh === undefined || kept === undefined) {
      throw new Error('The page has no bench.')
    }
    times.any.push(fresh.first)
    times.first.push(fresh.tuned)
    times.again.push(kept.tuned)
  }
  const first = row('kernels.reload.first-visit', 'ms', times.first)
  const again = row('kernels.reload.reload', 'ms', times.again)
  log(
    `first unit by the best variant: ${first.median.toFixed(0)} ms, after a reload ${again.median.toFixed(0)} ms`
  )
  rows.push(row('kernels.reload.first-visit-by-default', 'ms', times.any), first, again)
  ratios.push(ratio('kernels.reload', first, again))
}

/** The worst of all kernels: how near the tuner's winner comes to the best of an exhaustive search. */
export async function measureTuner(
  page: Page,
  skills: readonly string[],
  winners: Readonly<Record<string, string>>,
  { rows, ratios }: Figures,
  log: (text: string) => void
): Promise<void> {
  let worst: BenchRatio | undefined
  for (const skill of skills) {
    const times = await page.evaluate(([name, rounds]) => window.kernels?.variants(name, rounds), [
      skill,
      TUNER_ROUNDS
    ] as const)
    const all = Object.entries(times ?? {}).map(([variant, ms]) =>
      row(`kernels.tuner.${skill}.${variant}`, 'ms', ms)
    )
    if (all.length < 2) {
      continue
    }
    rows.push(...all)
    const best = all.reduce((least, each) => (each.median < least.median ? each : least))
    const winner = all.find(({ name }) => name.endsWith(`.${winners[skill]}`))
    if (winner === undefined) {
      continue
    }
    const near = ratio('kernels.tuner', best, winner)
    log(`the tuner's ${skill}/${winners[skill]} is at ${near.value.toFixed(3)} of the best`)
    worst = worst === undefined || near.value < worst.value ? near : worst
  }
  if (worst !== undefined) {
    ratios.push(worst)
  }
}
