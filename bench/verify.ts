/**
 * What each skill's check catches, what it refuses by mistake, and what it costs: forged results against honest
 * ones, those of the CPU's twins and of WebGPU mixed.
 */
import { parseArgs } from 'node:util'
import { SKILLS, type Skill, skillByName, type UnitInput } from '../src/skills/index.ts'
import { type BenchOptions, type BenchResult, type BenchRow, row } from './report.ts'
import { CHEATS } from './verify/cheats.ts'
import { type CpuTwins, cpuTwins, type Provider, withGpuProvider } from './verify/honest.ts'
import { hasJobs, isFloat, seeded, smallUnit, thinUnit, typicalUnit, UNITS, unitsOf } from './verify/jobs.ts'

export const title = 'What the checks of results catch, refuse by mistake, and cost [--skill NAME,…]'

const TRIES = 1_000
const DETECTED_MIN = 0.99
const COST_MAX = 0.1
const COST_RUNS = 7
/** Checks of one result in a row, when they are timed. */
const CHECKS = 5
/** Of a pool of this many jobs' units the cheats take what they need. */
const POOL = 24

export async function run({ runs = TRIES, args, log }: BenchOptions): Promise<BenchResult> {
  const { values } = parseArgs({ args: [...args], options: { skill: { type: 'string' } } })
  const names = values.skill?.split(',') ?? [...SKILLS.keys()]
  const skills = names.map(skillByName)
  const unknown = names.filter((name) => !hasJobs(name))
  const rows: BenchRow[] = []
  const failures = unknown.map(
    (name) => `${name} has no jobs in bench/verify/jobs.ts: its check was not tried`
  )
  await withGpuProvider(async (onGpu) => {
    for (const skill of skills.filter(({ manifest }) => hasJobs(manifest.name))) {
      const twins = await cpuTwins(skill)
      const found = [
        ...tryCheats(skill, twins, runs),
        await tryHonest(skill, twins, onGpu, runs),
        ...measureCosts(skill, twins)
      ]
      log(found.map((each) => `${each.name} ${each.median.toPrecision(4)}`).join('\n'))
      rows.push(...found)
      failures.push(...found.flatMap((each) => failureOf(skill, each)))
    }
  }, log)
  return { rows, ratios: [], failures }
}

function failureOf(skill: Skill, { name, median }: BenchRow): string[] {
  const { manifest } = skill
  const [, what = ''] = name.split(`${manifest.name}.`)
  const isWeak = manifest.check === 'weak'
  if (what === 'false-alarms' && median > 0) {
    return [`${name}: ${median} honest results were refused; none may be`]
  }
  if (what.startsWith('check-cost') && median > COST_MAX && !isWeak) {
    const told = { 'check-cost@small': smallUnit(skill), 'check-cost@thin': thinUnit(skill) }[what]
    if (told?.isWeak === true) {
      return []
    }
    return [`${name} is ${median.toFixed(3)} of computing; at most ${COST_MAX}`]
  }
  if (what.startsWith('detected@') && what !== 'detected@element' && median < DETECTED_MIN && !isWeak) {
    return [`${name} is ${median.toFixed(3)}; at least ${DETECTED_MIN}`]
  }
  return []
}

const single = (name: string, unit: string, runs: number, value: number): BenchRow => ({
  name,
  unit,
  runs,
  min: value,
  median: value,
  max: value
})

/** Each way to cheat, `tries` times, on results of a pool of jobs. */
function tryCheats(skill: Skill, { fast, verify }: CpuTwins, tries: number): BenchRow[] {
  const { name } = skill.manifest
  const random = seeded(1)
  const pool = Array.from({ length: POOL }, (_, seed) => {
    const units = unitsOf(skill, seed)
    return { units, results: units.map(fast) }
  })
  const pick = (count: number) => Math.floor(random() * count)
  return Object.entries(CHEATS).map(([cheat, forge]) => {
    let detected = 0
    let done = 0
    for (let round = 0; done < tries; round++) {
      if (round > 2 * tries) {
        throw new Error(`${name}: results are so alike that ${cheat} is mostly right: choose other jobs.`)
      }
      const at = pick(POOL)
      const job = pool[at]
      const earlier = pool[(at + 1 + pick(POOL - 1)) % POOL]
      const index = pick(job?.units.length ?? 0)
      const unit = job?.units[index]
      const right = job?.results[index]
      const other = job?.results[(index + 1 + pick(UNITS - 1)) % UNITS]
      const old = earlier?.results[index]
      if (unit === undefined || right === undefined || other === undefined || old === undefined) {
        throw new Error(`${name}: jobs must have ${UNITS} units each.`)
      }
      const forged = forge({ right, other, earlier: old, isFloat: isFloat(name), random })
      if (Buffer.compare(forged, right) !== 0) {
        detected += verify(unit, forged, random) ? 0 : 1
        done++
      }
    }
    return single(`verify.${name}.detected@${cheat}`, 'share', tries, detected / tries)
  })
}

/** Honest results that are refused, of the CPU's fast and readable twins and of WebGPU in turn. */
async function tryHonest(
  skill: Skill,
  { fast, readable, verify }: CpuTwins,
  onGpu: Provider,
  tries: number
): Promise<BenchRow> {
  const { name } = skill.manifest
  const random = seeded(2)
  let judged = 0
  let refused = 0
  for (let seed = POOL; judged < tries; seed++) {
    const units = unitsOf(skill, seed)
    for (const results of [await onGpu(name, seed), units.map(fast), units.map(readable)]) {
      for (const [index, unit] of units.entries()) {
        refused += verify(unit, results[index] ?? new Uint8Array(0), random) ? 0 : 1
        judged++
      }
    }
  }
  return single(`verify.${name}.false-alarms`, 'count', judged, refused)
}

/**
 * Time of the check as a share of computing, both on one thread, for units of the planner's own choice: of a job that
 * fills them, of a thin one, and of one so small that the planner calls its check weak.
 */
function measureCosts(skill: Skill, twins: CpuTwins): BenchRow[] {
  const name = `verify.${skill.manifest.name}.check-cost`
  const thin = thinUnit(skill)
  const typical = measureCost(name, typicalUnit(skill), twins)
  const small = measureCost(`${name}@small`, smallUnit(skill).unit, twins)
  return [typical, ...(thin === undefined ? [] : [measureCost(`${name}@thin`, thin.unit, twins)]), small]
}

function measureCost(name: string, unit: UnitInput, { fast, verify }: CpuTwins): BenchRow {
  const random = seeded(3)
  const result = fast(unit)
  verify(unit, result, random)
  const shares = Array.from({ length: COST_RUNS }, () => {
    const computing = timed(() => fast(unit))
    const checking = timed(() => {
      for (let i = 0; i < CHECKS; i++) {
        verify(unit, result, random)
      }
    })
    return checking / CHECKS / computing
  })
  return row(name, 'share', shares)
}

function timed(work: () => void): number {
  const started = performance.now()
  work()
  return performance.now() - started
}
