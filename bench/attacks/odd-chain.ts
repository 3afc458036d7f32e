import type { PrivateKey } from '@libp2p/interface'
import {
  applyRecord,
  type ChainState,
  type Embedded,
  type Intent,
  nextRecord,
  replayChain,
  type VerifiedRecord,
  verifyCertificate,
  verifyRecord
} from '../../src/credit/index.ts'
import {
  DOMAINS,
  type LedgerRecord,
  type LedgerResponse,
  type Network,
  type PeerIdString,
  type RecordOf,
  type SettleCertificate,
  type Signed,
  sign,
  type Vote
} from '../../src/wire/index.ts'
import type { HostilePeer } from '../../test/fixtures/hostile-peer.ts'

type Payees = RecordOf<'escrow'>['body']['payees']

/** A chain of the attacker's own: there may be two records for one place, and what its rules refuse is signed all the same. */
export class OddChain {
  readonly key: PrivateKey
  readonly peer: PeerIdString
  readonly network: Network
  readonly signed: Signed[]
  state: ChainState

  private constructor(
    init: Pick<OddChain, 'key' | 'peer' | 'network' | 'state'> & { signed: readonly Signed[] }
  ) {
    this.key = init.key
    this.peer = init.peer
    this.network = init.network
    this.signed = [...init.signed]
    this.state = init.state
  }

  static async of({ key, peer, network, ledger }: HostilePeer): Promise<OddChain> {
    const { records: signed } = await ledger.exportLedger()
    const state = await replayChain(undefined, signed, network)
    if (state === undefined) {
      throw new Error('a chain begins with its genesis')
    }
    return new OddChain({ key, peer, network, state, signed })
  }

  another(): OddChain {
    return new OddChain(this)
  }

  /** By the rules. */
  async add(intent: Intent, embedded?: Embedded): Promise<VerifiedRecord> {
    const { state, peer, network } = this
    const verified = await this.sign(nextRecord(state, intent, peer, network, embedded))
    this.state = applyRecord(state, verified, network.parameters)
    return verified
  }

  /** Whatever the rules say. */
  async force(record: LedgerRecord): Promise<void> {
    const { id } = await this.sign(record)
    const { seq, bal, ts, idleSince } = record
    this.state = { ...this.state, seq, bal, ts, idleSince, id }
  }

  private async sign(record: LedgerRecord): Promise<VerifiedRecord> {
    const signed = await sign(this.key, DOMAINS.record, record)
    this.signed.push(signed)
    return verifyRecord(signed, this.network)
  }

  escrow(payees: Payees): Promise<VerifiedRecord> {
    const ts = Date.now()
    const { members, quorum } = this.state.seat
    return this.add({
      kind: 'escrow',
      ts,
      body: {
        jobId: new Uint8Array(16),
        parent: null,
        payees,
        amount: payees.reduce((sum, { max }) => sum + max, 0n),
        inputRoot: new Uint8Array(32),
        witnesses: [...members],
        quorum,
        tClose: ts + 60_000,
        nonce: crypto.getRandomValues(new Uint8Array(16))
      }
    })
  }

  async vote({ id, record }: VerifiedRecord): Promise<Signed> {
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

  /** Takes what a certificate pays to it. */
  async claim(certificate: SettleCertificate): Promise<void> {
    const embedded = await verifyCertificate(certificate, this.network)
    await this.add({ kind: 'claim', ts: Date.now(), body: { certificate, index: 0 } }, embedded)
  }
}

/** An escrow of the payer's, settled with all of it to each, as the payees' own signatures certify. */
export async function settledBy(
  payer: OddChain,
  payees: readonly OddChain[],
  pay: bigint
): Promise<SettleCertificate> {
  const { id } = await payer.escrow(payees.map(({ peer }) => ({ peer, max: pay, on: [] })))
  const payouts = payees.map(() => pay)
  const inputs = payouts.map((weight, index) => ({ weight, payees: [index], quorum: 1 }))
  const split = { form: 'units' as const, seed: new Uint8Array(32), inputs }
  const body = { escrow: id, payouts, refund: 0n, split }
  const settle = await payer.add({ kind: 'settle', ts: Date.now(), body })
  const votes = await Promise.all(payees.map((payee) => payee.vote(settle)))
  const [escrow, end] = payer.signed.slice(-2)
  if (escrow === undefined || end === undefined) {
    throw new Error('an escrow and its settle')
  }
  return { kind: 'settle', escrow, settle: end, seat: null, votes }
}

/** The newest record of a chain, to a voter. */
export async function show(
  from: HostilePeer,
  { signed }: OddChain,
  to: PeerIdString
): Promise<LedgerResponse> {
  const record = signed.at(-1)
  if (record === undefined) {
    throw new Error('an empty chain')
  }
  return from.tell(to, { t: 'certify', record, tail: signed.slice(0, -1), evidence: [] })
}
