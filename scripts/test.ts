import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { machine } from '../bench/report.ts'
import { endChildrenOnSignal, runChild } from './child.ts'
import { countSuite, type SuiteCount } from './vitest-report.ts'

const HELP = `npm test -- [--only NAME[,NAME ...]] [--nightly]

Runs, one after the other: lint, types, rules (imports), unit (Node), browser (Chromium with WebGPU),
e2e (relay, built page, several tabs). The last line is "N passed, N failed"; lint, types and rules count
as one each. Reports: reports/*.json and reports/summary.json.

  --only NAME   only these
  --nightly     the long form: many more runs of each property; the result goes to docs/NIGHTLY.md`

const ROOT = join(import.meta.dirname, '..')
const REPORTS = join(ROOT, 'reports')
const MINUTE = 60_000

interface Step {
  readonly name: string
  /** A program, run by this Node; a suite also writes a report of its tests. */
  readonly args: readonly string[]
  readonly report?: string
  readonly limitMs: number
}

interface Outcome extends SuiteCount {
  readonly name: string
  readonly seconds: number
}

const STEPS: readonly Step[] = [
  {
    name: 'lint',
    args: [bin('@biomejs/biome/bin/biome'), 'ci', ...(process.stdout.isTTY ? [] : ['--colors=off'])],
    limitMs: 2 * MINUTE
  },
  { name: 'types', args: [bin('typescript/bin/tsc'), '-p', '.'], limitMs: 3 * MINUTE },
  { name: 'rules', args: [join('scripts', 'dependency-rules.ts')], limitMs: 2 * MINUTE },
  suite('unit', 8 * MINUTE),
  suite('browser', 8 * MINUTE),
  suite('e2e', 10 * MINUTE)
]

function suite(name: string, limitMs: number): Step {
  const report = join(REPORTS, `${name}.json`)
  return {
    name,
    args: [
      bin('vitest/vitest.mjs'),
      'run',
      '--project',
      name,
      '--reporter=default',
      '--reporter=json',
      '--reporter=./scripts/unsteady-reporter.ts',
      `--outputFile.json=${report}`
    ],
    report,
    limitMs
  }
}

function bin(path: string): string {
  return join(ROOT, 'node_modules', path)
}

async function runStep(step: Step, nightly: boolean): Promise<Outcome> {
  console.log(`\n== ${step.name}`)
  const ended = await runChild(process.execPath, step.args, {
    limitMs: nightly ? step.limitMs * 30 : step.limitMs,
    env: nightly ? { NIGHTLY: '1' } : {}
  })
  const count = step.report === undefined ? countCheck(ended) : countSuite(step.report, ended)
  return { name: step.name, seconds: Math.round(ended.seconds * 10) / 10, ...count }
}

function countCheck({ status, timedOut }: { status: number; timedOut: boolean }): SuiteCount {
  const failed = status === 0 ? 0 : 1
  return {
    passed: 1 - failed,
    failed,
    skipped: 0,
    failures: [],
    ...(timedOut && { problem: 'stopped at its time limit' })
  }
}

function formatTable(outcomes: readonly Outcome[]): string {
  const lines = outcomes.map(({ name, passed, failed, skipped, seconds, problem }) => {
    const cells = formatLine(name, `${passed}`, `${failed}`, `${skipped}`, `${seconds.toFixed(1)} s`)
    return problem === undefined ? cells : `${cells}  ${problem}`
  })
  return [formatLine('suite', 'passed', 'failed', 'skipped', 'time'), ...lines].join('\n')
}

function formatLine(name: string, ...cells: readonly string[]): string {
  return name.padEnd(10) + cells.map((cell) => cell.padStart(9)).join('')
}

/** The last long run, for readers of the docs. */
function writeNightly(table: string, line: string): void {
  const { cpu, cores, memoryGiB, os, node } = machine()
  const where = `${new Date().toISOString().slice(0, 10)}, ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${os}, Node ${node}`
  const text = `# The last nightly run\n\nWritten by \`npm run nightly\`: ${where}.\n\n\`\`\`\n${table}\n${line}\n\`\`\`\n`
  writeFileSync(join(ROOT, 'docs', 'NIGHTLY.md'), text)
}

function pickSteps(only: string | undefined): readonly Step[] {
  const names = only?.split(',')
  const unknown = names?.find((name) => !STEPS.some((step) => step.name === name))
  if (unknown !== undefined) {
    throw new TypeError(`"${unknown}" is no suite: choose from ${STEPS.map(({ name }) => name).join(', ')}.`)
  }
  return names === undefined ? STEPS : STEPS.filter(({ name }) => names.includes(name))
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { only: { type: 'string' }, nightly: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } }
  })
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const steps = pickSteps(values.only)
  rmSync(REPORTS, { recursive: true, force: true })
  mkdirSync(REPORTS, { recursive: true })
  endChildrenOnSignal()

  const outcomes: Outcome[] = []
  for (const step of steps) {
    outcomes.push(await runStep(step, values.nightly ?? false))
  }
  const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0)
  const failed = outcomes.reduce((sum, outcome) => sum + outcome.failed, 0)
  const summary = { passed, failed, node: process.version, suites: outcomes }
  writeFileSync(join(REPORTS, 'summary.json'), `${JSON.stringify(summary, undefined, 2)}\n`)
  const table = formatTable(outcomes)
  const line = `${passed} passed, ${failed} failed`
  if (values.nightly && values.only === undefined) {
    writeNightly(table, line)
  }
  const failures = outcomes.flatMap((outcome) => outcome.failures.map((text) => `\n== failed: ${text}`))
  console.log(`${failures.join('\n')}\n${table}\n${line}`)
  return failed === 0 ? 0 : 1
}

process.chdir(ROOT)
process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof TypeError ? error.message : error)
  return 2
})
