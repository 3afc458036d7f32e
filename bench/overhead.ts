/**
 * What a job's unit costs beside its work: units of next to no work against a bare echo on the same connection.
 */
import type { Page } from 'playwright-core'
import { withTwoTabs } from './pages/tabs.ts'
import { type BenchOptions, type BenchResult, interleave, median, ratio, row } from './report.ts'

export const title = 'Units of next to no work against a bare libp2p echo on the same connection'

const RUNS = 7
/** Jobs of one unit each, of which a measurement takes the middle. */
const LONELY_JOBS = 15
const ECHOES = 100
const UNITS = 1_024
/** Units that a provider takes unreceipted, and so echoes on their way. */
const WINDOW = 64
/** Bytes of a unit's frame and of its result's, which an echo carries both ways. */
const MESSAGE = 192
const DISPATCHES = 300

export async function run({ runs = RUNS, log }: BenchOptions): Promise<BenchResult> {
  return withTwoTabs(async ({ requester, provider }) => {
    await provider.evaluate(() => window.peer?.serve('cpu'))
    const figures = await interleave(runs, {
      echoTrip: () => noted(log, 'echo', echoTrip(requester)),
      unitTrip: () => noted(log, 'unit', unitTrip(requester)),
      echoRate: () => noted(log, 'echoes/s', echoRate(requester)),
      unitRate: () => noted(log, 'units/s', unitRate(requester)),
      gpuRate: () => noted(log, 'dispatches/s', gpuRate(provider))
    })
    const echoTrips = row('overhead.echo-trip', 'ms', figures.echoTrip)
    const unitTrips = row('overhead.unit-trip', 'ms', figures.unitTrip)
    const echoes = row('overhead.echo-rate', '1/s', figures.echoRate)
    const units = row('overhead.unit-rate', '1/s', figures.unitRate)
    const dispatches = row('overhead.dispatch-rate', '1/s', figures.gpuRate)
    const slower = echoes.median < dispatches.median ? echoes : dispatches
    const roundtrip = ratio('overhead.roundtrip', echoTrips, unitTrips)
    const throughput = ratio('overhead.throughput', units, slower)
    return {
      rows: [echoTrips, unitTrips, echoes, dispatches, units],
      ratios: [roundtrip, throughput],
      failures: [
        ...(roundtrip.value < 1 / 3
          ? [`a unit's round trip is ${(1 / roundtrip.value).toFixed(2)} echoes; at most 3`]
          : []),
        ...(throughput.value < 0.5
          ? [`units a second are ${throughput.value.toFixed(2)} of ${slower.name}; at least .5`]
          : [])
      ]
    }
  }, log)
}

async function noted(log: (text: string) => void, name: string, figure: Promise<number>): Promise<number> {
  const value = await figure
  log(`${name}: ${value.toPrecision(4)}`)
  return value
}

async function echoTrip(page: Page): Promise<number> {
  const trips = await page.evaluate(([count, bytes]) => window.peer?.roundTrips(count, bytes), [
    ECHOES,
    MESSAGE
  ] as const)
  return median(trips ?? [])
}

/** From the unit's sending to its verified result. */
async function unitTrip(page: Page): Promise<number> {
  const trips: number[] = []
  for (let i = 0; i < LONELY_JOBS; i++) {
    const times = await page.evaluate(() => window.peer?.runJob(1))
    trips.push(...(times?.trips ?? []))
  }
  return median(trips)
}

const echoRate = (page: Page) =>
  page.evaluate(([count, bytes, window]) => self.peer?.echoRate(count, bytes, window) ?? Number.NaN, [
    UNITS,
    MESSAGE,
    WINDOW
  ] as const)

async function unitRate(page: Page): Promise<number> {
  const times = await page.evaluate((units) => window.peer?.runJob(units), UNITS)
  return UNITS / ((times?.elapsed ?? Number.NaN) / 1_000)
}

const gpuRate = (page: Page) =>
  page.evaluate((count) => window.peer?.gpuLoop(count) ?? Number.NaN, DISPATCHES)
