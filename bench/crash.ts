/** Chromium killed in the middle of settlements, again and again: what its profile kept, and what others have seen. */

import type { KeptBooks } from '../test/fixtures/kept-books.ts'
import { jobSaw, startJob } from '../test/fixtures/page-house.ts'
import { type CrashHouse, type Visitor, withCrashHouse } from './crash/house.ts'
import { claimsOf, newestEscrow } from './crash/settlement.ts'
import { type BenchOptions, type BenchResult, row } from './report.ts'
import { simOptions } from './sim/options.ts'
import { type Random, randomOf } from './sim/random.ts'

export const title = 'Chromium killed (SIGKILL) in the middle of settlements: forks, losses, books'

const KILLS = 50
/** Some fall after the last claim, and count as none. */
const ATTEMPTS_A_KILL = 3
const JOB = { side: 64, units: 4 }
/** Most kills shall fall before the claim. */
const EARLY = 0.7
/** Who was killed in its last job is left alone for a while. */
const HIRED_MS = 120_000

interface Tally {
  kills: number
  lost: number
  unbalanced: number
  readonly seconds: number[]
  /** The highest receipt that each payee was seen to hold, by payee and escrow (µcr). */
  readonly owed: Map<Visitor, Map<string, bigint>>
}

/** `--runs`: kills. `--seed`: of who hires whom, who is killed, and when. */
export async function run(options: BenchOptions): Promise<BenchResult> {
  const { seed } = simOptions({ ...options, runs: undefined }, 0, 0)
  const kills = options.runs ?? KILLS
  const random = randomOf(seed, 'crash')
  return withCrashHouse(async (house) => {
    const windowMs = await timeToClaim(house)
    options.log(`from escrow to claim: ${windowMs.toFixed(0)} ms`)
    const tally: Tally = { kills: 0, lost: 0, unbalanced: 0, seconds: [], owed: new Map() }
    for (let attempt = 1; tally.kills < kills && attempt <= kills * ATTEMPTS_A_KILL; attempt++) {
      const story = await killOnce(house, random, windowMs, tally)
      options.log(`${tally.kills} of ${kills} kills: ${story}`)
    }
    return report(house, tally, kills)
  })
}

async function report(house: CrashHouse, tally: Tally, wanted: number): Promise<BenchResult> {
  const sums = await house.books((all) => all.openEscrows === 0n && all.certifiedUnclaimed === 0n)
  const isClosed = sums.balanced && sums.openEscrows === 0n && sums.certifiedUnclaimed === 0n
  tally.unbalanced += isClosed ? 0 : 1
  for (const visitor of house.visitors) {
    const claims = claimsOf((await house.read(visitor)).chain)
    for (const [escrow, amount] of tally.owed.get(visitor) ?? []) {
      tally.lost += (claims.get(escrow) ?? 0n) >= amount ? 0 : 1
    }
  }
  const { kills, lost, unbalanced, seconds } = tally
  const forks = house.seen.forks.length
  const failures = [
    ...(kills < wanted ? [`only ${kills} of ${wanted} kills fell between escrow and claim`] : []),
    ...(forks > 0 ? [`forks: ${house.seen.forks.join(', ')}`] : []),
    ...(lost > 0 ? [`${lost} records or receipted payouts were lost`] : []),
    ...(unbalanced > 0 ? [`${unbalanced} times the books did not balance`] : [])
  ]
  return {
    rows: [
      row('crash.kills', 'kills', [kills]),
      row('crash.forks', 'places', [forks]),
      row('crash.lost', 'records, payouts', [lost]),
      row('crash.unbalanced', 'times', [unbalanced]),
      row('crash.reopen', 's', seconds)
    ],
    ratios: [],
    failures
  }
}

/** One job, one kill at a random instant of its settlement, one look at what is left. */
async function killOnce(house: CrashHouse, random: Random, windowMs: number, tally: Tally): Promise<string> {
  const [one, two] = house.visitors
  const [hirer, provider] = random() < 0.5 ? [one, two] : [two, one]
  const [victim, survivor] = random() < 0.5 ? [hirer, provider] : [provider, hirer]
  await startJob(hirer.tab, { ...JOB, providers: [provider.tab.peer] })
  const asked = performance.now()
  await jobSaw(hirer.tab, 'assigned', { timeout: HIRED_MS })
  const hired = performance.now() - asked
  const ms = random() * windowMs * EARLY
  await new Promise((resolve) => setTimeout(resolve, ms))
  await house.kill(victim)
  const left = await house.read(survivor)
  const { kept, lost, seconds } = await house.reopen(victim)
  tally.lost += lost.length
  tally.seconds.push(seconds)
  note(tally, victim, kept)
  note(tally, survivor, left)
  const [hirers, providers] = victim === hirer ? [kept, left] : [left, kept]
  const escrow = newestEscrow(hirers.chain)
  const isOpen = escrow !== undefined && !claimsOf(providers.chain).has(escrow)
  tally.kills += isOpen ? 1 : 0
  const { balanced } = await house.books(() => true)
  tally.unbalanced += balanced ? 0 : 1
  const who = victim === hirer ? 'payer' : 'payee'
  const times = `hired in ${(hired / 1_000).toFixed(1)} s, killed after ${ms.toFixed(0)} ms, back in ${seconds.toFixed(1)} s`
  return `the ${who}, ${isOpen ? 'open' : 'closed'}: ${times}`
}

function note({ owed }: Tally, visitor: Visitor, { earnings }: KeptBooks): void {
  const amounts = owed.get(visitor) ?? new Map<string, bigint>()
  owed.set(visitor, amounts)
  for (const [escrow, { amount }] of earnings) {
    if (amount > (amounts.get(escrow) ?? 0n)) {
      amounts.set(escrow, amount)
    }
  }
}

/** ms from the first unit sent to the payee's claim: the longer of a job each way, when all is warm. */
async function timeToClaim(house: CrashHouse): Promise<number> {
  const times: number[] = []
  const [one, two] = house.visitors
  for (const [hirer, provider] of [
    [one, two],
    [two, one],
    [one, two],
    [two, one]
  ] as const) {
    const before = claimsOf((await house.read(provider)).chain).size
    await startJob(hirer.tab, { ...JOB, providers: [provider.tab.peer] })
    await jobSaw(hirer.tab, 'assigned')
    const begun = performance.now()
    while (claimsOf((await house.read(provider)).chain).size === before) {
      // reading takes its time
    }
    times.push(performance.now() - begun)
  }
  return Math.max(...times.slice(2))
}
