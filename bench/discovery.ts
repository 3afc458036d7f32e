/** How soon a provider is found, and how soon one that was killed is used no more, as the swarm grows. */
import { NodeSwarm } from './discovery/nodes.ts'
import { type FinderTab, openTabSwarm, type TabSwarm } from './discovery/tabs.ts'
import { type BenchOptions, type BenchResult, type BenchRow, row } from './report.ts'

export const title =
  'Finding a new skill from another tab, and losing a killed one; [--tabs 2,4,8] [--nodes 50,200]'

const RUNS = 20
const FIND_P95_MAX = 1
const REFRESHES_MAX = 3
/** Short, so that the bench does not take minutes to lose a provider; what counts is the number of refreshes. */
const REFRESH_MS = 4_000
const KILLED_RUNS = 3
/** For starting the nodes of one size, and for measuring one thing at it. */
const GROW_MS = 300_000
const MEASURE_MS = 10_000
const MEASURED_LEAST = 3

export async function run({ runs = RUNS, args, log }: BenchOptions): Promise<BenchResult> {
  const tabs = sizes(args, '--tabs', [2, 4, 8])
  const nodes = sizes(args, '--nodes', [50, 200])
  const rows = [
    ...(tabs.length > 0 ? await tabRows(tabs, runs, log) : []),
    ...(nodes.length > 0 ? await nodeRows(nodes, Math.min(runs, 10), log) : [])
  ]
  return { rows, ratios: [], failures: failuresOf(rows) }
}

async function tabRows(
  counts: readonly number[],
  runs: number,
  log: (text: string) => void
): Promise<BenchRow[]> {
  const rows: BenchRow[] = []
  const swarm = await openTabSwarm(REFRESH_MS, log)
  let finds: number[] = []
  try {
    for (const count of counts) {
      await swarm.grow(count)
      const provides = await repeat(runs, () => swarm.tabs[0]?.page.evaluate(() => window.finder?.provide()))
      finds = await repeat(runs, (i) => find(swarm, i))
      rows.push(
        row(`discovery.provide@tabs-${count}`, 's', provides.map(seconds)),
        row(`discovery.find@tabs-${count}`, 's', finds.map(seconds))
      )
      log(`${count} tabs: found within ${Math.round(Math.max(...finds))} ms`)
    }
    rows.push(row('discovery.find-p95', 's', [seconds(percentile(finds, 0.95))]))
    const lost = await repeat(KILLED_RUNS, () => loseKilled(swarm, log))
    rows.push(row('discovery.killed-refreshes', 'refreshes', lost))
  } finally {
    await swarm.close()
  }
  return rows
}

async function nodeRows(
  counts: readonly number[],
  runs: number,
  log: (text: string) => void
): Promise<BenchRow[]> {
  const rows: BenchRow[] = []
  const swarm = await NodeSwarm.open()
  try {
    for (const wanted of counts) {
      const count = await swarm.grow(wanted, GROW_MS, log)
      if (count < wanted) {
        log(`${wanted} nodes were not reached within ${GROW_MS / 1_000} s; measured with ${count}`)
      }
      const provides = await repeatFor(runs, () => swarm.provide())
      log(`${count} nodes: provided within ${Math.round(Math.max(...provides))} ms`)
      const finds = await repeatFor(runs, (i) => swarm.find(`skill-${count}-${i}`))
      log(`${count} nodes: found within ${Math.round(Math.max(...finds))} ms`)
      rows.push(
        row(`discovery.provide@nodes-${count}`, 's', provides.map(seconds)),
        row(`discovery.find@nodes-${count}`, 's', finds.map(seconds)),
        row(`discovery.connections@nodes-${count}`, 'connections', swarm.connectionsEach())
      )
      if (count < wanted) {
        break
      }
    }
  } finally {
    await swarm.close()
  }
  return rows
}

/** From the offer of a new skill in one tab until another one, that was looking for it, has found it. */
async function find({ tabs }: TabSwarm, run: number): Promise<number> {
  const [provider, finder] = pair(tabs, run)
  const skill = `skill-${tabs.length}-${run}`
  const found = finder.page.evaluate(([name, peer]) => window.finder?.find(name, peer), [
    skill,
    provider.peer
  ] as const)
  const offered = await provider.page.evaluate((name) => window.finder?.offer([name]), skill)
  return ((await found) ?? Number.NaN) - (offered ?? Number.NaN)
}

/** Kills the last tab, which serves, without a goodbye. @returns refreshes until another one uses it no more */
async function loseKilled(swarm: TabSwarm, log: (text: string) => void): Promise<number> {
  await swarm.grow(swarm.tabs.length + 1)
  const tabs = [...swarm.tabs]
  const victim = tabs.at(-1)
  const [finder] = tabs
  if (victim === undefined || finder === undefined) {
    throw new Error('There are no two tabs.')
  }
  const names = ['doomed', victim.peer] as const
  await victim.page.evaluate(() => window.finder?.offer(['doomed']))
  await finder.page.evaluate(([skill, peer]) => window.finder?.find(skill, peer), names)
  const killed = performance.timeOrigin + performance.now()
  const lost = finder.page.evaluate(([skill, peer]) => window.finder?.lose(skill, peer), names)
  await victim.page.goto('chrome://crash').catch(() => {}) // what it is there for
  const refreshes = (((await lost) ?? Number.NaN) - killed) / REFRESH_MS
  swarm.forget(victim)
  log(`a killed tab was used for ${refreshes.toFixed(2)} refreshes`)
  return refreshes
}

function pair(tabs: readonly FinderTab[], run: number): [FinderTab, FinderTab] {
  const provider = tabs[run % tabs.length]
  const finder = tabs[(run + 1 + (run % (tabs.length - 1))) % tabs.length]
  if (provider === undefined || finder === undefined || provider === finder) {
    throw new Error('There are no two tabs.')
  }
  return [provider, finder]
}

async function repeat(
  runs: number,
  measure: (run: number) => Promise<number | undefined> | undefined
): Promise<number[]> {
  const figures: number[] = []
  for (let i = 0; i < runs; i++) {
    figures.push((await measure(i)) ?? Number.NaN)
  }
  return figures
}

/** As `repeat`, but no longer than `MEASURE_MS` once there are a few. */
async function repeatFor(runs: number, measure: (run: number) => Promise<number>): Promise<number[]> {
  const until = performance.now() + MEASURE_MS
  const figures: number[] = []
  while (figures.length < runs && (figures.length < MEASURED_LEAST || performance.now() < until)) {
    figures.push(await measure(figures.length))
  }
  return figures
}

const seconds = (ms: number) => ms / 1_000

/** The least value that so great a share of them does not exceed. */
function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

/** `--tabs 2,4`; an empty list leaves them out. */
function sizes(args: readonly string[], option: string, otherwise: readonly number[]): readonly number[] {
  const at = args.indexOf(option)
  return at === -1 ? otherwise : (args[at + 1] ?? '').split(',').map(Number).filter(Boolean)
}

/** A figure that is missing because its rows were left out is no failure; one that is no number is. */
function failuresOf(rows: readonly BenchRow[]): string[] {
  const value = (name: string) => rows.find((each) => each.name === name)
  const p95 = value('discovery.find-p95')?.median ?? 0
  const refreshes = value('discovery.killed-refreshes')?.max ?? 0
  return [
    ...(!(p95 <= FIND_P95_MAX) ? [`discovery.find-p95 is ${p95.toFixed(2)} s; at most ${FIND_P95_MAX}`] : []),
    ...(!(refreshes <= REFRESHES_MAX)
      ? [`a killed tab was used for ${refreshes.toFixed(1)} refreshes; at most ${REFRESHES_MAX}`]
      : [])
  ]
}
