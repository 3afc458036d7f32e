import { type BenchOptions, type BenchResult, row } from './report.ts'
import { markdownTable, writeSection } from './sim/document.ts'
import { Fleet, type Policy } from './sim/fleet.ts'
import { mixedSpeeds } from './sim/fleets.ts'
import { Kademlia } from './sim/kademlia.ts'
import { simOptions } from './sim/options.ts'
import { drawPlot } from './sim/plot.ts'
import { swarm } from './sim/policies.ts'
import { randomOf } from './sim/random.ts'
import { logSlope, mean, percentile } from './sim/statistics.ts'

export const title = 'A thousand to a hundred thousand nodes: cost a decision, messages a node (simulation)'

const SIZES = [1_000, 10_000, 100_000]
const UNITS_A_NODE = 10
const NODES_A_ROUTER = 50
/** Providers that a requester knows: what one search brings. */
const KNOWN = 64
const LOOKUPS = 2_000
/** Every node puts its records anew once a minute, and every requester searches once a minute. */
const STORES = 20
const SECONDS_MAX = 120
const MEMORY_MAX = 4 * 2 ** 30

interface Size {
  readonly nodes: number
  readonly seconds: number
  readonly decision: number
  readonly lookup: number
  readonly messages: number
  readonly time: number
  readonly p99: number
  readonly memory: number
}

export async function run(options: BenchOptions): Promise<BenchResult> {
  const { seed, nodes, isStandard } = simOptions(options, 100_000, 0)
  const sizes = SIZES.filter((size) => size <= nodes).map((size) => {
    const measured = measure(size, seed)
    options.log(`${size} nodes: ${measured.seconds.toFixed(1)} s`)
    return measured
  })
  const decisionSlope = logSlope(sizes.map((size) => [size.nodes, size.decision]))
  const messageSlope = logSlope(sizes.map((size) => [size.nodes, size.messages]))
  if (isStandard) {
    document(sizes, decisionSlope, messageSlope)
  }
  return {
    rows: [
      ...sizes.flatMap((size) => [
        row(`sim-scale.seconds@${size.nodes}`, 's', [size.seconds]),
        row(`sim-scale.decision@${size.nodes}`, 'µs', [size.decision]),
        row(`sim-scale.messages@${size.nodes}`, 'a minute', [size.messages]),
        row(`sim-scale.memory@${size.nodes}`, 'bytes', [size.memory])
      ]),
      ...(sizes.length > 1
        ? [
            row('sim-scale.decision-slope', 'power', [decisionSlope]),
            row('sim-scale.messages-slope', 'power', [messageSlope])
          ]
        : [])
    ],
    ratios: [],
    failures: sizes.flatMap((size) => [
      ...(size.seconds > SECONDS_MAX ? [`${size.nodes} nodes took ${size.seconds.toFixed(0)} s`] : []),
      ...(size.memory > MEMORY_MAX ? [`${size.nodes} nodes took ${size.memory} bytes`] : [])
    ])
  }
}

function measure(nodes: number, seed: number): Size {
  const began = performance.now()
  const timed = stopwatch(swarm())
  const units = nodes * UNITS_A_NODE
  const { times } = new Fleet({
    speeds: mixedSpeeds(nodes),
    routers: nodes / NODES_A_ROUTER,
    load: 0.8,
    informationAge: 1,
    units,
    seed,
    policy: timed.policy,
    known: KNOWN
  }).run()
  const dht = new Kademlia(nodes, randomOf(seed, 'kademlia'))
  const lookup = mean(Array.from({ length: LOOKUPS }, () => dht.lookup()))
  const searches = (lookup + 2 * KNOWN) / NODES_A_ROUTER // a lookup, then the adverts of those found
  return {
    nodes,
    seconds: (performance.now() - began) / 1_000,
    decision: timed.median(),
    lookup,
    messages: lookup + 2 * STORES + searches,
    time: mean(times),
    p99: percentile(times, 0.99),
    memory: process.memoryUsage().rss
  }
}

/** Times every sixteenth choice, so that reading the clock does not count. */
function stopwatch(inner: Policy): { policy: Policy; median(): number } {
  const samples: number[] = []
  let calls = 0
  return {
    policy: {
      name: inner.name,
      choose(pairs, unit, random, fleet) {
        if (++calls % 16 !== 0) {
          return inner.choose(pairs, unit, random, fleet)
        }
        const began = performance.now()
        const chosen = inner.choose(pairs, unit, random, fleet)
        samples.push((performance.now() - began) * 1_000)
        return chosen
      }
    },
    median: () =>
      percentile(
        samples.sort((a, b) => a - b),
        0.5
      )
  }
}

function document(sizes: readonly Size[], decisionSlope: number, messageSlope: number): void {
  const table = markdownTable(
    [
      'nodes',
      'units',
      'simulated in (s)',
      'a decision (µs)',
      'messages a lookup',
      'DHT and advert messages a node and minute',
      'mean / p99 (s)'
    ],
    sizes.map((size) => [
      size.nodes.toLocaleString('en'),
      (size.nodes * UNITS_A_NODE).toLocaleString('en'),
      size.seconds.toFixed(1),
      size.decision.toFixed(1),
      size.lookup.toFixed(1),
      size.messages.toFixed(1),
      `${size.time.toFixed(2)} / ${size.p99.toFixed(1)}`
    ])
  )
  const slopes = `As N grows, a decision costs N^${decisionSlope.toFixed(2)}, and messages a node N^${messageSlope.toFixed(2)}.`
  const plot = drawPlot({
    title: 'Cost by size of the swarm',
    x: { label: 'nodes', log: true },
    y: { label: 'µs; messages a minute', log: true },
    series: [
      { name: 'a decision (µs)', points: sizes.map(({ nodes, decision }) => [nodes, decision]) },
      { name: 'messages a node', points: sizes.map(({ nodes, messages }) => [nodes, messages]) }
    ]
  })
  writeSection('sim-scale', [table, slopes], plot)
}
