import { CID } from 'multiformats/cid'
import type { Milliseconds, Network, PeerIdString, Signed } from '../wire/index.ts'
import { LODGE_BEFORE_MS, PAID_MS, PAYOUT_GRACE_MS } from './constants.ts'
import type { Earning, Earnings } from './earnings.ts'
import { decodeStatement, openRecord, verifyStatement } from './envelope.ts'
import type { Payee } from './payee.ts'
import type { LedgerTransport } from './transport.ts'

export interface LodgingInit {
  readonly earnings: Pick<Earnings, 'get' | 'open'>
  readonly payee: Pick<Payee, 'claim'>
  readonly transport: Pick<LedgerTransport, 'call' | 'connectedPeers'>
  readonly network: Network
  readonly now: () => Milliseconds
  readonly log: (message: string) => void
  readonly within: (ms: Milliseconds, signal?: AbortSignal) => AbortSignal
}

/** An earning that witnesses can pay: with its receipt, and their votes on its escrow. */
type Lodgeable = Earning & { certified: NonNullable<Earning['certified']>; receipt: Signed }

/** Sees to it that a payee is paid what was receipted, though its requester falls silent. */
export class Lodging {
  /** What a quorum of witnesses keeps for this node, by escrow (µcr). */
  private readonly lodged = new Map<string, bigint>()
  /** Receipted, and not settled, when this was looked at last. */
  private waiting: ReadonlySet<string> = new Set()
  private readonly init: LodgingInit
  private running: Promise<void> | undefined
  private again = false

  constructor(init: LodgingInit) {
    this.init = init
  }

  /**
   * Lodges what is due, and has paid what is overdue. Never rejects. Due is what waits for its settle from one time to
   * the next, whoever is connected: a payer may stay until its payee has gone, and settle nothing at tClose.
   */
  tend(): Promise<void> {
    this.again = this.running !== undefined // a receipt may have come after it was looked at
    this.running ??= this.tendUntilQuiet().finally(() => {
      this.running = undefined
    })
    return this.running
  }

  private async tendUntilQuiet(): Promise<void> {
    do {
      this.again = false
      await this.tendAll()
    } while (this.again)
  }

  /** A receipt came: in the last minute of its escrow there is no time to wait. Never rejects. */
  async receipted(escrow: CID): Promise<void> {
    const { earnings, now } = this.init
    if (now() >= (earnings.get(escrow)?.tClose ?? Number.POSITIVE_INFINITY) - LODGE_BEFORE_MS) {
      await this.tend()
    }
  }

  private async tendAll(): Promise<void> {
    const { earnings, transport, now, log } = this.init
    const present = new Set(transport.connectedPeers())
    const waited = this.waiting
    this.waiting = new Set(earnings.open().flatMap(([key, { receipt }]) => (receipt ? [key] : [])))
    for (const key of this.lodged.keys()) {
      if (!this.waiting.has(key)) {
        this.lodged.delete(key) // settled, or paid by its witnesses
      }
    }
    for (const [key, earning] of earnings.open()) {
      if (!isLodgeable(earning)) {
        continue
      }
      const { payer, tClose, amount } = earning
      const isAway = !present.has(payer)
      try {
        const isDue = isAway || waited.has(key) || now() >= tClose - LODGE_BEFORE_MS
        if (isDue && (this.lodged.get(key) ?? 0n) < amount) {
          await this.lodge(key, earning)
        }
        if (now() >= tClose + (isAway ? 0 : PAYOUT_GRACE_MS)) {
          await this.payOut(key, earning)
        }
      } catch (error) {
        log(`The witnesses have not paid for ${key} yet: ${String(error)}`)
      }
    }
  }

  private async lodge(key: string, { certified, receipt, amount }: Lodgeable): Promise<void> {
    const { witnesses, quorum } = await this.witnessesOf(certified.escrow)
    const { transport, within, log } = this.init
    const { escrow, votes } = certified
    const kept = await Promise.all(
      witnesses.map(async (peer) => {
        try {
          const answer = await transport.call(peer, { t: 'lodge', escrow, votes, receipt }, within(PAID_MS))
          return answer.t === 'ok'
        } catch (error) {
          log(`${peer} did not take the receipt: ${String(error)}`)
          return false
        }
      })
    )
    if (kept.filter(Boolean).length >= quorum) {
      this.lodged.set(key, amount)
    }
  }

  private async payOut(key: string, { certified, receipt, index, payer }: Lodgeable): Promise<void> {
    const { network, payee, transport, within, log } = this.init
    const { witnesses, quorum } = await this.witnessesOf(certified.escrow)
    const given = decodeStatement(receipt, 'receipt')
    const escrow = CID.parse(key)
    const votes = new Map<PeerIdString, Signed>()
    await Promise.all(
      witnesses.map(async (peer) => {
        try {
          const answer = await transport.call(peer, { t: 'payout', escrow }, within(PAID_MS))
          if (answer.t !== 'vote') {
            throw new Error(answer.t === 'refused' ? answer.message : answer.t)
          }
          const vote = await verifyStatement(answer.vote, 'payout', network)
          if (vote.author === peer && vote.escrow.equals(escrow) && vote.amount === given.amount) {
            votes.set(peer, answer.vote)
          }
        } catch (error) {
          log(`${peer} gave no vote on the payout: ${String(error)}`)
        }
      })
    )
    if (votes.size < quorum) {
      return
    }
    const enough = [...votes.values()]
    const certificate = { kind: 'payout' as const, escrow: certified.escrow, receipt, votes: enough }
    await payee.claim(certificate, index)
    log(`The witnesses paid ${given.amount} µcr that ${payer} owed.`)
  }

  private async witnessesOf(escrow: Signed) {
    const { record } = await openRecord(escrow, this.init.network, { signatures: false })
    return record.kind === 'escrow' ? record.body : { witnesses: [], quorum: 1 }
  }
}

const isLodgeable = (earning: Earning): earning is Lodgeable =>
  earning.certified !== null && earning.receipt !== null
