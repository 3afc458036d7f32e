import type { PrivateKey } from '@libp2p/interface'
import { CID } from 'multiformats/cid'
import {
  DOMAINS,
  type Milliseconds,
  type Network,
  type PeerIdString,
  type Release,
  type SettleCertificate,
  type Signed,
  sign
} from '../wire/index.ts'
import { PAID_MS } from './constants.ts'
import type { Earning, Earnings } from './earnings.ts'
import { CreditError, ensure } from './errors.ts'
import type { OwnChain } from './own-chain.ts'
import { claimKey } from './state.ts'
import type { LedgerTransport } from './transport.ts'
import type { EarningContract } from './types.ts'
import { type VerifiedRecord, verifyCertificate } from './verify.ts'

export interface PayeeInit {
  readonly key: PrivateKey
  readonly network: Network
  readonly chain: OwnChain
  readonly earnings: Earnings
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

  constructor(init: PayeeInit) {
    this.init = init
  }

  /** A payee votes on an escrow that pays it, and on a settle that pays it what was receipted. */
  async vote({ id, record }: VerifiedRecord): Promise<void> {
    const { earnings } = this.init
    switch (record.kind) {
      case 'escrow':
        return earnings.join(id, record)
      case 'settle':
        return earnings.close(record.body)
      default:
        throw new CreditError('NOT_CONCERNED', `A payee has no vote on a ${record.kind}.`)
    }
  }

  earning(escrow: CID): EarningContract | undefined {
    const earning = this.init.earnings.get(escrow)
    if (earning === undefined || earning.settled) {
      return undefined
    }
    const { payer, jobId, max, amount, tClose } = earning
    return { escrow, payer, jobId, max, receipted: amount, tClose }
  }

  async acceptReceipt(receipt: Signed, from: PeerIdString): Promise<bigint> {
    const amount = await this.init.earnings.accept(receipt, from)
    this.init.changed()
    return amount
  }

  /** It commits this node to no more than the receipts do: so it is not kept. */
  async release(escrow: CID): Promise<Signed> {
    const { key, network, chain, earnings, now } = this.init
    const earning = earnings.get(escrow)
    ensure(earning !== undefined, 'UNKNOWN_ESCROW', 'This node does not earn on that escrow.')
    const release: Release = {
      v: 1,
      net: network.hash,
      author: chain.peer,
      ts: now(),
      kind: 'release',
      escrow,
      amount: earning.amount
    }
    return sign(key, DOMAINS.statement, release)
  }

  /**
   * Takes a payout into the own chain, once. A settle below the receipts is taken too: the receipt and the
   * settle stay as the proof of it.
   *
   * @throws CreditError or WireError when the certificate pays this node nothing
   */
  async claim(certificate: SettleCertificate, index: number): Promise<void> {
    const { network, chain, earnings, changed, log } = this.init
    const verified = await verifyCertificate(certificate, network)
    const { escrow, escrowId, settle, ts: due } = verified
    const payout = settle.body.payouts[index] ?? 0n
    ensure(
      escrow.body.payees[index]?.peer === chain.peer,
      'BAD_CERTIFICATE',
      'The certificate pays this index to somebody else.'
    )
    const earning = earnings.get(escrowId)
    ensure(earning !== undefined, 'UNKNOWN_ESCROW', 'This node has not voted on that escrow.')
    if (payout < earning.amount) {
      log(`${escrow.author} pays ${payout} of ${earning.amount} receipted µcr on ${escrowId}.`)
    }
    if (earning.claimed) {
      return
    }
    if (payout === 0n) {
      await earnings.finish(escrowId)
      return
    }
    const key = claimKey(escrowId, index)
    const appended = await chain.append((state, ts) =>
      state?.claimed.has(key)
        ? undefined
        : {
            intent: { kind: 'claim', ts: Math.max(ts, due), body: { certificate, index } },
            certificate: verified,
            alongside: () => earnings.rowOfClaim(escrowId)
          }
    )
    if (appended) {
      earnings.done(escrowId)
    } else {
      await earnings.finish(escrowId)
    }
    changed()
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
