/** What the page costs its visitor: the first paint, the start after consent, and the main thread while it computes. */
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { createRelay } from '../relay/index.ts'
import { launchChromium } from '../src/cli/demo/tabs.ts'
import { createSwarm, type PeerIdString, type Swarm } from '../src/index.ts'
import { NETWORKS, networkOf } from '../src/wire/index.ts'
import { firstPaint, frameRate, watchLongTasks } from './page/observe.ts'
import { type BenchOptions, type BenchResult, ratio, row } from './report.ts'

export const title =
  'The page: first paint, start after consent, long tasks and frames while it computes at half power'

const RUNS = 5
const FCP_MAX_MS = 500
const BLOCKING_MAX_MS = 200
const FRAMES_MIN = 0.95
const FIRST_MAX_MS = 3_000
/** Each look at the frame rate. */
const LOOK_MS = 3_000
const SIDE = 1_024
const TIMEOUT_MS = 60_000

interface Visit {
  readonly paint: number
  /** From landing to the first paint, and from the click to the first unit that a requester has verified. */
  readonly first: number
  /** Long tasks from the consent's click to the first unit computed, in all. */
  readonly blocking: number
  /** Long tasks from then on. */
  readonly tasks: number
  readonly idleRate: number
  readonly busyRate: number
}

export async function run({ runs = RUNS, log }: BenchOptions): Promise<BenchResult> {
  const relay = await createRelay({
    network: await networkOf(NETWORKS.local),
    staticFolder: fileURLToPath(new URL('../dist', import.meta.url))
  })
  const browser = await launchChromium()
  const requester = await createSwarm({ relays: [...relay.multiaddrs], backend: 'cpu', workers: 1 })
  try {
    const visits: Visit[] = []
    // the first one warms the browser up
    for (let round = 0; round <= runs; round++) {
      const each = await visit(browser, relay.origin, requester)
      log(`${round === 0 ? 'warm-up' : `run ${round}`}: ${format(each)}`)
      visits.push(...(round === 0 ? [] : [each]))
    }
    return resultOf(visits)
  } finally {
    await requester.stop()
    await browser.close()
    await relay.stop()
  }
}

function resultOf(visits: readonly Visit[]): BenchResult {
  const of = (pick: (visit: Visit) => number) => visits.map(pick)
  const paint = row(
    'page.fcp',
    'ms',
    of(({ paint }) => paint)
  )
  const first = row(
    'page.first-verified',
    'ms',
    of(({ first }) => first)
  )
  const blocking = row(
    'page.start-blocking',
    'ms',
    of(({ blocking }) => blocking)
  )
  const tasks = row(
    'page.long-tasks',
    'count',
    of(({ tasks }) => tasks)
  )
  const busy = row(
    'page.frames-computing',
    '1/s',
    of(({ busyRate }) => busyRate)
  )
  const idle = row(
    'page.frames-without',
    '1/s',
    of(({ idleRate }) => idleRate)
  )
  const frames = ratio('page.frame-rate', busy, idle)
  return {
    rows: [paint, first, blocking, tasks, busy, idle],
    ratios: [frames],
    failures: [
      ...(paint.median > FCP_MAX_MS ? [`first paint after ${paint.median} ms; at most ${FCP_MAX_MS}`] : []),
      ...(first.median > FIRST_MAX_MS
        ? [`the first verified unit after ${first.median} ms; at most ${FIRST_MAX_MS}`]
        : []),
      ...(blocking.median > BLOCKING_MAX_MS
        ? [`${blocking.median} ms of long tasks at the start; at most ${BLOCKING_MAX_MS}`]
        : []),
      ...(tasks.median > 0 ? [`${tasks.median} long tasks while it computes; none is wanted`] : []),
      ...(frames.value < FRAMES_MIN ? [`frame rate ${frames.value.toFixed(2)}; at least ${FRAMES_MIN}`] : [])
    ]
  }
}

/** A fresh profile opens the page, looks at frames before and after, consents, and serves one requester meanwhile. */
async function visit(browser: Browser, origin: string, requester: Swarm): Promise<Visit> {
  const context = await browser.newContext()
  try {
    await context.addInitScript(watchLongTasks)
    const page = await context.newPage()
    await page.goto(`${origin}/?power=50`)
    await page.locator('#consent-start').waitFor()
    const paint = (await page.evaluate(firstPaint)) ?? Number.NaN
    const before = await page.evaluate(frameRate, LOOK_MS)
    const clicked = await now(page)
    await page.locator('#consent-start').click()
    await page.waitForFunction(() => window.swarmharness !== undefined, undefined, { timeout: TIMEOUT_MS })
    // the page waits for the node above, and a node's own id is a peer id
    const peer = (await page.evaluate(() => window.swarmharness?.peer)) as PeerIdString
    const over = new AbortController()
    const working = keepBusy(requester, peer, over.signal)
    await page.waitForFunction(() => (window.swarmharness?.status.work.verifiedUnits ?? 0) > 0, undefined, {
      timeout: TIMEOUT_MS
    })
    const began = await now(page)
    const busyRate = await page.evaluate(frameRate, LOOK_MS)
    const ended = await now(page)
    over.abort()
    await working
    await page.evaluate(() => window.swarmharness?.pause())
    const after = await page.evaluate(frameRate, LOOK_MS)
    const tasks = (await page.evaluate(() => window.longTasks)) ?? []
    const between = (from: number, to: number) => tasks.filter(({ start }) => start >= from && start < to)
    return {
      paint,
      first: Math.round(paint + began - clicked),
      blocking: between(clicked, began).reduce((sum, { ms }) => sum + ms, 0),
      tasks: between(began, ended).length,
      idleRate: (before + after) / 2,
      busyRate
    }
  } finally {
    await context.close()
  }
}

const now = (page: Page) => page.evaluate(() => performance.now())

/** Products one after the other, all computed by the peer, until the signal. */
async function keepBusy(requester: Swarm, peer: PeerIdString, signal: AbortSignal): Promise<void> {
  const numbers = Int8Array.from({ length: SIDE * SIDE }, (_, at) => Math.imul(at, 2_654_435_761) >>> 24)
  const input = { a: numbers, b: numbers, m: SIDE, k: SIDE, n: SIDE }
  while (!signal.aborted) {
    const job = requester.submit('matmul-i8', input, {
      units: 16,
      providers: [peer],
      providerWaitMs: TIMEOUT_MS,
      signal
    })
    await job.result.catch((error: unknown) => {
      if (!signal.aborted) {
        throw error
      }
    })
  }
}

function format({ paint, first, blocking, tasks, idleRate, busyRate }: Visit): string {
  const frames = `${busyRate.toFixed(1)} of ${idleRate.toFixed(1)} frames a second`
  return `painted after ${paint.toFixed(0)} ms, first unit after ${first} ms, blocked for ${blocking.toFixed(0)} ms, ${tasks} long tasks, ${frames}`
}
