import { THRESHOLD_RATES } from '../src/router/index.ts'
import { type BenchOptions, type BenchResult, row } from './report.ts'
import { markdownTable, writeSection } from './sim/document.ts'
import { simOptions } from './sim/options.ts'
import { drawPlot } from './sim/plot.ts'
import { randomOf, shuffle } from './sim/random.ts'
import { type SpecialiseInit, type SpecialiseResult, specialise } from './sim/specialise.ts'
import { mean, mutualInformation } from './sim/statistics.ts'

export const title =
  'Do equal nodes come to differ, does it help, and does it survive a turn of demand? (simulation)'

const SETTING = { skills: 8, warm: 2, setup: 2, load: 0.4 }
const STILL = { learning: 0, forgetting: 0 }
/** Share of the time before the flip that is left to settle. */
const SETTLING = 0.4
const WINDOWS = 80

type Rules = Pick<SpecialiseInit, 'pheromones' | 'thresholds'>

const VARIANTS: Readonly<Record<string, Rules>> = {
  'neither (ξ = φ = 0)': { pheromones: false, thresholds: STILL },
  'pheromones only': { pheromones: true, thresholds: STILL },
  'thresholds only': { pheromones: false, thresholds: THRESHOLD_RATES },
  both: { pheromones: true, thresholds: THRESHOLD_RATES }
}

interface Figures {
  readonly name: string
  /** Bits: of node and skill; and with the skills dealt out anew. */
  readonly information: number
  readonly control: number
  readonly time: number
  readonly cold: number
  readonly timeline: ReadonlyArray<readonly [number, number]>
  /** Seconds after the flip until a window's mean is at most 1.1 times that before; none: never in this run. */
  readonly recovery: number | undefined
}

export async function run(options: BenchOptions): Promise<BenchResult> {
  const { seed, nodes, units, isStandard } = simOptions(options, 60, 60_000)
  const figures = Object.entries(VARIANTS).map(([name, rules]) =>
    describe(name, specialise({ ...SETTING, ...rules, nodes, units, seed }), seed)
  )
  const none = figures[0]
  const both = figures.at(-1)
  if (none === undefined || both === undefined) {
    throw new RangeError('There is nothing to compare.')
  }
  if (isStandard) {
    document(figures)
  }
  const bothTime = row('sim-specialise.mean', 's', [both.time])
  const noneTime = row('sim-specialise.mean-without', 's', [none.time])
  return {
    rows: [
      row('sim-specialise.information', 'bit', [both.information]),
      row('sim-specialise.information-shuffled', 'bit', [both.control]),
      bothTime,
      noneTime,
      row('sim-specialise.recovery', 's', [both.recovery ?? Number.MAX_VALUE])
    ],
    ratios: [
      {
        name: 'sim-specialise.of-without',
        value: both.time / none.time,
        of: bothTime.name,
        to: noneTime.name
      }
    ],
    failures: [
      ...(both.information > 5 * both.control ? [] : ['nodes and skills are hardly bound to each other']),
      ...(both.time < none.time ? [] : ['specialising does not pay']),
      ...(both.recovery === undefined ? ['it does not recover when demand turns'] : [])
    ]
  }
}

function describe(name: string, { done, flippedAt }: SpecialiseResult, seed: number): Figures {
  const settled = done.filter(({ at }) => at > SETTLING * flippedAt && at < flippedAt)
  const skills = shuffle(
    settled.map(({ skill }) => skill),
    randomOf(seed, 'control')
  )
  const end = done.at(-1)?.at ?? 0
  const width = end / WINDOWS
  const timeline = Array.from({ length: WINDOWS }, (_, i) => {
    const inside = done.filter(({ at }) => at > i * width && at <= (i + 1) * width)
    return [(i + 0.5) * width, mean(inside.map(({ time }) => time))] as const
  })
  const time = mean(settled.map((unit) => unit.time))
  const recovered = timeline.find(([at, value]) => at > flippedAt && value <= 1.1 * time)
  return {
    name,
    information: mutualInformation(settled.map(({ node, skill }) => [node, skill])),
    control: mutualInformation(settled.map(({ node }, i) => [node, skills[i] ?? 0])),
    time,
    cold: mean(settled.map(({ cold }) => (cold ? 1 : 0))),
    timeline,
    recovery: recovered && recovered[0] - flippedAt
  }
}

function document(figures: readonly Figures[]): void {
  const table = markdownTable(
    ['', 'information (bit)', 'shuffled', 'mean time (s)', 'cold starts', 'recovered after (s)'],
    figures.map(({ name, information, control, time, cold, recovery }) => [
      name,
      information.toFixed(3),
      control.toFixed(3),
      time.toFixed(2),
      `${(cold * 100).toFixed(0)} %`,
      recovery === undefined ? 'not' : recovery.toFixed(0)
    ])
  )
  const plot = drawPlot({
    title: 'Mean time of a unit; in the middle the popularity of the skills is turned round',
    x: { label: 'time (s)' },
    y: { label: 'mean time of a unit (s)' },
    series: figures.map(({ name, timeline }) => ({ name, points: timeline }))
  })
  writeSection('sim-specialise', [table], plot)
}
