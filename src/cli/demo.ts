/**
 * `npm run demo`: `swarmharness relay`, and three isolated tabs on its page; one hires the other two, checks, pays. Then the relay
 * stops, and a second job runs over the direct connections. With `--skill`, a picture instead. Status 0 only if
 * results and books are right.
 */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { type JobReceipt, type PeerIdString, SwarmError } from '../index.ts'
import { MICROCREDITS_PER_CREDIT } from '../wire/index.ts'
import { settledBooks } from './demo/books.ts'
import { runPictureInTab } from './demo/picture-job.ts'
import { differingShare, PICTURES, type Picture, pictureOf } from './demo/pictures.ts'
import { encodePng } from './demo/png.ts'
import { oracle, type ProductJob, type ProductOutcome, runInTab } from './demo/product-job.ts'
import { type RelayProcess, startRelay } from './demo/relay-process.ts'
import { launchChromium, openTab, type Tab, waitForProviders } from './demo/tabs.ts'

const NETWORK = 'local'
const PRODUCT = 'matmul-i8'
const FIRST: ProductJob = { m: 1024, k: 1024, n: 1024, units: 16, seed: 1 }
const SECOND: ProductJob = { m: 512, k: 512, n: 512, units: 8, seed: 2 }

const HELP = `Runs the main job with three Chromium tabs on this machine.

  npm run demo -- [options]

  --skill NAME   ${PRODUCT} (default), ${PICTURES.join(' or ')}: a picture
  --why          for each unit, who could have had it and why it went where it went
  --out FILE     where the picture is written (default NAME.png)
  --help         this text

Needs a Chrome or Chromium (CHROME_PATH names one) and a network interface besides loopback.`

class UsageError extends Error {}

interface House {
  readonly relay: RelayProcess
  readonly requester: Tab
  readonly tabs: readonly Tab[]
  readonly providers: readonly PeerIdString[]
}

/** Relay, browser and tabs: up for `work`, and down whatever comes of it. */
async function inHouse(skill: string, work: (house: House) => Promise<boolean>): Promise<boolean> {
  const relay = await startRelay(NETWORK)
  console.log(`Relay and page on ${relay.origin}, network ${NETWORK}`)
  const browser = await launchChromium().catch(async (error) => {
    await relay.stop()
    throw error
  })
  try {
    const [gpu, cpu, requester] = await Promise.all([
      openTab(browser, relay.origin, {
        name: 'provider 1 (WebGPU)',
        consent: 'contribute',
        backend: 'webgpu'
      }),
      openTab(browser, relay.origin, { name: 'provider 2 (CPU)', consent: 'contribute', backend: 'cpu' }),
      openTab(browser, relay.origin, { name: 'requester', consent: 'hire' })
    ])
    const tabs = [gpu, cpu, requester]
    for (const { name, peer } of tabs) {
      console.log(`  ${name.padEnd(20)} ${peer}`)
    }
    const providers = [gpu.peer, cpu.peer]
    await waitForProviders(requester, providers, skill)
    return await work({ relay, requester, tabs, providers })
  } finally {
    await browser.close()
    await relay.stop()
  }
}

async function runProducts(
  { relay, requester, tabs, providers }: House,
  explains: boolean
): Promise<boolean> {
  const first = await runJob('Job 1', requester, tabs, { ...FIRST, providers }, explains)
  const { circuitBytes, jobStreams } = await relay.traffic()
  console.log(`  the relay passed on ${circuitBytes} bytes of signalling and ${jobStreams} job streams`)
  await relay.stop()
  console.log('\nThe relay is stopped: its process has ended.')
  const second = await runJob('Job 2', requester, tabs, { ...SECOND, providers }, explains)

  const booksBalance = await printBooks(tabs)
  const relayIsClean = jobStreams === 0
  return first && second && booksBalance && relayIsClean
}

async function runPicture(skill: string, picture: Picture, file: string, house: House): Promise<boolean> {
  const { requester, tabs, providers } = house
  const { input, width, height, tolerance } = picture
  console.log(`\n${skill}: ${width} x ${height} pixels`)
  const { bytes, receipt, seconds, steps } = await runPictureInTab(
    requester,
    { skill, input, providers },
    drawProgress
  )
  process.stdout.write(process.stdout.isTTY ? '\n' : '')
  printReceipt(receipt, tabs)
  const rgb = picture.colour(bytes)
  await writeFile(file, encodePng(width, height, rgb))
  console.log(`  ${file} written, ${seconds.toFixed(2)} s; its tiles appeared in ${steps} steps`)
  const share = differingShare(skill, picture, rgb)
  const isRight = share <= tolerance
  console.log(
    `  ${(share * 100).toFixed(2)} % of the pixels differ from the CPU oracle, at most ${tolerance * 100} % may: ${isRight ? 'right' : 'WRONG'}`
  )
  return (await printBooks(tabs)) && isRight && steps > 1
}

async function runJob(
  title: string,
  requester: Tab,
  tabs: readonly Tab[],
  job: ProductJob,
  explains: boolean
): Promise<boolean> {
  console.log(`\n${title}: int8 product ${job.m} x ${job.k} x ${job.n} in ${job.units} units`)
  const { sha256, receipt, seconds, retries, whys } = await runInTab(requester, job, drawProgress)
  process.stdout.write(process.stdout.isTTY ? '\n' : '')
  printReceipt(receipt, tabs)
  for (const retry of retries) {
    console.log(`  sent again: ${retry}`)
  }
  if (explains) {
    printWhys(whys, tabs)
  }
  const isRight = sha256 === oracle(job)
  console.log(
    `  result ${isRight ? 'equals' : 'DIFFERS FROM'} the CPU oracle (sha-256 ${sha256.slice(0, 16)}…), ${seconds.toFixed(2)} s`
  )
  return isRight
}

function drawProgress(done: number, of: number): void {
  if (process.stdout.isTTY) {
    const width = 40
    const filled = Math.round((done / of) * width)
    process.stdout.write(
      `\r  [${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${done.toFixed(1)}/${of} units`
    )
  }
}

const CERTIFICATES: Readonly<Record<JobReceipt['certainty'], string>> = {
  witnessed: 'the votes of a quorum of witnesses',
  'detection-only': "the payees' signatures (detection only)",
  pending: 'to come'
}

function printReceipt(
  { providers, price, paid, refund, split, certainty, settles }: JobReceipt,
  tabs: readonly Tab[]
): void {
  for (const { peer, units, rejected, paid: share } of providers) {
    const name = tabs.find((tab) => tab.peer === peer)?.name ?? peer
    console.log(`  ${name.padEnd(20)} ${units} units verified, ${rejected} rejected, paid ${share} µcr`)
  }
  console.log(`  price ${price} µcr, paid ${paid} µcr, refund of the escrow ${refund} µcr`)
  console.log(`  settle ${settles.join(', ')}`)
  console.log(`  split: Shapley, form "${split}"; certificate: ${CERTIFICATES[certainty]}`)
}

function printWhys(whys: ProductOutcome['whys'], tabs: readonly Tab[]): void {
  const nameOf = (peer: PeerIdString) => tabs.find((tab) => tab.peer === peer)?.name ?? peer
  const time = (ms: number | undefined) => (ms === undefined ? 'not known yet' : `${Math.round(ms)} ms`)
  for (const [unit, dispatches] of whys.entries()) {
    for (const { provider, reason, candidates } of dispatches) {
      const others = candidates.map(({ peer, doneMs }) => `${nameOf(peer)} ${time(doneMs)}`).join(', ')
      console.log(
        `  unit ${unit + 1} to ${nameOf(provider)} (${reason}); done there and elsewhere in: ${others}`
      )
    }
  }
}

async function printBooks(tabs: readonly Tab[]): Promise<boolean> {
  const { chains, audit } = await settledBooks(tabs, NETWORK)
  console.log('\nBooks, as read from each IndexedDB (every signature checked):')
  for (const [i, chain] of chains.entries()) {
    const balance = chain.at(-1)?.record.bal ?? 0n
    const credits = Number(balance) / Number(MICROCREDITS_PER_CREDIT)
    console.log(
      `  ${tabs[i]?.name.padEnd(20)} ${chain.length} records, balance ${balance} µcr (${credits} credits)`
    )
  }
  const { minted, balances, openEscrows, certifiedUnclaimed, burned, forfeited, debt, balanced } = audit
  console.log(
    `  audit: minted ${minted} = balances ${balances} + open escrows ${openEscrows} + unclaimed ${certifiedUnclaimed}` +
      ` + burned ${burned} + forfeited ${forfeited} − debt ${debt}: ${balanced ? 'balances' : 'DOES NOT BALANCE'}`
  )
  return balanced && openEscrows === 0n && certifiedUnclaimed === 0n
}

async function demo(): Promise<boolean> {
  const { values } = readOptions()
  if (values.help) {
    console.log(HELP)
    return true
  }
  const { skill } = values
  if (skill === PRODUCT && values.out === undefined) {
    return report(await inHouse(skill, (house) => runProducts(house, values.why)))
  }
  const picture = pictureOf(skill)
  if (picture === undefined) {
    throw new UsageError(`--skill is ${PRODUCT}, ${PICTURES.join(' or ')}, and only pictures have an --out.`)
  }
  const file = values.out ?? `${skill}.png`
  return report(await inHouse(skill, (house) => runPicture(skill, picture, file, house)))
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        skill: { type: 'string', default: PRODUCT },
        out: { type: 'string' },
        why: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false }
      }
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function report(isRight: boolean): boolean {
  console.log(isRight ? '\nAll right.' : '\nSomething is wrong: see above.')
  return isRight
}

try {
  process.exit((await demo()) ? 0 : 1)
} catch (error) {
  if (error instanceof UsageError) {
    console.error(`${error.message}\nTry --help.`)
    process.exit(2)
  }
  console.error(error instanceof SwarmError ? `${error.message} (${error.code})` : error)
  process.exit(1)
}
