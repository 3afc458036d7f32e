/** What the page costs its visitor: the first paint, the start after consent, and the main thread while it computes. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, CDPSession, Page } from 'playwright-core'
import { createRelay } from '../relay/index.ts'
import { launchChromium } from '../src/cli/demo/tabs.ts'
import { createSwarm, type PeerIdString, type Swarm } from '../src/index.ts'
import { NETWORKS, networkOf } from '../src/wire/index.ts'
import { firstPaint, frameRate, watchLongTasks } from './page/observe.ts'
import { buildPage } from './pages/tabs.ts'
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
  /** At the same time, in a tab that does nothing else: what the machine costs, and not the page. */
  readonly besideRate: number
  /** Time of a processor that the page's main thread takes while it computes, ms a second. */
  readonly mainThread: number
}

/** The page with 200 peers, for as long as a look. */
interface Crowd {
  readonly tasks: number
  readonly mainThread: number
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
    const crowds: Crowd[] = []
    // the first one warms the browser up
    for (let round = 0; round <= runs; round++) {
      const each = await visit(browser, relay.origin, requester)
      log(`${round === 0 ? 'warm-up' : `run ${round}`}: ${format(each)}`)
      visits.push(...(round === 0 ? [] : [each]))
    }
    for (let round = 0; round < runs; round++) {
      const each = await lookAtCrowd(browser)
      log(`200 peers: ${each.tasks} long tasks, ${each.mainThread.toFixed(0)} ms a second of the main thread`)
      crowds.push(each)
    }
    return resultOf(visits, crowds)
  } finally {
    await requester.stop()
    await browser.close()
    await relay.stop()
  }
}

function resultOf(visits: readonly Visit[], crowds: readonly Crowd[]): BenchResult {
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
  const beside = row(
    'page.frames-beside',
    '1/s',
    of(({ besideRate }) => besideRate)
  )
  const mainThread = row(
    'page.main-thread',
    'ms/s',
    of(({ mainThread }) => mainThread)
  )
  const crowdTasks = row(
    'page.long-tasks@200',
    'count',
    crowds.map(({ tasks }) => tasks)
  )
  const crowdThread = row(
    'page.main-thread@200',
    'ms/s',
    crowds.map(({ mainThread }) => mainThread)
  )
  const frames = ratio('page.frame-rate', busy, idle)
  const machine = ratio('page.frame-rate-beside', beside, idle)
  return {
    rows: [paint, first, blocking, tasks, busy, beside, idle, mainThread, crowdTasks, crowdThread],
    ratios: [frames, machine],
    failures: [
      ...(paint.median > FCP_MAX_MS ? [`first paint after ${paint.median} ms; at most ${FCP_MAX_MS}`] : []),
      ...(first.median > FIRST_MAX_MS
        ? [`the first verified unit after ${first.median} ms; at most ${FIRST_MAX_MS}`]
        : []),
      ...(blocking.median > BLOCKING_MAX_MS
        ? [`${blocking.median} ms of long tasks at the start; at most ${BLOCKING_MAX_MS}`]
        : []),
      ...(tasks.median > 0 ? [`${tasks.median} long tasks while it computes; none is wanted`] : []),
      ...(crowdTasks.median > 0 ? [`${crowdTasks.median} long tasks with 200 peers; none is wanted`] : []),
      ...(frames.value < FRAMES_MIN
        ? [
            `frame rate ${frames.value.toFixed(2)}; at least ${FRAMES_MIN} (a tab that does nothing has ${machine.value.toFixed(2)})`
          ]
        : [])
    ]
  }
}

/** A fresh profile opens the page, looks at frames before and after, consents, and serves one requester meanwhile. */
async function visit(browser: Browser, origin: string, requester: Swarm): Promise<Visit> {
  const [context, other] = await Promise.all([browser.newContext(), browser.newContext()])
  try {
    await context.addInitScript(watchLongTasks)
    const [page, empty] = await Promise.all([context.newPage(), other.newPage()])
    await page.goto(`${origin}/?power=50`)
    await page.locator('#consent-start').waitFor()
    const paint = await page.evaluate(firstPaint)
    if (paint === undefined) {
      throw new Error('The browser told no first paint of the page: nothing to measure.')
    }
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
    const spent = await watchMainThread(page)
    const began = await now(page)
    const busyRate = await page.evaluate(frameRate, LOOK_MS)
    const ended = await now(page)
    const mainThread = (await spent()) / ((ended - began) / 1_000)
    const besideRate = await empty.evaluate(frameRate, LOOK_MS)
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
      busyRate,
      besideRate,
      mainThread
    }
  } finally {
    await Promise.all([context.close(), other.close()])
  }
}

/** A page of the bench's own: the product's components, and nothing behind them. */
async function lookAtCrowd(browser: Browser): Promise<Crowd> {
  const folder = await mkdtemp(join(tmpdir(), 'swarmharness-crowd-'))
  await buildPage(folder, fileURLToPath(new URL('./pages', import.meta.url)), 'crowd.html')
  const host = await createRelay({ network: await networkOf(NETWORKS.local), staticFolder: folder })
  const context = await browser.newContext({ viewport: { width: 1_280, height: 1_400 } })
  try {
    await context.addInitScript(watchLongTasks)
    const page = await context.newPage()
    await page.goto(`${host.origin}/crowd.html`)
    await page.evaluate(() => window.crowded)
    const spent = await watchMainThread(page)
    const began = await now(page)
    await page.evaluate(frameRate, LOOK_MS)
    const ended = await now(page)
    const tasks = (await page.evaluate(() => window.longTasks)) ?? []
    return {
      tasks: tasks.filter(({ start }) => start >= began && start < ended).length,
      mainThread: (await spent()) / ((ended - began) / 1_000)
    }
  } finally {
    await context.close()
    await host.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** @returns what the main thread has spent since then (ms of a processor) */
async function watchMainThread(page: Page): Promise<() => Promise<number>> {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' })
  const before = await taskTime(devtools)
  return async () => (await taskTime(devtools)) - before
}

async function taskTime(devtools: CDPSession): Promise<number> {
  const { metrics } = await devtools.send('Performance.getMetrics')
  return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0) * 1_000
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

function format({
  paint,
  first,
  blocking,
  tasks,
  idleRate,
  busyRate,
  besideRate,
  mainThread
}: Visit): string {
  const frames = `${busyRate.toFixed(1)} of ${idleRate.toFixed(1)} frames a second, ${besideRate.toFixed(1)} in an empty tab, ${mainThread.toFixed(0)} ms a second of the main thread`
  return `painted after ${paint.toFixed(0)} ms, first unit after ${first} ms, blocked for ${blocking.toFixed(0)} ms, ${tasks} long tasks, ${frames}`
}
