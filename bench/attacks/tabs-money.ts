import type { PrivateKey } from '@libp2p/interface'
import {
  type ChainState,
  type Intent,
  nextRecord,
  replayChain,
  verifyCertificate,
  verifyRecord
} from '../../src/credit/index.ts'
import {
  DOMAINS,
  type LedgerRecord,
  type Network,
  type PeerIdString,
  type SettleCertificate,
  type Signed,
  sign,
  type Vote
} from '../../src/wire/index.ts'
import type { HostilePeer } from '../../test/fixtures/hostile-peer.ts'
import { hireFrom } from './hostile-hire.ts'
import type { Outcome } from './scenario.ts'
import { outcome, type Stage, withOdd } from './tabs-stage.ts'

/** Money that was not earned, shown to a tab that is to serve for it. */

const PAY = 1_000n

export async function moneyAttacks(stage: Stage): Promise<Outcome[]> {
  return [...(await claims(stage)), await replayedReceipt(stage)]
}

/** A chain of the attacker's own making: what its own rules would refuse is signed all the same. */
class ForgedChain {
  readonly key: PrivateKey
  readonly peer: PeerIdString
  readonly network: Network
  readonly signed: Signed[]
  state: ChainState

  private constructor({ key, peer }: HostilePeer, network: Network, signed: Signed[], state: ChainState) {
    this.key = key
    this.peer = peer
    this.network = network
    this.signed = signed
    this.state = state
  }

  static async of(odd: HostilePeer, network: Network): Promise<ForgedChain> {
    const { records } = await odd.exportLedger()
    const state = await replayChain(undefined, records, network)
    if (state === undefined) {
      throw new Error('a chain begins with its genesis')
    }
    return new ForgedChain(odd, network, [...records], state)
  }

  branch(): ForgedChain {
    const { key, peer, network, signed, state } = this
    return new ForgedChain({ key, peer } as HostilePeer, network, [...signed], state) // these two are all that is read
  }

  async add(record: LedgerRecord): Promise<Signed> {
    const made = await sign(this.key, DOMAINS.record, record)
    const { id } = await verifyRecord(made, this.network)
    const { seq, bal, ts, idleSince } = record
    this.signed.push(made)
    this.state = { ...this.state, seq, bal, ts, idleSince, id }
    return made
  }

  escrow(payees: readonly PeerIdString[], nonce: number): Promise<Signed> {
    const ts = Date.now()
    const intent: Intent = {
      kind: 'escrow',
      ts,
      body: {
        jobId: new Uint8Array(16),
        parent: null,
        payees: payees.map((peer) => ({ peer, max: PAY, on: [] })),
        amount: PAY * BigInt(payees.length),
        inputRoot: new Uint8Array(32),
        witnesses: [],
        quorum: 0,
        tClose: ts + 60_000,
        nonce: new Uint8Array(16).fill(nonce)
      }
    }
    return this.add(nextRecord(this.state, intent, this.peer, this.network))
  }

  /** Takes what the certificate pays to somebody, as often as it likes. */
  async claim(certificate: SettleCertificate, index: number, payee: PeerIdString): Promise<Signed> {
    const embedded = await verifyCertificate(certificate, this.network)
    const forgetful = { ...this.state, claimed: new Map() }
    const intent: Intent = { kind: 'claim', ts: Date.now(), body: { certificate, index } }
    const record = nextRecord(forgetful, intent, payee, this.network, embedded)
    return this.add({ ...record, author: this.peer })
  }

  async vote(signed: Signed): Promise<Signed> {
    const { id, record } = await verifyRecord(signed, this.network)
    const vote: Vote = {
      v: 1,
      net: this.network.hash,
      author: this.peer,
      ts: Date.now(),
      kind: 'vote',
      subject: record.author,
      seq: record.seq,
      record: id
    }
    return sign(this.key, DOMAINS.statement, vote)
  }
}

/** Two names of one owner, paid by a third, take each other's pay and their own again; and call it work. */
function claims(stage: Stage): Promise<Outcome[]> {
  const { network, honest } = stage
  return withOdd(
    stage,
    async (...odd) => {
      await Promise.all(odd.map((each) => each.meet([honest.peer])))
      const [payer, one, two] = await Promise.all(odd.map((each) => ForgedChain.of(each, network)))
      const [, first, second] = odd
      if (payer === undefined || one === undefined || two === undefined) {
        throw new RangeError('three names')
      }
      if (first === undefined || second === undefined) {
        throw new RangeError('three names')
      }
      const certificate = await settled(payer, [one, two])
      const show = async (chain: ForgedChain, as: HostilePeer) => {
        const record = await chain.escrow([honest.peer], chain.signed.length)
        const tail = chain.signed.slice(0, -1)
        return as.tell(honest.peer, { t: 'certify', record, tail, evidence: [] })
      }
      const again = one.branch()
      await again.claim(certificate, 0, one.peer)
      await again.claim(certificate, 0, one.peer)
      const others = one.branch()
      await others.claim(certificate, 1, two.peer)
      const answers = [
        await show(again, first),
        await show(others, first),
        await show(await stolen(two, certificate, one.peer), second)
      ]
      const honestly = one.branch()
      await honestly.claim(certificate, 0, one.peer)
      const control = await show(honestly, first)
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

async function stolen(chain: ForgedChain, certificate: SettleCertificate, from: PeerIdString) {
  const branch = chain.branch()
  await branch.claim(certificate, 0, from)
  return branch
}

/** An escrow of the payer's for both, settled with all of it, as the payees' own signatures certify. */
async function settled(payer: ForgedChain, payees: readonly ForgedChain[]): Promise<SettleCertificate> {
  const before = payer.state
  const escrow = await payer.escrow(
    payees.map(({ peer }) => peer),
    1
  )
  const { id } = payer.state
  const whole = await replayChain(before, [escrow], payer.network)
  if (whole === undefined) {
    throw new Error('an escrow')
  }
  const payouts = payees.map(() => PAY)
  const inputs = payouts.map((weight, index) => ({ weight, payees: [index], quorum: 1 }))
  const body = {
    escrow: id,
    payouts,
    refund: 0n,
    split: { form: 'units' as const, seed: new Uint8Array(32), inputs }
  }
  const settle = await payer.add(
    nextRecord(whole, { kind: 'settle', ts: Date.now(), body }, payer.peer, payer.network)
  )
  const votes = await Promise.all(payees.map((payee) => payee.vote(settle)))
  return { kind: 'settle', escrow, settle, seat: null, votes }
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
