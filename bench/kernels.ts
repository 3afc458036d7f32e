/**
 * Our kernels against those of others, in one Chromium session: each rival is checked before it is timed, has its
 * inputs in place, and waits for the end of each product.
 */
import { parseArgs } from 'node:util'
import type { Page } from 'playwright-core'
import { type Figures, measureEngine, measureReload, measureTuner } from './kernels/engine.ts'
import type { Case } from './kernels/page.ts'
import { withKernelPage } from './kernels/serve.ts'
import {
  type BenchOptions,
  type BenchRatio,
  type BenchResult,
  type BenchRow,
  interleave,
  ratio,
  row
} from './report.ts'

export const title =
  'Kernels against those of others [--skill NAME,…] [--backend webgpu|cpu|dawn] [--size N,…]'

const RUNS = 5
const SIZES = [384, 512, 1_024]
const PRODUCTS = ['matmul-f32', 'matmul-i8']

/** The least ratio of each, by how its name begins. */
const LIMITS: ReadonlyArray<readonly [string, number]> = [
  ['kernels.webgpu.matmul-f32@', 1.3],
  ['kernels.i8-over-f32', 1.3],
  ['kernels.cpu.matmul-f32@', 1],
  ['kernels.cpu.matmul-i8@', 15],
  ['kernels.cpu.knn-i8@', 10],
  ['kernels.cpu.mandelbrot@', 2],
  ['kernels.engine', 0.8],
  ['kernels.reload', 2],
  ['kernels.tuner', 0.95]
]

interface Wanted {
  readonly skills: readonly string[] | undefined
  readonly backends: readonly string[]
  readonly sizes: readonly number[]
}

export async function run({ runs = RUNS, args, log }: BenchOptions): Promise<BenchResult> {
  const wanted = parse(args)
  const figures: Figures = { rows: [], ratios: [] }
  if (wanted.backends.includes('dawn')) {
    const { runOnDawn } = await import('./kernels/dawn.ts')
    figures.rows.push(...(await runOnDawn({ runs, sizes: wanted.sizes, skills: wanted.skills, log })))
  }
  if (wanted.backends.some((backend) => backend !== 'dawn')) {
    await withKernelPage((page) => measureAll(page, wanted, runs, figures, log), log)
  }
  const failures = figures.ratios.flatMap(({ name, value }) => {
    const least = LIMITS.find(([start]) => name.startsWith(start))?.[1]
    return least !== undefined && value < least ? [`${name} is ${value.toFixed(2)}; at least ${least}`] : []
  })
  return { ...figures, failures }
}

function parse(args: readonly string[]): Wanted {
  const { values } = parseArgs({
    args: [...args],
    options: { skill: { type: 'string' }, backend: { type: 'string' }, size: { type: 'string' } }
  })
  const backends = values.backend?.split(',') ?? ['webgpu', 'cpu']
  const sizes = values.size?.split(',').map(Number) ?? SIZES
  if (backends.some((backend) => !['webgpu', 'cpu', 'dawn'].includes(backend))) {
    throw new TypeError('--backend takes webgpu, cpu or dawn.')
  }
  if (sizes.some((size) => !(Number.isInteger(size) && size >= 1 && size <= 1_024))) {
    throw new TypeError('--size takes whole numbers from 1 to 1024.')
  }
  return { skills: values.skill?.split(','), backends, sizes }
}

async function measureAll(
  page: Page,
  { skills, backends, sizes }: Wanted,
  runs: number,
  figures: Figures,
  log: (text: string) => void
): Promise<void> {
  const known = (await page.evaluate(() => window.kernels?.skills)) ?? []
  const unknown = skills?.find((skill) => !known.includes(skill))
  if (unknown !== undefined) {
    throw new TypeError(`There is no skill ${unknown}: choose from ${known.join(', ')}.`)
  }
  const chosen = skills ?? known
  log(`adapter: ${(await page.evaluate(() => window.kernels?.adapter())) ?? 'none'}`)
  const variants: Record<string, string> = {}
  for (const backend of ['webgpu', 'cpu'] as const) {
    if (!backends.includes(backend)) {
      continue
    }
    for (const skill of chosen) {
      if (backend === 'webgpu') {
        // int8 is compared with our own float32 too
        for (const each of skill === 'matmul-i8' ? PRODUCTS : [skill]) {
          variants[each] ??= await tune(page, each, log)
        }
      }
      for (const size of PRODUCTS.includes(skill) ? sizes : [undefined]) {
        await measureCase(page, { backend, skill, size, variants }, runs, figures, log)
      }
    }
  }
  addIntOverFloat(figures)
  if (backends.includes('webgpu') && skills === undefined) {
    await measureEngine(page, runs, figures, log)
    await measureReload(page, runs, figures, log)
    await measureTuner(page, chosen, variants, figures, log)
  }
}

async function tune(page: Page, skill: string, log: (text: string) => void): Promise<string> {
  const winner = await page.evaluate((name) => window.kernels?.tune(name), skill)
  log(`the tuner picks ${skill}/${winner}`)
  return winner ?? ''
}

async function measureCase(
  page: Page,
  wanted: Case,
  runs: number,
  figures: Figures,
  log: (text: string) => void
): Promise<void> {
  const name = `kernels.${wanted.backend}.${wanted.skill}@${wanted.size ?? 'unit'}`
  const prepared = await page.evaluate((given) => window.kernels?.prepare(given), wanted)
  if (prepared === undefined) {
    throw new Error('The page has no bench.')
  }
  for (const why of prepared.left) {
    log(`${name}: left out: ${why}`)
  }
  const { operations, rivals } = prepared
  const contest = Object.fromEntries(
    rivals.map(({ name: rival, times }) => [
      rival,
      async () => {
        const ms = await page.evaluate(([rival, times]) => window.kernels?.measure(rival, times), [
          rival,
          times
        ] as const)
        return operations / 1e6 / (ms ?? Number.NaN)
      }
    ])
  )
  const measured = await interleave(runs, contest, 0) // calibration has warmed them up
  const rows = Object.entries(measured).map(([rival, values]) => row(`${name}.${rival}`, 'GOP/s', values))
  log(rows.map((each) => `${each.name} ${each.median.toPrecision(4)}`).join('\n'))
  figures.rows.push(...rows)
  const [mine, ...others] = rows
  const best = others.reduce<BenchRow | undefined>(
    (leader, each) => (leader === undefined || each.median > leader.median ? each : leader),
    undefined
  )
  if (mine !== undefined && best !== undefined) {
    figures.ratios.push(ratio(name, mine, peerOf(wanted, others) ?? best))
  }
}

/** By definition int8 products on the CPU are compared with plain JavaScript, all else with the best peer. */
function peerOf({ backend, skill }: Case, others: readonly BenchRow[]): BenchRow | undefined {
  return backend === 'cpu' && skill === 'matmul-i8'
    ? others.find(({ name }) => name.endsWith('.plain-js'))
    : undefined
}

function addIntOverFloat({ ratios }: Figures): void {
  const over = ratios.filter(({ name }) => name.startsWith('kernels.webgpu.matmul-i8@'))
  const least = over.reduce<BenchRatio | undefined>(
    (smallest, each) => (smallest === undefined || each.value < smallest.value ? each : smallest),
    undefined
  )
  if (least !== undefined) {
    ratios.push({ ...least, name: 'kernels.i8-over-f32' })
  }
}
