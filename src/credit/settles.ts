import { CID } from 'multiformats/cid'
import { concat } from 'uint8arrays/concat'
import * as z from 'zod/mini'
import type { Store } from '../store/index.ts'
import {
  decode,
  decodeStrict,
  encode,
  type Milliseconds,
  type Network,
  type PeerIdString,
  type Release,
  record as recordSchema,
  type SettleBody,
  type SettleCertificate,
  SIGNED_PAYLOAD_MAX,
  type Signed,
  settleBody,
  settleCertificate,
  sha256,
  type UnitGroup
} from '../wire/index.ts'
import { indexOfPayee } from './bodies.ts'
import { decodeStatement } from './envelope.ts'
import { CreditError, ensure } from './errors.ts'
import type { OwnChain } from './own-chain.ts'
import type { Proofs } from './proofs.ts'
import { certificateRow, type SettleVotes } from './settle-votes.ts'
import { divide, divideLanes } from './settling.ts'
import type { Spending } from './spending.ts'
import type { ChainState, OpenEscrow } from './state.ts'
import type { Ledger, Settlement } from './types.ts'

export interface SettlesInit {
  readonly store: Store
  readonly chain: OwnChain
  readonly spending: Spending
  readonly proofs: Proofs
  readonly votes: SettleVotes
  readonly network: Network
  readonly now: () => Milliseconds
  readonly log: (message: string) => void
  readonly changed: () => void
}

const NO_HASH = new Uint8Array(32)
const PLAN = 'plan/'
const planSchema = z.strictObject({ settle: settleBody })

/** Ends this node's escrows: at once where it may, else when it may. */
export class Settles {
  private readonly init: SettlesInit

  constructor(init: SettlesInit) {
    this.init = init
  }

  /**
   * Without witnesses a settle before tClose needs no release: each payee's vote says that it pays what was
   * receipted, and a payee that is silent gets that too. With witnesses it waits for what they want to see.
   */
  async settle(
    escrow: CID,
    groups: readonly UnitGroup[],
    { seed, lanes, releases, signal }: Parameters<Ledger['settle']>[2]
  ): Promise<Settlement> {
    const { chain, spending } = this.init
    const open = openEscrowOf(await chain.latest(), escrow)
    const mixed = await sha256(concat([open.body.nonce, seed]))
    spending.close(escrow) // from here on nothing is receipted that the settle could miss
    try {
      const receipted = spending.amountsOf(escrow, open.body)
      const settle =
        lanes === undefined
          ? divide(escrow, open.body, groups, receipted, mixed)
          : divideLanes(escrow, open.body, lanes, receipted, mixed)
      const given = [...(releases?.values() ?? [])]
      if (this.mustWait(open, settle, given)) {
        await this.init.store.table('contracts').put(`${PLAN}${escrow}`, encode({ settle }))
        return settlementOf(open, settle, undefined, 0, 'pending')
      }
      const appended = await this.append(escrow, open, settle, given)
      const { votes, certainty } = await this.init.votes.complete(escrow, appended, signal)
      return settlementOf(open, settle, appended.own.id, votes, certainty)
    } catch (error) {
      spending.reopen(escrow)
      throw error
    }
  }

  /** Ends an escrow for which nobody was sent work. */
  async giveUp(escrow: CID): Promise<void> {
    const open = openEscrowOf(await this.init.chain.latest(), escrow)
    await this.settleLeftover(escrow.toString(), open)
  }

  /** Settles what a job left open, as it wanted or else as receipted, once it may. Never rejects. */
  async settleLeftover(key: string, open: OpenEscrow): Promise<void> {
    const { store, spending, votes, log } = this.init
    const escrow = CID.parse(key)
    try {
      const plan = await store.table('contracts').get(`${PLAN}${key}`)
      spending.close(escrow)
      const settle = plan
        ? decode(plan, planSchema, Number.POSITIVE_INFINITY).settle
        : divide(escrow, open.body, [], spending.amountsOf(escrow, open.body), NO_HASH)
      if (!this.mustWait(open, settle, [])) {
        const appended = await this.append(escrow, open, settle, [])
        if (open.body.witnesses.length > 0) {
          void votes.complete(escrow, appended) // else payees ask for it
        }
      }
    } catch (error) {
      log(`The escrow ${key} stays open: ${String(error)}`)
    }
  }

  /** The certificate of a settled escrow of this node, `open` for one that is not settled, or not certified yet. */
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
    return this.init.votes.isPending(escrow) ? 'open' : { certificate, index }
  }

  /** Witnesses want each payee's release until tClose, unless it gets all that its channel holds. */
  private mustWait({ body }: OpenEscrow, settle: SettleBody, releases: readonly Signed[]): boolean {
    const isStrict = body.witnesses.length > 0 && this.init.network.parameters.orphanedAfterMs > 0
    if (!isStrict || this.init.now() >= body.tClose) {
      return false
    }
    const given = releases.map((release) => decodeStatement(release, 'release'))
    return !body.payees.every(({ peer, max }, index) => {
      const payout = settle.payouts[index] ?? 0n
      return (
        payout === max ||
        given.some((release: Release) => release.author === peer && release.amount <= payout)
      )
    })
  }

  /** Appends the settle with its certificate, still without votes, in one transaction. */
  private async append(escrow: CID, open: OpenEscrow, settle: SettleBody, releases: readonly Signed[]) {
    const { chain, spending, proofs, votes, store, changed } = this.init
    const signedEscrow = await chain.escrowAt(open, escrow)
    ensure(signedEscrow !== undefined, 'UNKNOWN_ESCROW', 'The escrow is not in the store.')
    const own = await chain.append((state, ts) => {
      ensure(state?.openEscrows.has(escrow.toString()) === true, 'UNKNOWN_ESCROW', 'It was settled before.')
      return {
        intent: { kind: 'settle', ts, body: settle },
        alongside: ({ signed }) => [
          certificateRow(escrow, {
            kind: 'settle',
            escrow: signedEscrow,
            settle: signed,
            seat: null,
            votes: []
          }),
          ...votes.pendingRow(escrow, open),
          ...proofs.row(state.seq + 1, open.body.tClose, releases)
        ]
      }
    })
    proofs.add(own.record.seq, releases)
    spending.forget(escrow)
    await store.table('contracts').delete(`${PLAN}${escrow}`)
    changed()
    return { own, open, signedEscrow }
  }
}

function settlementOf(
  { body }: OpenEscrow,
  { escrow, payouts, refund, split }: SettleBody,
  settle: CID | undefined,
  votes: number,
  certainty: Settlement['certainty']
): Settlement {
  return {
    escrow,
    settle,
    payouts: body.payees.map(({ peer }, index) => ({ peer, amount: payouts[index] ?? 0n })),
    refund,
    split,
    certainty,
    votes
  }
}

/** @throws CreditError `UNKNOWN_ESCROW` */
export function openEscrowOf(state: ChainState, escrow: CID): OpenEscrow {
  const open = state.openEscrows.get(escrow.toString())
  if (open === undefined) {
    throw new CreditError(
      'UNKNOWN_ESCROW',
      'This node has no such open escrow: it is settled, or not its own.'
    )
  }
  return open
}
