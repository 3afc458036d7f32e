import { NETWORKS, type NetworkParameters } from '../src/wire/index.ts'
import type { Agent } from './economy/agent.ts'
import { Market, type MarketInit } from './economy/market.ts'
import { type Day, dayOf, newcomers, type Waits } from './economy/measures.ts'
import { PARAMETERS, parameterRows } from './economy/parameters.ts'
import { participation, type Week } from './economy/participation.ts'
import { Crowd } from './economy/population.ts'
import { type BenchOptions, type BenchResult, row } from './report.ts'
import { markdownTable, writeSection } from './sim/document.ts'
import { simOptions } from './sim/options.ts'
import { drawPlot } from './sim/plot.ts'

export const title =
  'Months of an honest swarm: who has credit, who is recognised, how newcomers fare (simulation)'

const LEAVE_A_DAY = 0.01
const PAGE = 'ECONOMY.md'
/** The sensitivity runs are smaller. */
const SMALL = { nodes: 200, days: 30 }
/** Nodes of the falling participation. */
const CROWD = 400

interface Life {
  readonly days: readonly Day[]
  readonly last: Day
  readonly firstJob: Waits
  readonly firstPaid: Waits
}

export async function run(options: BenchOptions): Promise<BenchResult> {
  const { seed, nodes, days, isStandard } = simOptions(options, 2_000, 0, 90)
  const life = live(NETWORKS.main, seed, nodes, days)
  options.log(`${nodes} nodes, ${days} days`)
  const { last, firstJob, firstPaid } = life
  const weeks = participation(NETWORKS.main, seed, Math.min(nodes, CROWD))
  const withoutRule = participation(
    { ...NETWORKS.main, idleHalfLifeHours: 1e9, drainPpmPerHour: 0 },
    seed,
    Math.min(nodes, CROWD)
  )
  options.log('participation')
  if (isStandard) {
    document(life, weeks, withoutRule, sensitivity(seed))
  }
  const final = weeks.at(-1)
  return {
    rows: [
      row('sim-economy.gini', '', [last.gini]),
      row('sim-economy.top-hundredth', 'share', [last.topHundredth]),
      row('sim-economy.idle-credit', 'share', [last.idleShare]),
      row('sim-economy.velocity', 'a day', [last.velocity]),
      row('sim-economy.recognised', 'share', [last.recognisedShare]),
      row('sim-economy.strangers', 'share', [last.strangersShare]),
      row('sim-economy.unaffordable', 'share', [last.unaffordableShare]),
      row('sim-economy.first-job', 'h', [firstJob.median]),
      row('sim-economy.first-job-p95', 'h', [firstJob.p95]),
      row('sim-economy.first-paid', 'h', [firstPaid.median]),
      row('sim-economy.first-paid-late', 'share', [firstPaid.never]),
      row('sim-economy.idle-weight-of-active', 'ratio', [final?.ratio ?? Number.NaN])
    ],
    ratios: [],
    failures: [
      ...(last.recognisedShare < 0.2 ? ['collapse: hardly anybody is recognised'] : []),
      ...(last.work < 0.1 * (life.days[0]?.work ?? 0) ? ['collapse: hardly anybody has work done'] : []),
      ...(last.topHundredth > 0.5 ? ['hoarding: a hundredth has more than half of all credit'] : []),
      ...((final?.ratio ?? 1) >= 0.5 ? ['idle nodes keep their priority while participation falls'] : [])
    ]
  }
}

function live(
  network: NetworkParameters,
  seed: number,
  nodes: number,
  length: number,
  ways: Pick<MarketInit, 'asked' | 'readers'> = {}
): Life {
  const market = new Market({ network, seed, ...ways })
  const crowd = new Crowd(market, nodes, LEAVE_A_DAY)
  const days: Day[] = []
  for (let day = 0; day < length; day++) {
    for (let hour = 0; hour < 24; hour++) {
      market.hour()
    }
    days.push(dayOf(market, market.resetTally()))
    crowd.turnOver()
  }
  const week = averaged(days.slice(-7))
  const window = [7, Math.max(8, length - 7)] as const
  const asks = ({ profile }: Agent) => profile.jobsADay > 1
  const serves = ({ profile }: Agent) => profile.serves
  return {
    days,
    last: week,
    firstJob: newcomers(market, window, ({ firstJob }) => firstJob, asks),
    firstPaid: newcomers(market, window, ({ firstPaid }) => firstPaid, serves)
  }
}

/** The last day, with the mean of a week in what varies from day to day. */
function averaged(days: readonly Day[]): Day {
  const last = days.at(-1)
  if (last === undefined) {
    throw new RangeError('A life has one day or more.')
  }
  const of = (pick: (day: Day) => number) => days.reduce((sum, day) => sum + pick(day), 0) / days.length
  return {
    ...last,
    velocity: of(({ velocity }) => velocity),
    work: of(({ work }) => work),
    recognisedShare: of(({ recognisedShare }) => recognisedShare),
    strangersShare: of(({ strangersShare }) => strangersShare),
    unaffordableShare: of(({ unaffordableShare }) => unaffordableShare)
  }
}

function sensitivity(seed: number): string[][] {
  const line = (name: string, { last, firstPaid }: Life) => [
    name,
    last.work.toFixed(3),
    percent(last.recognisedShare),
    percent(last.strangersShare),
    last.gini.toFixed(2),
    percent(last.idleShare),
    percent(last.unaffordableShare),
    firstPaid.median.toFixed(0)
  ]
  const small = (network: NetworkParameters, ways?: Parameters<typeof live>[4]) =>
    live(network, seed, SMALL.nodes, SMALL.days, ways)
  const byChance = { random: 12, known: 0 }
  return [
    line('defaults', small(NETWORKS.main)),
    line('providers asked by speed alone', small(NETWORKS.main, { asked: byChance })),
    line('chains read by witnesses only', small(NETWORKS.main, { readers: 'witnesses' })),
    line('both', small(NETWORKS.main, { asked: byChance, readers: 'witnesses' })),
    ...Object.values(PARAMETERS).flatMap(({ tried }) =>
      tried.map((change) => {
        const name = Object.entries(change).map(([key, value]) => `${key} ${value}`)
        return line(name.join(', '), small({ ...NETWORKS.main, ...change }))
      })
    )
  ]
}

function document(
  { days, firstJob, firstPaid }: Life,
  weeks: readonly Week[],
  withoutRule: readonly Week[],
  sensitive: string[][]
): void {
  const shown = days.filter(({ day }) => [1, 7, 14, 30, 60, 90].includes(day))
  const table = markdownTable(
    [
      'day',
      'Gini',
      'p10 / p50 / p90 (cr)',
      'richest 1 % have',
      'idle credit',
      'velocity a day',
      'work a node (cr)',
      'recognised',
      'strangers’ part of work',
      'wished, no credit'
    ],
    shown.map((day) => [
      `${day.day}`,
      day.gini.toFixed(2),
      day.quantiles.map((value) => value.toFixed(1)).join(' / '),
      percent(day.topHundredth),
      percent(day.idleShare),
      day.velocity.toFixed(3),
      day.work.toFixed(2),
      percent(day.recognisedShare),
      percent(day.strangersShare),
      percent(day.unaffordableShare)
    ])
  )
  const waits = markdownTable(
    [`newcomers of days 7 to ${Math.max(8, days.length - 7)}`, 'median (h)', 'p95 (h)', 'more than a week'],
    [
      [
        'to the first job done for them',
        firstJob.median.toFixed(0),
        firstJob.p95.toFixed(0),
        percent(firstJob.never)
      ],
      [
        'to the first job that they are paid for',
        firstPaid.median.toFixed(0),
        firstPaid.p95.toFixed(0),
        percent(firstPaid.never)
      ]
    ]
  )
  const kinds = (['contributor', 'both', 'requester', 'idler'] as const).map((kind) => ({
    name: kind,
    points: days.map(({ day, meanOf }) => [day, meanOf[kind]] as const)
  }))
  writeSection(
    'economy-parameters',
    [markdownTable(['parameter', 'main', 'local', 'unit', 'why'], parameterRows())],
    undefined,
    PAGE
  )
  writeSection(
    'sim-economy',
    [table, waits],
    drawPlot({
      title: 'Mean balance by kind of node',
      x: { label: 'day' },
      y: { label: 'credits' },
      series: kinds
    }),
    PAGE
  )
  writeSection(
    'sim-economy-idle',
    [
      markdownTable(
        ['day', 'serve', 'idle nodes’ weight, of an active one’s', 'without drain and fading'],
        weeks.map((week, i) => [
          `${week.day}`,
          percent(week.participation),
          week.ratio.toFixed(2),
          withoutRule[i]?.ratio.toFixed(2) ?? ''
        ])
      )
    ],
    drawPlot({
      title: 'Participation falls: do idle nodes keep priority?',
      x: { label: 'day' },
      y: { label: 'share, or ratio' },
      series: [
        { name: 'nodes that serve', points: weeks.map(({ day, participation }) => [day, participation]) },
        { name: 'idle : active', points: weeks.map(({ day, ratio }) => [day, ratio]) },
        { name: 'without rule', points: withoutRule.map(({ day, ratio }) => [day, ratio]) }
      ]
    }),
    PAGE
  )
  writeSection(
    'sim-economy-sensitivity',
    [
      markdownTable(
        [
          'changed',
          'work a node and day (cr)',
          'recognised',
          'strangers’ part',
          'Gini',
          'idle credit',
          'wished, no credit',
          'first paid (h)'
        ],
        sensitive
      )
    ],
    undefined,
    PAGE
  )
}

const percent = (share: number) => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`
