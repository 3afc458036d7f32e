import type { CID } from 'multiformats/cid'
import { concat } from 'uint8arrays/concat'
import type { Store, TableWrite } from '../store/index.ts'
import {
  decode,
  decodeStrict,
  encode,
  type MicroCredits,
  type Milliseconds,
  type PeerIdString,
  record as recordSchema,
  type SettleCertificate,
  SIGNED_PAYLOAD_MAX,
  type Signed,
  settleCertificate,
  sha256,
  type UnitGroup
} from '../wire/index.ts'
import { indexOfPayee, sum } from './bodies.ts'
import type { Certifier, OwnRecord } from './certify.ts'
import { ESCROW_VOTE_MS, PAID_MS, SETTLE_VOTE_MS } from './constants.ts'
import { CreditError, ensure } from './errors.ts'
import type { OwnChain } from './own-chain.ts'
import { divide } from './settling.ts'
import type { Spending } from './spending.ts'
import type { ChainState, OpenEscrow } from './state.ts'
import type { LedgerTransport } from './transport.ts'
import type { Contract, Ledger, Settlement } from './types.ts'
import { certifiersOf } from './voters.ts'

export interface PayerInit {
  readonly store: Store
  readonly chain: OwnChain
  readonly spending: Spending
  readonly certifier: Certifier
  readonly transport: LedgerTransport
  readonly now: () => Milliseconds
  readonly random: (length: number) => Uint8Array
  readonly log: (message: string) => void
  readonly changed: () => void
  /** A signal for that many ms, ended earlier by the given one or by the ledger's own end. */
  readonly within: (ms: Milliseconds, signal?: AbortSignal) => AbortSignal
}

const NO_HASH = new Uint8Array(32)

/** The requester's side of a contract: escrow, receipts, settle, certificates. */
export class Payer {
  private readonly init: PayerInit

  constructor(init: PayerInit) {
    this.init = init
  }

  async openEscrow(order: Parameters<Ledger['openEscrow']>[0]): Promise<Contract> {
    const { chain, certifier, changed, within } = this.init
    const { channels, tClose, signal } = order
    signal?.throwIfAborted()
    const own = await chain.append((state, ts) => ({
      intent: { kind: 'escrow', ts, body: this.escrowBody(order, state) }
    }))
    changed()
    const { body } = openEscrowOf(own.state, own.id)
    const votes = await certifier.collect(own, certifiersOf(body).members, within(ESCROW_VOTE_MS, signal))
    if (votes.size === 0 || signal?.aborted) {
      await this.settleAsReceipted(own.id)
      signal?.throwIfAborted()
      throw new CreditError(
        'NO_VOTES',
        'No provider answered for the escrow, which was refunded: try again.',
        {
          retryable: true
        }
      )
    }
    return { escrow: own.id, channels, tClose, certifiedBy: [...votes.keys()] }
  }

  private escrowBody(
    { jobId, channels, inputRoot, tClose }: Parameters<Ledger['openEscrow']>[0],
    state: ChainState | undefined
  ) {
    return {
      jobId,
      parent: null,
      payees: channels.map(({ peer, max }) => ({ peer, max, on: [] })),
      amount: sum(channels.map(({ max }) => max)),
      inputRoot,
      witnesses: [...(state?.seat.members ?? [])],
      quorum: state?.seat.quorum ?? 0,
      tClose,
      nonce: this.init.random(16)
    }
  }

  async receipt(escrow: CID, payee: PeerIdString, amount: MicroCredits): Promise<Signed> {
    const { body } = openEscrowOf(await this.init.chain.latest(), escrow)
    return this.init.spending.give(escrow, body, payee, amount, this.init.now())
  }

  /**
   * Without witnesses a settle before tClose needs no release: each payee's vote says that it pays what was
   * receipted, and a payee that is silent gets that too.
   */
  async settle(
    escrow: CID,
    groups: readonly UnitGroup[],
    { seed, signal }: { seed: Uint8Array; signal?: AbortSignal }
  ): Promise<Settlement> {
    const { certifier, transport, within } = this.init
    const settled = await this.appendSettle(escrow, groups, seed)
    const { own, open, settle } = settled
    const present = new Set(transport.connectedPeers())
    const voters = certifiersOf(open.body).members.filter((peer) => present.has(peer))
    const votes = await certifier.collect(own, voters, within(SETTLE_VOTE_MS, signal))
    const certificate = await this.keepVotes(escrow, settled, [...votes.values()])
    await this.handOver(certificate, open, [...votes.keys()], within(PAID_MS, signal))
    return {
      escrow,
      settle: own.id,
      payouts: open.body.payees.map(({ peer }, index) => ({ peer, amount: settle.payouts[index] ?? 0n })),
      refund: settle.refund,
      groups: settle.split.inputs,
      certainty: 'detection-only',
      votes: votes.size
    }
  }

  /** Settles with exactly what was receipted: for an escrow that nobody works on any more. */
  async settleAsReceipted(escrow: CID): Promise<void> {
    await this.appendSettle(escrow, [], NO_HASH)
  }

  /** The certificate of a settled escrow of this node, `open` for one that is not settled. */
  async certificateFor(
    payee: PeerIdString,
    escrow: CID
  ): Promise<{ certificate: SettleCertificate; index: number } | 'open'> {
    const bytes = await this.init.store.table('certificates').get(escrow.toString())
    if (bytes === undefined) {
      openEscrowOf(await this.init.chain.latest(), escrow)
      return 'open'
    }
    const certificate = decode(bytes, settleCertificate, Number.POSITIVE_INFINITY)
    const record = decodeStrict(certificate.escrow.payload, recordSchema, SIGNED_PAYLOAD_MAX)
    const index = record.kind === 'escrow' ? indexOfPayee(record.body, payee) : -1
    ensure(index >= 0, 'NOT_CONCERNED', 'The escrow does not pay you.')
    return { certificate, index }
  }

  /** Appends the settle with its certificate, still without votes, in one transaction. */
  private async appendSettle(escrow: CID, groups: readonly UnitGroup[], seed: Uint8Array) {
    const { chain, spending, changed } = this.init
    const open = openEscrowOf(await chain.latest(), escrow)
    const mixed = await sha256(concat([open.body.nonce, seed]))
    const [signedEscrow] = await chain.range(open.seq, open.seq + 1)
    ensure(signedEscrow !== undefined, 'UNKNOWN_ESCROW', 'The escrow is not in the store.')
    spending.close(escrow) // from here on nothing is receipted that the settle could miss
    try {
      const settle = divide(escrow, open.body, groups, spending.amountsOf(escrow, open.body), mixed)
      const own = await chain.append((state, ts) => {
        ensure(state?.openEscrows.has(escrow.toString()) === true, 'UNKNOWN_ESCROW', 'It was settled before.')
        return {
          intent: { kind: 'settle', ts, body: settle },
          alongside: ({ signed }) => [
            certificateRow(escrow, { kind: 'settle', escrow: signedEscrow, settle: signed, votes: [] })
          ]
        }
      })
      spending.forget(escrow)
      changed()
      return { own, open, settle, signedEscrow }
    } catch (error) {
      spending.reopen(escrow)
      throw error
    }
  }

  private async keepVotes(
    escrow: CID,
    { own, signedEscrow }: { own: OwnRecord; signedEscrow: Signed },
    votes: Signed[]
  ): Promise<SettleCertificate> {
    const certificate = { kind: 'settle' as const, escrow: signedEscrow, settle: own.signed, votes }
    const { table, key, value } = certificateRow(escrow, certificate)
    await this.init.store.table(table).put(key, value)
    return certificate
  }

  /** Gives each payee its certificate; one that does not take it now asks for it later. */
  private async handOver(
    certificate: SettleCertificate,
    { body }: OpenEscrow,
    payees: readonly PeerIdString[],
    signal: AbortSignal
  ): Promise<void> {
    await Promise.all(
      payees.map(async (peer) => {
        const index = indexOfPayee(body, peer)
        if (index < 0) {
          return // a witness
        }
        try {
          const answer = await this.init.transport.call(peer, { t: 'paid', certificate, index }, signal)
          if (answer.t !== 'ok') {
            this.init.log(
              `${peer} did not take its payment: ${answer.t === 'refused' ? answer.message : answer.t}`
            )
          }
        } catch (error) {
          this.init.log(`${peer} was not told of its payment: ${String(error)}`)
        }
      })
    )
  }
}

function openEscrowOf(state: ChainState, escrow: CID): OpenEscrow {
  const open = state.openEscrows.get(escrow.toString())
  ensure(
    open !== undefined,
    'UNKNOWN_ESCROW',
    'This node has no such open escrow: it is settled, or not its own.'
  )
  return open
}

const certificateRow = (escrow: CID, certificate: SettleCertificate): TableWrite => ({
  table: 'certificates',
  key: escrow.toString(),
  value: encode(certificate)
})
