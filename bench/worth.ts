/**
 * Is it worth the trip? Jobs of growing size, alone and by a swarm of equal machines. Compute, check and the fixed
 * cost of a job are measured on this machine; the link is a parameter, and what overlaps what is the model of
 * `src/jobs/estimate.ts`, which `swarm.quote()` uses too.
 */
import { parseArgs } from 'node:util'
import { createEngine } from '../src/compute/index.ts'
import { awayMs, homeMs, type JobShape, shapeOf } from '../src/jobs/index.ts'
import { SKILLS, skillByName } from '../src/skills/index.ts'
import { type BenchOptions, type BenchRatio, type BenchResult, type BenchRow, ratio, row } from './report.ts'
import { SERIES } from './worth/inputs.ts'
import { measureSetup, measureSpeeds, type Speeds } from './worth/measure.ts'

export const title = 'At which size hiring pays [--skill NAME,…] [--providers N] [--link MBIT]'

const RUNS = 5
const PROVIDERS = 4
const LINK_MBIT = 100
const LINKS = [10, 100, 1_000]
/** Bytes a ms of 1 Mbit/s. */
const MEGABIT = 125

interface Measured {
  readonly size: number
  /** µcr. */
  readonly price: bigint
  readonly shape: JobShape
  readonly speeds: Speeds
}

interface Swarm {
  readonly providers: number
  readonly setupMs: number
}

export async function run({ runs = RUNS, args, log }: BenchOptions): Promise<BenchResult> {
  const { skills, providers, link } = parse(args)
  log('the fixed cost of a job')
  const setup = row('worth.setup', 'ms', await measureSetup(runs))
  const swarm = { providers, setupMs: setup.median }
  const rows: BenchRow[] = [setup]
  const ratios: BenchRatio[] = []
  const engine = await createEngine({ backend: 'cpu', workers: 1 })
  try {
    for (const name of skills) {
      const measured = await measureSeries(engine, name, runs)
      for (const each of measured) {
        const alone = row(`worth.${name}@${each.size}.alone`, 's', [aloneMs(each) / 1_000])
        const away = row(`worth.${name}@${each.size}.swarm`, 's', [hiredMs(each, swarm, link) / 1_000])
        rows.push(alone, away)
        ratios.push(ratio(`worth.${name}@${each.size}`, alone, away))
      }
      const even = breakEven(measured, swarm, link)
      if (even !== undefined) {
        rows.push(row(`worth.${name}.break-even`, 'µcr', [Number(even.price)]))
      }
      const texts = LINKS.map((mbit) => `${mbit} Mbit/s: ${describe(breakEven(measured, swarm, mbit))}`)
      log(`${name} pays with ${providers} providers from ${texts.join('; ')}`)
    }
  } finally {
    engine.close()
  }
  return { rows, ratios }
}

function parse(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: { skill: { type: 'string' }, providers: { type: 'string' }, link: { type: 'string' } }
  })
  const known = [...SKILLS.keys()].filter((name) => name in SERIES)
  const skills = values.skill?.split(',') ?? known
  const unknown = skills.find((skill) => !known.includes(skill))
  if (unknown !== undefined) {
    throw new TypeError(`There is no series for ${unknown}: choose from ${known.join(', ')}.`)
  }
  const providers = Number(values.providers ?? PROVIDERS)
  const link = Number(values.link ?? LINK_MBIT)
  if (!(Number.isInteger(providers) && providers >= 1 && link > 0)) {
    throw new TypeError('--providers takes a whole number from 1, --link Mbit/s above 0.')
  }
  return { skills, providers, link }
}

async function measureSeries(
  engine: Awaited<ReturnType<typeof createEngine>>,
  name: string,
  runs: number
): Promise<Measured[]> {
  const skill = skillByName(name)
  const series = SERIES[name]
  const measured: Measured[] = []
  for (const size of series?.sizes ?? []) {
    const plan = skill.plan(series?.input(size))
    measured.push({
      size,
      price: plan.units.reduce((sum, { cost }) => sum + cost, 0n),
      shape: shapeOf(skill, plan),
      speeds: await measureSpeeds(engine, skill, plan, runs)
    })
  }
  return measured
}

const aloneMs = ({ shape, speeds }: Measured) => homeMs(shape, { speed: speeds.compute, workers: 1 })

const hiredMs = ({ shape, speeds }: Measured, { providers, setupMs }: Swarm, mbit: number) =>
  awayMs(shape, {
    speeds: Array.from({ length: providers }, () => speeds.compute),
    linkBytesPerMs: mbit * MEGABIT,
    setupMs,
    checkSpeed: speeds.check
  })

/** The smallest job from which on every larger one pays too. */
function breakEven(measured: readonly Measured[], swarm: Swarm, mbit: number): Measured | undefined {
  const last = measured.findLastIndex((each) => hiredMs(each, swarm, mbit) >= aloneMs(each))
  return measured[last + 1]
}

const describe = (found: Measured | undefined) =>
  found === undefined ? 'never, as far as tried' : `size ${found.size} (${found.price} µcr)`
