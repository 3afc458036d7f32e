import type { BrowserContext } from 'playwright-core'
import { type Tab, waitForProviders } from '../../src/cli/demo/tabs.ts'
import type { PeerIdString, Signed } from '../../src/wire/index.ts'
import { type HostilePeer, SKILL } from '../../test/fixtures/hostile-peer.ts'
import { rightReceipt, startJob } from '../../test/fixtures/page-house.ts'
import { OddChain, settledBy, show } from './odd-chain.ts'
import type { Outcome } from './scenario.ts'
import { JOB, outcome, type Stage, withOdd } from './tabs-stage.ts'

/**
 * What a name has earned of a worker, shown to two tabs that owe that worker: on two branches at once, and again after
 * going back, under a seat that its witnesses have not voted for. The clocks of all are the attack's: days go by.
 */

const PAY = 100_000n
const DAY_MS = 25 * 3_600_000
const HEARD_MS = 20_000

declare global {
  interface Window {
    skipAhead?: (ms: number) => void
  }
}

/** Runs in a page before its own code. */
function ownClock(): void {
  const now = Date.now
  let ahead = 0
  Date.now = () => now() + ahead
  window.skipAhead = (ms) => {
    ahead += ms
  }
}

/** Two tabs that have had work of the worker, and the clocks of all, this process's among them. */
interface Days extends Stage {
  /** The worker's chain, as it pays those who show it off. */
  readonly paying: OddChain
  readonly tabs: readonly [Tab, Tab]
  /** What the worker did for each of the tabs (µcr). */
  readonly worked: bigint
  skip(ms: number): Promise<void>
}

export async function rewoundAttacks(stage: Stage): Promise<Outcome[]> {
  const { now } = Date
  let ahead = 0
  Date.now = () => now() + ahead
  const contexts: BrowserContext[] = []
  try {
    return await withOdd(stage, async (worker) => {
      await worker.offer()
      await worker.lie((job, unit) => job.answer(unit.index, job.compute(unit)))
      const tabs: [Tab, Tab] = [
        await visit(stage, contexts, 'first', worker.peer),
        await visit(stage, contexts, 'second', worker.peer)
      ]
      let worked = 0n
      for (const tab of tabs) {
        await worker.meet([tab.peer])
        await startJob(tab, { ...JOB, providers: [worker.peer] })
        worked = (await rightReceipt(tab)).paid
      }
      const skip = async (ms: number) => {
        ahead += ms
        await Promise.all(tabs.map(({ page }) => page.evaluate((by) => window.skipAhead?.(by), ms)))
      }
      const days: Days = { ...stage, paying: await OddChain.of(worker), tabs, worked, skip }
      return [await shownToMany(days), await rewind(days)]
    })
  } finally {
    Date.now = now
    await Promise.all(contexts.map((context) => context.close()))
  }
}

async function visit(
  { house }: Stage,
  contexts: BrowserContext[],
  name: string,
  worker: PeerIdString
): Promise<Tab> {
  const context = await house.browser.newContext()
  contexts.push(context)
  const page = await context.newPage()
  await page.addInitScript(ownClock)
  await page.goto(`${house.origin}/?backend=cpu&network=local`)
  await page.locator('#consent-start').click()
  await page.waitForFunction(() => window.swarmharness !== undefined)
  // the page waits for the node above, and a node's own id is a peer id
  const peer = (await page.evaluate(() => window.swarmharness?.peer)) as PeerIdString
  const tab = { name, page, context, peer }
  await waitForProviders(tab, [worker], SKILL)
  return tab
}

export function takeSeat(chain: OddChain, members: readonly PeerIdString[]) {
  const body = { members: [...members], quorum: members.length, unsure: true, votes: [] }
  return chain.add({ kind: 'seat', ts: Date.now(), body })
}

export async function mustVote(from: HostilePeer, branch: OddChain, to: PeerIdString): Promise<Signed> {
  const answer = await show(from, branch, to)
  if (answer.t !== 'vote') {
    throw new Error(`No vote where one was due: ${JSON.stringify(answer)}`)
  }
  return answer.vote
}

/** On whose account a tab would serve it, and for how much. */
async function owed(by: Tab, to: HostilePeer) {
  const terms = await to.tell(by.peer, { t: 'terms', max: PAY })
  const on = terms.t === 'terms' ? terms.on : []
  return { on, amount: on.reduce((sum, { amount }) => sum + amount, 0n) }
}

/** One earning on two branches, each shown to a tab of its own, with nobody else there; then to both. */
function shownToMany(days: Days): Promise<Outcome> {
  const { tabs, paying, worked } = days
  return withOdd(days, async (odd) => {
    await odd.meet(tabs.map(({ peer }) => peer))
    const chain = await OddChain.of(odd)
    await chain.claim(await settledBy(paying, [chain], PAY))
    const shown: Array<{ tab: Tab; branch: OddChain; got: bigint }> = []
    for (const tab of tabs) {
      const branch = chain.another()
      await branch.escrow([{ peer: tab.peer, max: 1n, on: [] }])
      await mustVote(odd, branch, tab.peer)
      const { on, amount } = await owed(tab, odd)
      await branch.escrow([{ peer: tab.peer, max: PAY, on }])
      await mustVote(odd, branch, tab.peer)
      shown.push({ tab, branch, got: amount })
    }
    for (const { tab } of shown) {
      for (const { branch } of shown) {
        await show(odd, branch, tab.peer) // now they meet
      }
      if ((await owed(tab, odd)).amount > 0n) {
        throw new Error('Whoever has both records owes their author nothing any more.')
      }
    }
    const got = shown.reduce((sum, each) => sum + each.got, 0n)
    return outcome(
      'shown-to-many',
      Number(got) / Number(worked * BigInt(tabs.length)),
      0,
      'Without witnesses each tab gives half of what it owed the worker, once; where the two records meet, they are the end of the name.',
      { hold: 'detected' }
    )
  })
}

/** Spends at one tab in sight of its witnesses, that tab and a third; goes back, and takes the other tab as its seat. */
function rewind(days: Days): Promise<Outcome> {
  const { tabs, paying, skip } = days
  const [first, second] = tabs
  return withOdd(
    days,
    async (...names) => {
      const [odd, honest, witness] = names
      if (honest === undefined || witness === undefined) {
        throw new RangeError('three names')
      }
      const old = [witness.peer, first.peer]
      const branches = new Map<HostilePeer, OddChain>()
      for (const name of [odd, honest]) {
        await name.node.dial(witness.node.getMultiaddrs())
        await name.meet(tabs.map(({ peer }) => peer))
        const branch = await OddChain.of(name)
        await branch.claim(await settledBy(paying, [branch], PAY))
        await takeSeat(branch, old)
        await mustVote(name, branch, first.peer)
        branches.set(name, branch)
      }
      await skip(DAY_MS)
      const { on, amount: given } = await owed(first, odd)
      if (given === 0n) {
        throw new Error('A day after its first seat the tab owes it half of what the worker paid.')
      }
      const spent = branches.get(odd)?.another()
      await spent?.escrow([{ peer: first.peer, max: PAY, on }])
      for (const peer of old) {
        await mustVote(odd, spent ?? (await OddChain.of(odd)), peer)
      }
      for (const [name, branch] of branches) {
        await takeSeat(branch, [second.peer])
        await mustVote(name, branch, second.peer)
        if ((await owed(second, name)).amount > 0n) {
          throw new Error('Under an unsure seat its author is a stranger.')
        }
      }
      await isFoundOut(odd, second)
      await skip(DAY_MS)
      if ((await owed(second, honest)).amount === 0n) {
        throw new Error('A day later who has only lost its witnesses is a stranger no more.')
      }
      return outcome(
        'rewind-by-an-unsure-seat',
        Number((await owed(second, odd)).amount) / Number(given),
        0,
        'For a day its author is a stranger, and the tab asks the witnesses before: their record and this one are the proof. Who had only lost its witnesses is served a day later.',
        { hold: 'prevented' }
      )
    },
    3
  )
}

/** The tab has the proof. */
async function isFoundOut(odd: HostilePeer, { peer }: Tab): Promise<void> {
  const until = performance.now() + HEARD_MS
  for (;;) {
    const answer = await odd.tell(peer, { t: 'forks', author: odd.peer })
    if (answer.t === 'forks' && answer.proof !== null) {
      return
    }
    if (performance.now() > until) {
      throw new Error('The witnesses before were not asked, or did not say.')
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
