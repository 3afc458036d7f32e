import { type Intent, nextRecord, verifyCertificate } from '../../src/credit/index.ts'
import type { PeerIdString, SettleCertificate } from '../../src/wire/index.ts'
import type { HostilePeer } from '../../test/fixtures/hostile-peer.ts'
import { hireFrom } from './hostile-hire.ts'
import { OddChain, settledBy, show } from './odd-chain.ts'
import type { Outcome } from './scenario.ts'
import { outcome, type Stage, withOdd } from './tabs-stage.ts'

/** Money that was not earned, shown to a tab that is to serve for it. */

const PAY = 1_000n

export async function moneyAttacks(stage: Stage): Promise<Outcome[]> {
  return [...(await claims(stage)), await replayedReceipt(stage)]
}

/** Takes what the certificate pays to somebody, as often as it likes. */
async function take(chain: OddChain, certificate: SettleCertificate, index: number, payee: PeerIdString) {
  const { network, peer, state } = chain
  const embedded = await verifyCertificate(certificate, network)
  const forgetful = { ...state, claimed: new Map() }
  const intent: Intent = { kind: 'claim', ts: Date.now(), body: { certificate, index } }
  const record = nextRecord(forgetful, intent, payee, network, embedded)
  await chain.force({ ...record, author: peer })
}

/** Two names of one owner, paid by a third, take each other's pay and their own again; and call it work. */
function claims(stage: Stage): Promise<Outcome[]> {
  const { honest } = stage
  return withOdd(
    stage,
    async (...odd) => {
      await Promise.all(odd.map((each) => each.meet([honest.peer])))
      const [payer, one, two] = await Promise.all(odd.map((each) => OddChain.of(each)))
      const [, first, second] = odd
      if (payer === undefined || one === undefined || two === undefined) {
        throw new RangeError('three names')
      }
      if (first === undefined || second === undefined) {
        throw new RangeError('three names')
      }
      const certificate = await settledBy(payer, [one, two], PAY)
      const spend = async (chain: OddChain, as: HostilePeer) => {
        await chain.escrow([{ peer: honest.peer, max: PAY, on: [] }])
        return show(as, chain, honest.peer)
      }
      const again = one.another()
      await take(again, certificate, 0, one.peer)
      await take(again, certificate, 0, one.peer)
      const others = one.another()
      await take(others, certificate, 1, two.peer)
      const stolen = two.another()
      await take(stolen, certificate, 0, one.peer)
      const answers = [await spend(again, first), await spend(others, first), await spend(stolen, second)]
      const honestly = one.another()
      await honestly.claim(certificate)
      const control = await spend(honestly, first)
      if (control.t !== 'vote') {
        throw new Error(`A true claim was not taken: ${JSON.stringify(control)}.`)
      }
      const terms = await first.tell(honest.peer, { t: 'terms', max: PAY })
      const shares = terms.t === 'terms' ? terms.on : []
      const recognised = shares.reduce((sum, { amount }) => sum + amount, 0n)
      return [
        outcome(
          'one-escrow-claimed-twice',
          answers.filter(({ t }) => t === 'vote').length,
          0,
          'Whoever is asked to vote replays the chain: one index is taken once, by its payee. The true claim was taken.'
        ),
        outcome(
          'recognition-pumped',
          Number(recognised) / Number(PAY),
          0,
          'Genesis money that went round among names is balance, and opens no door: nobody asked has seen their work.',
          { hold: 'no profit' }
        )
      ]
    },
    3
  )
}

/** A requester pays for one unit, and again and again with the same receipt. */
function replayedReceipt(stage: Stage): Promise<Outcome> {
  const { honest } = stage
  return withOdd(stage, async (odd) => {
    const hire = await hireFrom(odd, honest.peer)
    if (hire === undefined || !(await hire.unit()) || !(await hire.receipt(1n))) {
      throw new Error('The first unit is an honest one.')
    }
    const isTaken = await hire.receipt(1n, 8)
    await hire.end()
    return outcome(
      'replayed-receipt',
      isTaken ? 1 : 0,
      0,
      'Receipts are cumulative: the same one pays for nothing more, and ends the stream.'
    )
  })
}
