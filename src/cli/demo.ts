/**
 * `npm run demo`: three isolated tabs on the built page; one hires the other two, checks, pays. Then the relay
 * stops, and a second job runs over the direct connections. Status 0 only if results and books are right.
 */
import { fileURLToPath } from 'node:url'
import { createRelay } from '../../relay/index.ts'
import { type JobReceipt, SwarmError } from '../index.ts'
import { MICROCREDITS_PER_CREDIT, NETWORKS, networkOf } from '../wire/index.ts'
import { settledBooks } from './demo/books.ts'
import { oracle, type ProductJob, runInTab } from './demo/product-job.ts'
import { launchChromium, openTab, type Tab, waitForProviders } from './demo/tabs.ts'

const NETWORK = 'local'
const SKILL = 'matmul-i8'
const FIRST: ProductJob = { m: 1024, k: 1024, n: 1024, units: 16, seed: 1 }
const SECOND: ProductJob = { m: 512, k: 512, n: 512, units: 8, seed: 2 }

const HELP = `Runs the main job with three Chromium tabs on this machine.

  npm run demo

Needs a Chrome or Chromium (CHROME_PATH names one) and a network interface besides loopback.`

async function demo(): Promise<boolean> {
  const relay = await createRelay({
    network: await networkOf(NETWORKS[NETWORK]),
    staticFolder: fileURLToPath(new URL('../../dist', import.meta.url))
  })
  console.log(`Relay and page on ${relay.origin}, network ${NETWORK}`)
  const browser = await launchChromium()
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
    await waitForProviders(requester, providers, SKILL)

    const first = await runJob('Job 1', requester, tabs, { ...FIRST, providers })
    const traffic = relay.counters()
    console.log(
      `  the relay passed on ${traffic.circuit.in + traffic.circuit.out} bytes of signalling and ${traffic.jobStreams} job streams`
    )
    await relay.stop()
    console.log('\nThe relay is stopped.')
    const second = await runJob('Job 2', requester, tabs, { ...SECOND, providers })

    const booksBalance = await printBooks(tabs)
    const relayIsClean = traffic.jobStreams === 0
    return first && second && booksBalance && relayIsClean
  } finally {
    await browser.close()
    await relay.stop()
  }
}

async function runJob(
  title: string,
  requester: Tab,
  tabs: readonly Tab[],
  job: ProductJob
): Promise<boolean> {
  console.log(`\n${title}: int8 product ${job.m} x ${job.k} x ${job.n} in ${job.units} units`)
  const { sha256, receipt, seconds } = await runInTab(requester, job, drawProgress)
  process.stdout.write(process.stdout.isTTY ? '\n' : '')
  printReceipt(receipt, tabs)
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
  console.log(`  split: Shapley, form "${split}"; certificate: the payees' signatures (${certainty})`)
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

if (process.argv.includes('--help')) {
  console.log(HELP)
  process.exit(0)
}
try {
  const isRight = await demo()
  console.log(isRight ? '\nAll right.' : '\nSomething is wrong: see above.')
  process.exit(isRight ? 0 : 1)
} catch (error) {
  console.error(error instanceof SwarmError ? `${error.message} (${error.code})` : error)
  process.exit(1)
}
