import type { PrivateKey } from '@libp2p/interface'
import { CID } from 'multiformats/cid'
import type { TableWrite } from '../store/index.ts'
import {
  type Certificate,
  DOMAINS,
  type MicroCredits,
  type Milliseconds,
  type Network,
  type PeerIdString,
  type RecordOf,
  type Release,
  type Signed,
  sign
} from '../wire/index.ts'
import { indexOfPayee } from './bodies.ts'
import {
  type VerifiedCertificate,
  type VerifiedTransfer,
  verifyCertificate,
  verifyEscrow
} from './certificate.ts'
import { PAID_MS, TERMS_MS, TRANSFER_MIN } from './constants.ts'
import type { Earning, Earnings } from './earnings.ts'
import { decodeStatement } from './envelope.ts'
import { CreditError, ensure } from './errors.ts'
import type { ForkBook } from './fork-book.ts'
import { GiftGate } from './gift-gate.ts'
import type { OwnChain } from './own-chain.ts'
import type { Sighting } from './sightings.ts'
import type { RecognitionShare } from './standing.ts'
import { claimKey } from './state.ts'
import type { LedgerTransport } from './transport.ts'
import type { EarningContract } from './types.ts'
import type { VerifiedRecord } from './verify.ts'
import { checkCloses } from './voting.ts'

export interface PayeeInit {
  readonly key: PrivateKey
  readonly network: Network
  readonly chain: OwnChain
  readonly earnings: Earnings
  readonly forks: ForkBook
  readonly knows: (peer: PeerIdString) => boolean
  /** Whether this node has followed an author's chain through that record, and voted there or later. */
  readonly follows: (author: PeerIdString, record: CID) => Promise<boolean>
  /** Verified records of others, as they came in certificates. */
  readonly seen: (sightings: readonly Sighting[]) => Promise<void>
  readonly transport: LedgerTransport
  readonly now: () => Milliseconds
  readonly log: (message: string) => void
  readonly changed: () => void
  readonly within: (ms: Milliseconds, signal?: AbortSignal) => AbortSignal
}

/** The provider's side of a contract: its vote, receipts, release, claims. */
export class Payee {
  private readonly init: PayeeInit
  private readonly asking = new Set<PeerIdString>()
  private readonly gifts: GiftGate

  constructor(init: PayeeInit) {
    this.init = init
    this.gifts = new GiftGate(init.now)
  }

  /**
   * A payee votes on an escrow that pays it, on a settle that pays it what was receipted, and on a gift to it that has
   * no witnesses.
   */
  async vote({ id, record }: VerifiedRecord): Promise<void> {
    const { chain, earnings } = this.init
    switch (record.kind) {
      case 'escrow':
        return earnings.join(id, record)
      case 'settle':
        return earnings.close(record.body)
      case 'transfer':
        ensure(
          record.body.to === chain.peer && record.body.witnesses.length === 0,
          'NOT_CONCERNED',
          'Its witnesses vote on a transfer, or without any its receiver.'
        )
        return
      default:
        throw new CreditError('NOT_CONCERNED', `A payee has no vote on a ${record.kind}.`)
    }
  }

  earning(escrow: CID): EarningContract | undefined {
    const earning = this.init.earnings.get(escrow)
    if (earning === undefined || earning.settled) {
      return undefined
    }
    const { payer, jobId, max, on = [], amount, tClose } = earning
    return { escrow, payer, jobId, max, on, receipted: amount, tClose }
  }

  async acceptReceipt(receipt: Signed, from: PeerIdString): Promise<bigint> {
    const amount = await this.init.earnings.accept(receipt, from)
    this.init.changed()
    return amount
  }

  /** Takes an escrow on the word of its witnesses. */
  async take(from: PeerIdString, { escrow, votes }: { escrow: Signed; votes: Signed[] }): Promise<void> {
    const { network, earnings, forks, now, seen } = this.init
    const { escrow: record, escrowId } = await verifyEscrow({ escrow, votes }, network)
    await seen([{ id: escrowId, record, signed: escrow, votes }])
    forks.refuse(record.author)
    ensure(record.author === from, 'NOT_CONCERNED', 'Only its author shows an escrow.')
    ensure(
      record.body.witnesses.length > 0,
      'NOT_CONCERNED',
      'Without witnesses a payee votes: ask for that.'
    )
    ensure(now() < record.body.tClose, 'CLOCK', 'The escrow is closed already: set your clock right.')
    checkCloses(record.body.tClose, now(), network.parameters)
    const voters = votes.map((vote) => decodeStatement(vote, 'vote').author)
    await this.refuseSeat(from, voters, record.body)
    const on = await this.onWhose(from, escrow, record, voters)
    await earnings.join(escrowId, record, { escrow, votes }, on)
    void forks.inquire(from, record.body.witnesses)
  }

  /**
   * Votes of peers that have voted twice elsewhere count for nothing. The payer gets the proofs against all such members
   * of its seat, not only against these voters: the next certificate would be refused for the others.
   */
  private async refuseSeat(
    payer: PeerIdString,
    voters: readonly PeerIdString[],
    { witnesses, quorum }: { readonly witnesses: readonly PeerIdString[]; readonly quorum: number }
  ): Promise<void> {
    const { forks } = this.init
    if (voters.filter((peer) => !forks.has(peer)).length < quorum) {
      const bad = witnesses.filter((peer) => forks.has(peer))
      await Promise.all(bad.map((peer) => forks.share(payer, peer)))
      throw new CreditError(
        'SEAT',
        `Your witnesses ${bad.join(', ')} have voted twice: ask the others, or take new ones.`
      )
    }
  }

  /**
   * Where a quorum of the voters is of peers whose work this node has seen, their word is enough. Else whoever is to be
   * answered to for the payer is told the escrow first, and says if it was told another one; who cannot be asked does
   * not count.
   *
   * @throws CreditError `FORK`
   */
  private async onWhose(
    payer: PeerIdString,
    escrow: Signed,
    { body }: RecordOf<'escrow'>,
    voters: readonly PeerIdString[]
  ): Promise<RecognitionShare[]> {
    const { chain, forks, knows, transport, within, log } = this.init
    const on = body.payees[indexOfPayee(body, chain.peer)]?.on ?? []
    if (voters.filter(knows).length >= body.quorum) {
      return on
    }
    const told = await Promise.all(
      on.map(async (share) => {
        if (share.payer === payer || share.payer === chain.peer) {
          return [share]
        }
        try {
          const answer = await transport.call(share.payer, { t: 'shown', escrow }, within(TERMS_MS))
          if (answer.t === 'conflict') {
            await forks.found({ kind: 'records', one: answer.record, two: escrow })
          }
          return answer.t === 'ok' ? [share] : []
        } catch (error) {
          log(`${share.payer} was not asked about ${payer}: ${String(error)}`)
          return []
        }
      })
    )
    forks.refuse(payer)
    return told.flat()
  }

  async release(escrow: CID, delivered: MicroCredits): Promise<Signed> {
    const { key, network, chain, earnings, now } = this.init
    const amount = await earnings.release(escrow, delivered)
    const release: Release = {
      v: 1,
      net: network.hash,
      author: chain.peer,
      ts: now(),
      kind: 'release',
      escrow,
      amount
    }
    return sign(key, DOMAINS.statement, release)
  }

  /**
   * Takes a payout into the own chain, once. A settle below the receipts is taken where nobody could pay more: its
   * witnesses have voted for it, or there are none, or their payout could be claimed no more. The receipt and the
   * settle stay as the proof of it.
   *
   * @throws CreditError or WireError when the certificate pays this node nothing; `UNDERPAID`; `CLOCK`
   */
  async claim(certificate: Certificate, index: number): Promise<void> {
    const { network, chain, earnings, changed, log, now } = this.init
    const verified = await verifyCertificate(certificate, network)
    ensure(
      verified.ts <= now() + network.parameters.clockSkewMs, // or the claim, and all after it, would be of then, too
      'CLOCK',
      'The payment is of a time to come by the clock here: set yours right, or come back then.'
    )
    await this.init.seen(sightingsIn(certificate, verified))
    const { author, base: escrowId, payouts } = verified
    const { peer, amount: payout } = payouts[index] ?? { peer: undefined, amount: 0n }
    ensure(peer === chain.peer, 'BAD_CERTIFICATE', 'The certificate pays this index to somebody else.')
    if (verified.kind === 'transfer') {
      ensure(payout >= TRANSFER_MIN, 'BAD_RECORD', `A transfer is of ${TRANSFER_MIN} µcr at least.`)
      if ((await chain.latest())?.claimed.has(claimKey(escrowId, index)) !== true) {
        await this.takeGift(certificate, verified, index)
        changed()
      }
      return
    }
    const earning = earnings.get(escrowId)
    ensure(earning !== undefined, 'UNKNOWN_ESCROW', 'This node has not voted on that escrow.')
    if (payout < earning.amount) {
      // by the escrow's witnesses it is settled; a later seat is of whom its author likes, and they may be there yet
      const isFinal = verified.certainty === 'witnessed' && verified.kind === 'settle'
      const canWait = earning.certified !== null && now() <= earning.tClose + network.parameters.claimWindowMs
      ensure(
        isFinal || earning.claimed || !canWait,
        'UNDERPAID',
        `${earning.amount} µcr were receipted: the escrow's witnesses pay them, while they can no less is taken.`
      )
      log(`${author} pays ${payout} of ${earning.amount} receipted µcr on ${escrowId}.`)
    }
    if (earning.claimed) {
      return
    }
    if (payout === 0n) {
      await earnings.finish(escrowId)
      return
    }
    if (await this.claimOnce(certificate, verified, index, () => earnings.rowOfClaim(escrowId))) {
      earnings.done(escrowId)
    } else {
      await earnings.finish(escrowId)
    }
    changed()
  }

  /**
   * A gift has witnesses that stand for its author's balance, or its receiver has followed the author's chain itself: a
   * record alone says nothing of whether there was anything to give. And each is a record in the receiver's chain.
   */
  private async takeGift(certificate: Certificate, verified: VerifiedTransfer, index: number): Promise<void> {
    const { follows, knows } = this.init
    const { author, base, transfer } = verified
    ensure(
      transfer.body.witnesses.length > 0 || (await follows(author, base)),
      'NOT_CONCERNED',
      'Without witnesses the receiver of a gift votes: ask for that.'
    )
    const leave = knows(author) ? () => {} : this.gifts.enter(author)
    let taken: unknown
    try {
      taken = await this.claimOnce(certificate, verified, index, () => [])
    } finally {
      if (!taken) {
        leave()
      }
    }
  }

  private claimOnce(
    certificate: Certificate,
    verified: VerifiedCertificate,
    index: number,
    alongside: () => readonly TableWrite[]
  ): Promise<unknown> {
    const key = claimKey(verified.base, index)
    return this.init.chain.append((state, ts) =>
      state?.claimed.has(key)
        ? undefined
        : {
            intent: { kind: 'claim', ts: Math.max(ts, verified.ts), body: { certificate, index } },
            embedded: verified,
            alongside
          }
    )
  }

  /** Asks the payers that are connected for the settles of open earnings. */
  async askAll(): Promise<void> {
    await Promise.all(this.init.transport.connectedPeers().map((payer) => this.ask(payer)))
  }

  /** Never rejects. */
  async ask(payer: PeerIdString): Promise<void> {
    const open = this.init.earnings.open().filter(([, earning]) => earning.payer === payer)
    if (open.length === 0 || this.asking.has(payer)) {
      return
    }
    this.asking.add(payer)
    try {
      for (const [escrow, earning] of open) {
        await this.askFor(CID.parse(escrow), earning)
      }
    } catch (error) {
      this.init.log(`${payer} did not say what it pays: ${String(error)}`)
    } finally {
      this.asking.delete(payer)
    }
  }

  private async askFor(escrow: CID, { payer }: Earning): Promise<void> {
    const answer = await this.init.transport.call(payer, { t: 'settled', escrow }, this.init.within(PAID_MS))
    if (answer.t === 'certificate') {
      await this.claim(answer.certificate, answer.index)
    } else if (answer.t !== 'open') {
      this.init.log(
        `${payer} knows nothing of ${escrow}: ${answer.t === 'refused' ? answer.message : answer.t}`
      )
    }
  }
}

/** The records of the payer that a certificate shows. */
function sightingsIn(certificate: Certificate, verified: VerifiedCertificate): Sighting[] {
  if (certificate.kind === 'transfer' || verified.kind === 'transfer') {
    return certificate.kind === 'transfer' && verified.kind === 'transfer'
      ? [
          {
            id: verified.base,
            record: verified.transfer,
            signed: certificate.transfer,
            votes: certificate.votes
          }
        ]
      : []
  }
  const escrow = { id: verified.escrowId, record: verified.escrow, signed: certificate.escrow }
  return certificate.kind === 'settle' && verified.kind === 'settle'
    ? [
        escrow,
        {
          id: verified.settleId,
          record: verified.settle,
          signed: certificate.settle,
          votes: certificate.votes
        }
      ]
    : [escrow]
}
