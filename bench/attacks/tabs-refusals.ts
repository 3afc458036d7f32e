import { waitForProviders } from '../../src/cli/demo/tabs.ts'
import { protocolId } from '../../src/wire/index.ts'
import { SKILL } from '../../test/fixtures/hostile-peer.ts'
import { hireFrom } from './hostile-hire.ts'
import type { Outcome } from './scenario.ts'
import { honestJob, JOB, outcome, type Stage, withOdd } from './tabs-stage.ts'

/** Peers that give less than they owe a tab: no receipt, no release, no vote. */

const CLOSED_MS = 60_000

export async function refusalAttacks(stage: Stage): Promise<Outcome[]> {
  return [await noReceipt(stage), await noRelease(stage), await noVote(stage)]
}

/** A requester takes results, and receipts none. */
function noReceipt(stage: Stage): Promise<Outcome> {
  const { honest } = stage
  return withOdd(stage, async (odd) => {
    const hire = await hireFrom(odd, honest.peer)
    let units = 0
    while (hire !== undefined && units < JOB.units && (await hire.unit())) {
      units++
    }
    await hire?.end()
    return outcome(
      'refusal-to-pay',
      units / JOB.units,
      0,
      `It got ${units} of ${JOB.units} units: the window of who has paid for nothing is one.`,
      { hold: 'bounded' }
    )
  })
}

/** A provider works honestly, is receipted, and does not sign that its channel is closed. */
function noRelease(stage: Stage): Promise<Outcome> {
  const { requester, honest } = stage
  return withOdd(stage, async (odd) => {
    odd.signsReleases = false
    await odd.offer()
    await odd.lie((job, unit) => job.answer(unit.index, job.compute(unit)))
    await waitForProviders(requester, [honest.peer, odd.peer], SKILL)
    const { receipt, retried } = await honestJob(stage, [honest.peer, odd.peer])
    const its = receipt.providers.find(({ peer }) => peer === odd.peer)
    const most = (receipt.price * BigInt(its?.units ?? 0)) / BigInt(JOB.units) + 1n
    await requester.page.waitForFunction(
      () => window.swarmharness?.status.balance.escrowed === 0n,
      undefined,
      { timeout: CLOSED_MS }
    )
    return outcome(
      'refusal-to-sign',
      (its?.paid ?? 0n) > most ? 1 : 0,
      retried / JOB.units,
      'It is paid for what it did, no more; the requester has the rest back (on `local` at once, on `main` after tClose).',
      { hold: 'bounded' }
    )
  })
}

/** A peer that could be a witness answers nothing about ledgers. */
function noVote(stage: Stage): Promise<Outcome> {
  const { requester, honest, network } = stage
  return withOdd(stage, async (odd) => {
    await odd.meet([requester.peer, honest.peer])
    await odd.node.unhandle(protocolId(network.parameters, 'ledger'))
    const { isPaidInFull } = await honestJob(stage, [honest.peer])
    return outcome(
      'refusal-to-vote',
      0,
      isPaidInFull ? 0 : 1,
      'Who does not vote is left out of the seat, or replaced: the job was certified, done and paid.'
    )
  })
}
