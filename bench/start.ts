/**
 * A fresh provider for a job that waits for one: from the consent click to the first unit verified and
 * receipted. Everything is observed from outside the product, by what the browser does for it.
 */
import { fileURLToPath } from 'node:url'
import { createRelay, type Relay } from '../relay/index.ts'
import { launchChromium, openTab, type Tab } from '../src/cli/demo/tabs.ts'
import { NETWORKS, networkOf } from '../src/wire/index.ts'
import { type BenchOptions, type BenchResult, row } from './report.ts'
import { isDone, observe, waitForUnit } from './start/observe.ts'

export const title = 'Consent click of a fresh provider to its first unit verified and receipted (s)'

const RUNS = 10
const LIMIT_S = 3
const STEP_TIMEOUT_MS = 30_000

/** The steps in the order of the way of a job, each in seconds after the click. */
const STEPS = {
  'start.code-loaded': 'code',
  'start.identity-stored': 'identity',
  'start.relay-connected': 'relayConnected',
  'start.node-started': 'node',
  'start.device-ready': 'device',
  'start.relay-reserved': 'reserved',
  'start.advert-heard': 'advert',
  'start.direct-connection': 'direct',
  'start.escrow-certified': 'certified',
  'start.unit-sent': 'sent',
  'start.unit-verified': 'verified',
  'start.total': 'receipted',
  'start.claimed': 'claimed'
} as const

type Step = (typeof STEPS)[keyof typeof STEPS]

export async function run({ runs = RUNS, log }: BenchOptions): Promise<BenchResult> {
  const relay = await createRelay({
    network: await networkOf(NETWORKS.local),
    staticFolder: fileURLToPath(new URL('../dist', import.meta.url))
  })
  const browser = await launchChromium()
  try {
    const requester = await openTab(browser, relay.origin, { name: 'requester', consent: 'hire' })
    const seconds = Object.fromEntries(Object.values(STEPS).map((step) => [step, [] as number[]]))
    // the first run warms the browser and the relay up
    for (let round = 0; round <= runs; round++) {
      const times = await startOnce(requester, relay)
      log(`${round === 0 ? 'warm-up' : `run ${round}`}: ${format(times)}`)
      for (const step of round === 0 ? [] : Object.values(STEPS)) {
        seconds[step]?.push(times[step])
      }
    }
    const rows = Object.entries(STEPS).map(([name, step]) => row(name, 's', seconds[step] ?? []))
    const total = rows.find(({ name }) => name === 'start.total')?.median ?? Number.POSITIVE_INFINITY
    return {
      rows,
      ratios: [],
      failures: total > LIMIT_S ? [`${total.toFixed(2)} s from consent to receipt; at most ${LIMIT_S} s`] : []
    }
  } finally {
    await browser.close()
    await relay.stop()
  }
}

/**
 * One provider comes, serves one unit, and goes. The next waits until the requester has noticed that the last
 * one is gone, which takes WebRTC about 15 s.
 */
async function startOnce(requester: Tab, relay: Relay): Promise<Record<Step, number>> {
  await requester.page.waitForFunction(
    () => window.swarmharness?.status.peers.every(({ isRelay }) => isRelay),
    undefined,
    { timeout: STEP_TIMEOUT_MS }
  )
  const job = requester.page.evaluate(waitForUnit)
  const context = await requester.context.browser()?.newContext()
  if (context === undefined) {
    throw new Error('The browser is gone.')
  }
  try {
    await context.addInitScript(observe)
    const page = await context.newPage()
    await page.goto(relay.origin)
    await page.locator('#consent-start').click()
    const hired = await job
    await page.waitForFunction(isDone, undefined, { timeout: STEP_TIMEOUT_MS, polling: 50 })
    const served = await page.evaluate(() => window.startTimes)
    if (!hired.isRight || served?.click === undefined) {
      throw new Error('The product was wrong, or the click was not seen.')
    }
    const click = served.click
    const times: Partial<Record<string, number>> = { ...served, ...hired.times }
    return Object.fromEntries(
      Object.values(STEPS).map((step) => [step, ((times[step] ?? Number.NaN) - click) / 1_000])
      // the keys are the values of STEPS
    ) as Record<Step, number>
  } finally {
    await context.close()
  }
}

function format(times: Record<Step, number>): string {
  return Object.entries(times)
    .map(([step, time]) => `${step} ${time.toFixed(2)}`)
    .join(', ')
}
