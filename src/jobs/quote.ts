import type { JobQuote, QuoteOptions } from '../api.ts'
import type { Engine } from '../compute/index.ts'
import type { FoundProvider } from '../registry/index.ts'
import type { Plan, Skill } from '../skills/index.ts'
import { OPERATIONS_PER_MICROCREDIT, type PeerIdString } from '../wire/index.ts'
import { PROVIDERS_DEFAULT } from './constants.ts'
import { JobError } from './errors.ts'
import { awayMs, homeMs, type JobShape } from './estimate.ts'
import { checkOptions, shown } from './options.ts'
import { priceOf, RATE_DEFAULT } from './price.ts'

/** Bytes a ms of 1 Mbit/s. */
const MEGABIT = 125
const LINK_MBPS_DEFAULT = 100
/** Finding, connecting, escrow, settle: measured between tabs of one machine. */
const SETUP_MS = 400

export interface QuoteInit {
  readonly skill: Skill
  readonly input: unknown
  readonly options: QuoteOptions
  /** Eligible ones, best first. Asked once the input is known to be good. */
  readonly providers: () => Promise<readonly FoundProvider[]>
  /** Operations a ms that this node has seen of a peer; undefined: never hired. */
  readonly speedOf: (peer: PeerIdString) => number | undefined
  /** Operations a ms of one worker here, measured on the job's own first unit. */
  readonly localSpeed: (plan: Plan<unknown>) => Promise<number>
  /** Workers that the job would have at home. */
  readonly workers: number
}

/** @throws SkillError for a bad input, JobError `BAD_OPTION` */
export async function quote(init: QuoteInit): Promise<JobQuote> {
  const { skill, options } = init
  checkOptions(options)
  const { linkMbps = LINK_MBPS_DEFAULT, maxProviders = PROVIDERS_DEFAULT } = options
  if (!(Number.isFinite(linkMbps) && linkMbps > 0)) {
    throw new JobError('BAD_OPTION', `linkMbps must be above 0, such as 100; it is ${shown(linkMbps)}.`)
  }
  const plan = skill.plan(init.input, options.units === undefined ? {} : { units: options.units })
  const [speed, providers] = await Promise.all([init.localSpeed(plan), init.providers()])
  const hired = providers.slice(0, maxProviders)
  const speeds = hired.map(({ advert }) => (init.speedOf(advert.peer) ?? speed) * (1 - advert.load / 100))
  const working = speeds.filter((each) => each > 0).sort((a, b) => b - a)
  const shape = shapeOf(skill, plan)
  const localEtaMs = Math.ceil(homeMs(shape, { speed, workers: init.workers }))
  const etaMs =
    working.length === 0
      ? undefined
      : Math.ceil(awayMs(shape, { speeds: working, linkBytesPerMs: linkMbps * MEGABIT, setupMs: SETUP_MS }))
  return {
    price: priceOf(plan.units, options.rate ?? RATE_DEFAULT),
    units: plan.units.length,
    providers: providers.length,
    etaMs,
    localEtaMs,
    fasterAtHome: etaMs === undefined || localEtaMs <= etaMs,
    measured: hired.filter(({ advert }) => init.speedOf(advert.peer) !== undefined).length
  }
}

/** What moves and what is computed. */
export function shapeOf(skill: Skill, { parts, units }: Plan<unknown>): JobShape {
  const sizes = units.map(({ params, data, parts: used }) =>
    skill.checkUnit({
      params,
      dataSize: data.byteLength,
      partSizes: used.map((part) => parts[part]?.byteLength ?? 0)
    })
  )
  return {
    operations: units.map(({ cost }) => Number(cost) * OPERATIONS_PER_MICROCREDIT),
    partBytes: parts.reduce((sum, part) => sum + part.byteLength, 0),
    inputBytes: units.reduce((sum, { data }) => sum + data.byteLength, 0),
    resultBytes: sizes.reduce((sum, { resultSize }) => sum + resultSize, 0)
  }
}

/** Operations a ms: the first unit of the job, once to warm up and once timed. */
export async function measureSpeed(engine: Engine, skill: Skill, plan: Plan<unknown>): Promise<number> {
  const [unit] = plan.units
  if (unit === undefined) {
    return Number.POSITIVE_INFINITY
  }
  const { params, data, cost } = unit
  const parts = unit.parts.map((part) => ({
    hash: `quote/${skill.manifest.name}/${part}/${crypto.randomUUID()}`,
    bytes: plan.parts[part] ?? new Uint8Array(0)
  }))
  const work = { skill: skill.manifest.name, params, data, parts }
  await engine.run(work)
  const started = performance.now()
  await engine.run(work)
  return (Number(cost) * OPERATIONS_PER_MICROCREDIT) / Math.max(performance.now() - started, 0.1)
}
