import { NETWORKS } from '../src/wire/index.ts'
import type { Agent, Profile } from './economy/agent.ts'
import { Market } from './economy/market.ts'
import { sampleProviders, weights } from './economy/measures.ts'
import { type BenchOptions, type BenchResult, row } from './report.ts'
import { markdownTable, writeSection } from './sim/document.ts'
import { simOptions } from './sim/options.ts'
import { drawPlot } from './sim/plot.ts'
import { percentile } from './sim/statistics.ts'

export const title = 'Free riders fall behind, contributors do not, nobody recognised starves (simulation)'

/** Nodes that never serve, and nodes that stop serving on `STOP`: both go on asking. */
const RIDERS = 0.1
const QUITTERS = 0.05
const STOP = 14
const DECILE = 0.1
const PROVIDERS = 40
const FALL_DAYS = 7

const PROFILE: Profile = {
  kind: 'both',
  speed: 20_000,
  presence: 0.6,
  serves: true,
  jobsADay: 4,
  jobSize: 60_000
}
/** Share of the devices' time that is for others: plenty in the first week, then so little that the queue decides. */
const WARM_POWER = 0.01
const POWER = 0.0005
const WARM_DAYS = 7

type Class = 'rider' | 'quitter' | 'contributor'

interface Standing {
  readonly day: number
  /** Share of each class within the lowest tenth of all nodes, by mean weight; quitters: of all contributors. */
  readonly lowest: Readonly<Record<Class, number>>
  /** Mean weight of each class, of a contributor's. */
  readonly weight: Readonly<Record<Class, number>>
  readonly longestWait: number
}

export async function run(options: BenchOptions): Promise<BenchResult> {
  const { seed, nodes, days, isStandard } = simOptions(options, 200, 0, 28)
  const market = new Market({ network: NETWORKS.main, seed, power: WARM_POWER, patience: 6 })
  const classes = new Map<Agent, Class>()
  for (let i = 0; i < nodes; i++) {
    const at = i / nodes
    const kind = at < RIDERS ? 'rider' : at < RIDERS + QUITTERS ? 'quitter' : 'contributor'
    classes.set(market.add({ ...PROFILE, serves: kind !== 'rider' }), kind)
  }
  const standings: Standing[] = []
  let busy = 0
  for (let day = 1; day <= days; day++) {
    for (let hour = 0; hour < 24; hour++) {
      market.hour()
    }
    if (day === WARM_DAYS) {
      market.floor.power = POWER
    }
    if (day === STOP) {
      for (const [agent, kind] of classes) {
        agent.profile = { ...agent.profile, serves: kind === 'contributor' }
      }
    }
    const tally = market.resetTally()
    const done = Number(tally.recognised + tally.strangers + tally.probes)
    busy = done / (nodes * PROFILE.presence * PROFILE.speed * 86_400 * POWER)
    standings.push(standingOf(market, classes, day, tally.longestWait))
    options.log(`day ${day}: ${(busy * 100).toFixed(0)} % of the later capacity used`)
  }
  const riders = standings.filter(({ day }) => day >= FALL_DAYS)
  const quitters = standings.find(({ day }) => day >= STOP + FALL_DAYS)
  const settled = standings.filter(({ day }) => day >= FALL_DAYS)
  const worst = Math.max(...settled.map(({ lowest }) => lowest.contributor))
  const ridersLowest = Math.min(...riders.map(({ lowest }) => lowest.rider))
  const longestWait = Math.max(...standings.map(({ longestWait }) => longestWait))
  if (isStandard) {
    document(standings)
  }
  return {
    rows: [
      row('sim-priority.riders-lowest', 'share', [ridersLowest]),
      row('sim-priority.quitters-lowest', 'share', [quitters?.lowest.quitter ?? Number.NaN]),
      row('sim-priority.contributors-lowest', 'share', [worst]),
      row('sim-priority.longest-wait', 'h', [longestWait]),
      row('sim-priority.busy', 'share', [busy])
    ],
    ratios: [],
    failures: [
      ...(ridersLowest < 1 ? ['free riders are not all in the lowest tenth after a week'] : []),
      ...(worst > 0 ? [`${(worst * 100).toFixed(1)} % of contributors fell to the lowest tenth`] : []),
      ...(longestWait >= 24 ? ['somebody recognised waited for a day'] : [])
    ]
  }
}

function standingOf(
  market: Market,
  classes: ReadonlyMap<Agent, Class>,
  day: number,
  longestWait: number
): Standing {
  const agents = [...classes.keys()]
  const all = weights(market, agents, sampleProviders(market, PROVIDERS))
  const sorted = all.toSorted((a, b) => a - b)
  const limit = sorted[Math.floor(sorted.length * DECILE)] ?? 0
  const of = (kind: Class) => all.filter((_, i) => classes.get(agents[i] as Agent) === kind) // i < length
  const meanOf = (kind: Class) => of(kind).reduce((sum, weight) => sum + weight, 0) / of(kind).length
  const limitOf = (kind: Class) =>
    kind === 'quitter'
      ? percentile(
          of('contributor').toSorted((a, b) => a - b),
          DECILE
        )
      : limit
  const lowestOf = (kind: Class) =>
    of(kind).filter((weight) => weight < limitOf(kind) || weight === 0).length / of(kind).length
  const typical = meanOf('contributor')
  return {
    day,
    longestWait,
    lowest: { rider: lowestOf('rider'), quitter: lowestOf('quitter'), contributor: lowestOf('contributor') },
    weight: { rider: meanOf('rider') / typical, quitter: meanOf('quitter') / typical, contributor: 1 }
  }
}

function document(standings: readonly Standing[]): void {
  const percent = (share: number) => `${(share * 100).toFixed(0)} %`
  const shown = standings.filter(({ day }) => [1, 3, 7, 14, 16, 18, 21, 28].includes(day))
  writeSection(
    'sim-priority',
    [
      markdownTable(
        [
          'day',
          'riders in the lowest tenth',
          'quitters',
          'contributors',
          'a quitter’s weight',
          'hours passed over'
        ],
        shown.map(({ day, lowest, weight, longestWait }) => [
          `${day}`,
          percent(lowest.rider),
          percent(lowest.quitter),
          percent(lowest.contributor),
          weight.quitter.toFixed(2),
          `${longestWait}`
        ])
      )
    ],
    drawPlot({
      title: `Weight in the queues, of a contributor’s (quitters stop on day ${STOP})`,
      x: { label: 'day' },
      y: { label: 'ratio' },
      series: (['contributor', 'quitter', 'rider'] as const).map((kind) => ({
        name: kind,
        points: standings.map(({ day, weight }) => [day, weight[kind]] as const)
      }))
    }),
    'ECONOMY.md'
  )
}
