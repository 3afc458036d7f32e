/**
 * The ledger beside what it stands on: signatures, strict puts, round trips; how soon a long one is open.
 *
 * `ledger.verify` is a page's own way: its thread decodes records and applies them, and a worker of the tab checks their
 * signatures meanwhile. `ledger.verify-here` is that of a page that may have no worker. Both are set against WebCrypto
 * asked for nothing but the same signatures, by the one thread of the same tab. What a tail keeps that thread from is in
 * the rows `busy`.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Page } from 'playwright-core'
import { createRelay } from '../relay/index.ts'
import { CHROMIUM_FLAGS } from '../scripts/chromium-flags.ts'
import { findChromium } from '../scripts/find-chromium.mjs'
import { NETWORKS, networkOf } from '../src/wire/index.ts'
import { bytesOfJob } from './ledger/bytes.ts'
import { roundTrip, timeToQuorum, withWitnesses } from './ledger/quorum.ts'
import { buildPage } from './pages/tabs.ts'
import { type BenchOptions, type BenchResult, interleave, ratio, row } from './report.ts'

export const title = 'The ledger beside bare Ed25519, bare strict puts and a round trip; opening a long one'

const RUNS = 9
const TAIL = 1_000
/** Signatures that WebCrypto is asked for at once, as a tail of records asks for them. */
const IN_FLIGHT = 64
/** Rounds until the browser has compiled what checks a record, as it has where a tail is long. */
const WARMUPS = 8
const APPENDS = 50
const LONG = 100_000
const OF_BARE_MIN = 0.8
const OF_TRIP_MAX = 3
const OPEN_MAX_MS = 500

export async function run({ runs = RUNS, log }: BenchOptions): Promise<BenchResult> {
  const inTab = await withTab(log, (page) => measureTab(page, runs, log))
  log('a quorum of seven witnesses in Node')
  const quorum = await withWitnesses((house) =>
    interleave(3 * runs, { trip: () => roundTrip(house), quorum: () => timeToQuorum(house) })
  )
  const bytes = await bytesOfJob()
  const figures = { ...inTab, ...quorum }
  const verify = row('ledger.verify', 'records/s', figures.verifyTail)
  const here = row('ledger.verify-here', 'records/s', figures.verifyHere)
  const ed25519 = row('ledger.ed25519', 'signatures/s', figures.verifyBare)
  const alone = row('ledger.ed25519-alone', 'signatures/s', figures.verifyAlone)
  const appends = row('ledger.append-rate', 'appends/s', figures.append.map(rate))
  const puts = row('ledger.put-rate', 'puts/s', figures.put.map(rate))
  const trip = row('ledger.round-trip', 'ms', figures.trip)
  const toQuorum = row('ledger.quorum', 'ms', figures.quorum)
  const open = row(`ledger.open@${LONG}`, 'ms', figures.open)
  const ratios = [
    ratio('ledger.verify-of-ed25519', verify, ed25519),
    ratio('ledger.verify-here-of-ed25519', here, ed25519),
    ratio('ledger.append-of-put', appends, puts),
    ratio('ledger.quorum-of-rtt', toQuorum, trip)
  ]
  const [ofEd25519, , ofPut, ofTrip] = ratios.map(({ value }) => value)
  return {
    rows: [
      verify,
      here,
      row('ledger.verify-busy', 'ms', figures.busyBeside),
      row('ledger.verify-here-busy', 'ms', figures.busyHere),
      ed25519,
      alone,
      appends,
      puts,
      trip,
      toQuorum,
      open,
      row('ledger.bytes-of-job@requester', 'bytes', [bytes.requester]),
      row('ledger.bytes-of-job@payee', 'bytes', [bytes.payee]),
      row('ledger.bytes-of-job@witness', 'bytes', [bytes.witness])
    ],
    ratios,
    failures: [
      ...atLeast('ledger.verify-of-ed25519', ofEd25519),
      ...atLeast('ledger.append-of-put', ofPut),
      ...atMost('ledger.quorum-of-rtt', ofTrip, OF_TRIP_MAX),
      ...atMost(open.name, open.median, OPEN_MAX_MS)
    ]
  }
}

async function measureTab(page: Page, runs: number, log: (text: string) => void) {
  log(`making ${TAIL} records`)
  await page.evaluate((count) => window.ledger?.prepare(count), TAIL)
  const value = async (figure: Promise<number | undefined>) => (await figure) ?? Number.NaN
  const rivals = {
    verifyTail: () => value(page.evaluate(() => window.ledger?.verifyTail())),
    verifyHere: () => value(page.evaluate(() => window.ledger?.verifyHere())),
    verifyAlone: () => value(page.evaluate(() => window.ledger?.verifyBare(1))),
    verifyBare: () => value(page.evaluate((many) => window.ledger?.verifyBare(many), IN_FLIGHT))
  }
  const verified = await interleave(runs, rivals, WARMUPS)
  const { verifyTail, verifyHere } = rivals
  const busyMs = await busyClock(page)
  const busy = await interleave(runs, {
    busyBeside: () => busyMs(verifyTail),
    busyHere: () => busyMs(verifyHere)
  })
  log('appending')
  const appended = await interleave(runs, {
    append: () => value(page.evaluate((count) => window.ledger?.append(count), APPENDS)),
    put: () => value(page.evaluate((count) => window.ledger?.put(count), APPENDS))
  })
  log(`making ${LONG} records`)
  await page.evaluate((count) => window.ledger?.fill(count), LONG)
  const opened = await interleave(runs, { open: () => value(page.evaluate(() => window.ledger?.open())) })
  return { ...verified, ...busy, ...appended, ...opened }
}

/** How long the page's own thread is busy with something, in ms. */
async function busyClock(page: Page) {
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable')
  const busy = async () => {
    const { metrics } = await session.send('Performance.getMetrics')
    return 1_000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN)
  }
  return async (task: () => Promise<unknown>) => {
    const before = await busy()
    await task()
    return (await busy()) - before
  }
}

/** One tab of a persistent profile: in a plain context IndexedDB never touches the disk. */
async function withTab<T>(log: (text: string) => void, measure: (page: Page) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'swarmharness-bench-'))
  try {
    log('building the page')
    await buildPage(join(folder, 'page'), join(import.meta.dirname, 'pages'), 'ledger.html')
    const relay = await createRelay({
      network: await networkOf(NETWORKS.local),
      staticFolder: join(folder, 'page')
    })
    const executablePath = findChromium()
    const context = await chromium.launchPersistentContext(join(folder, 'profile'), {
      ...(executablePath === undefined ? {} : { executablePath }),
      args: [...CHROMIUM_FLAGS],
      headless: true
    })
    try {
      const page = await context.newPage()
      page.on('pageerror', (error) => log(`page error: ${error.message}`))
      await page.goto(`${relay.origin}/ledger.html`)
      await page.waitForFunction(() => window.ledger !== undefined)
      return await measure(page)
    } finally {
      await context.close()
      await relay.stop()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const rate = (ms: number) => 1_000 / ms

const atLeast = (name: string, value = Number.NaN) =>
  value >= OF_BARE_MIN ? [] : [`${name} is ${value.toFixed(2)}; at least ${OF_BARE_MIN}`]

const atMost = (name: string, value = Number.NaN, limit: number) =>
  value <= limit ? [] : [`${name} is ${value.toFixed(2)}; at most ${limit}`]
