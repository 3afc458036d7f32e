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
import { type BenchOptions, type BenchResult, type BenchRow, ratio, row } from './report.ts'

export const title =
  'The page: first paint, start after consent, long tasks and frames while it computes at half power'

const RUNS = 5
const FCP_MAX_MS = 500
const BLOCKING_MAX_MS = 200
const FRAMES_MIN = 0.95
const FIRST_MAX_MS = 3_000
/** Each look at the frame rate. */
const LOOK_MS = 3_000
const POWER = 0.5
/** Less than that, and the page waited for work in place of computing. */
const BUSY_MIN = 0.9
const TIMEOUT_MS = 60_000
const PEERS = 200

interface Visit {
  readonly paint: number
  /** From landing to the first paint, and from the click to the first unit that a requester has verified. */
  readonly first: number
  /** Long tasks from the consent's click to the first unit computed, in all. */
  readonly blocking: number
  readonly idleRate: number
  readonly computing: Look
  readonly sending: Look
}

/** While it serves. */
interface Look {
  /** Long tasks. */
  readonly tasks: number
  readonly rate: number
  /** Right after it, in a tab that does nothing else: what the machine costs, and not the page. */
  readonly besideRate: number
  /** Share of the time in which the device had a unit in hand; at half power it rests for half of that. */
  readonly busy: number
  /** Time of a processor that the page's main thread takes, ms a second. */
  readonly mainThread: number
}

/** What the page is hired for. */
interface Load {
  readonly skill: string
  readonly input: unknown
  readonly units: number
}

/** A unit takes a fifth of a second and gives some kilobytes: the device is never idle but for its rests. */
const COMPUTING: Load = {
  skill: 'mandelbrot',
  input: { x: '-0.5', y: '0', span: '3', width: 1_024, height: 1_024, iterations: 30_000 },
  units: 64
}
const SIDE = 1_024
const NUMBERS = Int8Array.from({ length: SIDE * SIDE }, (_, at) => Math.imul(at, 2_654_435_761) >>> 24)
/** A unit takes some milliseconds and gives a quarter of a megabyte: the page sends all the time. */
const SENDING: Load = {
  skill: 'matmul-i8',
  input: { a: NUMBERS, b: NUMBERS, m: SIDE, k: SIDE, n: SIDE },
  units: 16
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
  try {
    const visits: Visit[] = []
    const crowds: Crowd[] = []
    // the first one warms the browser up
    for (let round = 0; round <= runs; round++) {
      // a new one each time: what one has is spent within some visits
      await using requester = await createSwarm({ relays: [...relay.multiaddrs], backend: 'cpu', workers: 1 })
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
  const rowsOf = (name: string, pick: (visit: Visit) => Look) => {
    const looks = visits.map(pick)
    return {
      tasks: row(
        `page.long-tasks${name}`,
        'count',
        looks.map(({ tasks }) => tasks)
      ),
      frames: row(
        `page.frames${name}`,
        '1/s',
        looks.map(({ rate }) => rate)
      ),
      beside: row(
        `page.frames-beside${name}`,
        '1/s',
        looks.map(({ besideRate }) => besideRate)
      ),
      busy: row(
        `page.busy${name}`,
        'share',
        looks.map(({ busy }) => busy)
      ),
      mainThread: row(
        `page.main-thread${name}`,
        'ms/s',
        looks.map(({ mainThread }) => mainThread)
      )
    }
  }
  const computing = rowsOf('', ({ computing }) => computing)
  const sending = rowsOf('@sending', ({ sending }) => sending)
  const idle = row(
    'page.frames-without',
    '1/s',
    of(({ idleRate }) => idleRate)
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
  const frames = ratio('page.frame-rate', computing.frames, idle)
  const ratios = [
    frames,
    ratio('page.frame-rate-beside', computing.beside, idle),
    ratio('page.frame-rate@sending', sending.frames, idle),
    ratio('page.frame-rate-beside@sending', sending.beside, idle)
  ]
  return {
    rows: [
      paint,
      first,
      blocking,
      idle,
      ...Object.values(computing),
      ...Object.values(sending),
      crowdTasks,
      crowdThread
    ],
    ratios,
    failures: [
      ...atMost(paint, FCP_MAX_MS),
      ...atMost(first, FIRST_MAX_MS),
      ...atMost(blocking, BLOCKING_MAX_MS),
      ...atMost(computing.tasks, 0),
      ...atMost(crowdTasks, 0),
      ...(computing.busy.median < BUSY_MIN
        ? [`the device had work for ${computing.busy.median.toFixed(2)} of the time; at least ${BUSY_MIN}`]
        : []),
      ...(frames.value < FRAMES_MIN
        ? [`frame rate ${frames.value.toFixed(3)} of that without; at least ${FRAMES_MIN}`]
        : [])
    ]
  }
}

const atMost = ({ name, unit, median }: BenchRow, limit: number) =>
  median <= limit ? [] : [`${name} is ${median} ${unit}; at most ${limit}`]

/** A fresh profile opens the page, looks at frames before and after, consents, and serves one requester meanwhile. */
async function visit(browser: Browser, origin: string, requester: Swarm): Promise<Visit> {
  const [context, other] = await Promise.all([browser.newContext(), browser.newContext()])
  try {
    await context.addInitScript(watchLongTasks)
    const [page, empty] = await Promise.all([context.newPage(), other.newPage()])
    await page.goto(`${origin}/?power=${100 * POWER}`)
    await page.locator('#consent-start').waitFor()
    const paint = await page.evaluate(firstPaint)
    if (paint === undefined) {
      throw new Error('The browser told no first paint of the page: nothing to measure.')
    }
    const before = await page.evaluate(frameRate, LOOK_MS)
    const clicked = await now(page)
    await page.locator('#consent-start').click()
    await page.waitForFunction(() => window.swarmharness !== undefined, undefined, { timeout: TIMEOUT_MS })
    const sending = await hired(page, requester, SENDING, async () => {
      const began = await now(page)
      return { began, ...(await look(page, empty)) }
    })
    const computing = await hired(page, requester, COMPUTING, () => look(page, empty))
    await page.evaluate(() => window.swarmharness?.pause())
    const after = await page.evaluate(frameRate, LOOK_MS)
    const tasks = await longTasks(page, clicked, sending.began)
    return {
      paint,
      first: Math.round(paint + sending.began - clicked),
      blocking: tasks.reduce((sum, { ms }) => sum + ms, 0),
      idleRate: (before + after) / 2,
      computing,
      sending
    }
  } finally {
    await Promise.all([context.close(), other.close()])
  }
}

/** Acts from the page's first verified unit of that load on, while it is kept at it. */
async function hired<T>(page: Page, requester: Swarm, load: Load, act: () => Promise<T>): Promise<T> {
  // the page waits for the node above, and a node's own id is a peer id
  const peer = (await page.evaluate(() => window.swarmharness?.peer)) as PeerIdString
  const verified = await page.evaluate(() => window.swarmharness?.status.work.verifiedUnits ?? 0)
  const over = new AbortController()
  const working = keepBusy(requester, peer, load, over.signal)
  try {
    await page.waitForFunction(
      (before) => (window.swarmharness?.status.work.verifiedUnits ?? 0) > before,
      verified,
      { timeout: TIMEOUT_MS }
    )
    return await act()
  } finally {
    over.abort()
    await working
  }
}

async function look(page: Page, empty: Page): Promise<Look> {
  const busyMs = () => page.evaluate(() => window.swarmharness?.status.work.busyMs ?? 0)
  const spent = await watchMainThread(page)
  const [began, busyBefore] = [await now(page), await busyMs()]
  const rate = await page.evaluate(frameRate, LOOK_MS)
  const [ended, busyAfter] = [await now(page), await busyMs()]
  const ms = ended - began
  const mainThread = (await spent()) / (ms / 1_000)
  const besideRate = await empty.evaluate(frameRate, LOOK_MS)
  const tasks = await longTasks(page, began, ended)
  return { tasks: tasks.length, rate, besideRate, busy: (busyAfter - busyBefore) / ms, mainThread }
}

async function longTasks(page: Page, from: number, to: number) {
  const tasks = (await page.evaluate(() => window.longTasks)) ?? []
  return tasks.filter(({ start }) => start >= from && start < to)
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
    await page
      .locator('#peers tbody tr')
      .nth(PEERS - 1)
      .waitFor() // that they come is another matter
    const spent = await watchMainThread(page)
    const began = await now(page)
    await page.evaluate(frameRate, LOOK_MS)
    const ended = await now(page)
    return {
      tasks: (await longTasks(page, began, ended)).length,
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

/** Jobs one after the other, all computed by the peer, until the signal. */
async function keepBusy(
  requester: Swarm,
  peer: PeerIdString,
  { skill, input, units }: Load,
  signal: AbortSignal
): Promise<void> {
  while (!signal.aborted) {
    const job = requester.submit(skill, input, {
      units,
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

function format({ paint, first, blocking, idleRate, computing, sending }: Visit): string {
  const words = ({ tasks, rate, besideRate, busy, mainThread }: Look) =>
    `${rate.toFixed(1)} of ${idleRate.toFixed(1)} frames a second, ${besideRate.toFixed(1)} in an empty tab, ${tasks} long tasks, ${mainThread.toFixed(0)} ms a second of the main thread, work for ${busy.toFixed(2)} of the time`
  return `painted after ${paint.toFixed(0)} ms, first unit after ${first} ms, blocked for ${blocking.toFixed(0)} ms; computing: ${words(computing)}; sending: ${words(sending)}`
}
