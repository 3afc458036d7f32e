import { readdirSync } from 'node:fs'
import { type Bench, formatTable, machine } from './report.ts'

const NOT_BENCHES = ['run.ts', 'report.ts']

class UsageError extends Error {}

function listBenches(): string[] {
  return readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith('.ts') && !NOT_BENCHES.includes(file))
    .map((file) => file.slice(0, -'.ts'.length))
    .sort()
}

async function loadBench(name: string): Promise<Bench> {
  const bench: Partial<Bench> = await import(`./${name}.ts`)
  if (typeof bench.title !== 'string' || typeof bench.run !== 'function') {
    throw new TypeError(`bench/${name}.ts must export "title" and "run".`)
  }
  return bench as Bench // both its members were checked
}

async function printHelp(): Promise<void> {
  console.log('npm run --silent bench -- NAME [--json] [--runs N] [options of the bench]\n')
  console.log('  --json    the last line of the output is one JSON object: { bench, machine, rows, ratios }')
  console.log('  --runs N  measurements a figure\n')
  for (const name of listBenches()) {
    console.log(`  ${name.padEnd(12)}${(await loadBench(name)).title}`)
  }
}

interface CommandLine {
  readonly name: string | undefined
  readonly json: boolean
  readonly runs: number | undefined
  readonly args: readonly string[]
}

function parseCommandLine(words: readonly string[]): CommandLine {
  const at = words.indexOf('--runs')
  const runs = at === -1 ? undefined : Number(words[at + 1])
  if (runs !== undefined && !(Number.isInteger(runs) && runs >= 1 && runs <= 1_000_000)) {
    throw new UsageError('--runs takes a whole number from 1 to 1000000.')
  }
  const rest = words.filter((word, i) => word !== '--json' && (at === -1 || (i !== at && i !== at + 1)))
  const [name, ...args] = rest
  return { name, json: words.includes('--json'), runs, args }
}

async function main(words: readonly string[]): Promise<number> {
  const { name, json, runs, args } = parseCommandLine(words)
  if (name === undefined || name === '--help' || name === '-h') {
    await printHelp()
    return name === undefined ? 2 : 0
  }
  if (!listBenches().includes(name)) {
    throw new UsageError(`There is no bench "${name}": choose from ${listBenches().join(', ')}.`)
  }
  const bench = await loadBench(name)
  console.error(bench.title)
  const result = await bench.run({ runs, args, log: (text) => console.error(text) })
  console.log(formatTable(result))
  for (const failure of result.failures ?? []) {
    console.error(`Not kept: ${failure}`)
  }
  if (json) {
    console.log(JSON.stringify({ bench: name, machine: machine(), rows: result.rows, ratios: result.ratios }))
  }
  return (result.failures ?? []).length === 0 ? 0 : 1
}

// Explicit, because a bench may have loaded native code (WebRTC) that keeps the process alive.
process.exit(
  await main(process.argv.slice(2)).catch((error: unknown) => {
    console.error(error instanceof UsageError ? error.message : error)
    return error instanceof UsageError ? 2 : 1
  })
)
