import type { EscrowBody, MicroCredits, PeerIdString } from '../wire/index.ts'
import { min } from './edges.ts'
import type { VerifiedRecord } from './verify.ts'

/** What a chain shows of its author's merit at one payer (µcr). */
export interface Merit {
  /** Claimed by the author from the payer's settles, in all. */
  readonly paid: MicroCredits
  /**
   * Spent by the author on the payer's name (`on` of its escrows): of escrows settled before tClose what the payout
   * used, of all others the whole. A refund without the payees' releases returns balance, never recognition.
   */
  readonly spent: MicroCredits
}

/** By payer. Follows from the author's own witnessed chain alone. */
export type Standing = ReadonlyMap<PeerIdString, Merit>

export const NO_MERIT: Merit = { paid: 0n, spent: 0n }

/**
 * The standing after a record that its chain's rules accepted.
 *
 * @param escrow that a settle ends
 */
export function followStanding(
  before: Standing,
  verified: VerifiedRecord,
  escrow: EscrowBody | undefined
): Standing {
  const { record } = verified
  switch (record.kind) {
    case 'claim': {
      if (!('certificate' in verified)) {
        return before // the type of a claim: it has one
      }
      const { kind, author: payer, payouts } = verified.certificate
      const paid = payouts[record.body.index]?.amount ?? 0n
      return kind === 'transfer' ? before : changed(before, [{ payer, paid, spent: 0n }]) // a gift is no payment
    }
    case 'escrow':
      return changed(
        before,
        record.body.payees.flatMap(({ on }) =>
          on.map(({ payer, amount }) => ({ payer, paid: 0n, spent: amount }))
        )
      )
    case 'heal':
      // what the branch has spent is spent; what its settles gave back, and its claims, the chain may have had itself
      return 'branch' in verified
        ? verified.branch
            .filter((lost) => lost.record.kind === 'escrow')
            .reduce((standing, lost) => followStanding(standing, lost, undefined), before)
        : before
    case 'settle':
      // before tClose witnesses vote for a settle only with every payee's release: whoever was not paid gives none
      return changed(
        before,
        (escrow !== undefined && record.ts < escrow.tClose ? escrow.payees : []).flatMap(({ on }, index) =>
          unused(on, record.body.payouts[index] ?? 0n).map(({ payer, amount }) => ({
            payer,
            paid: 0n,
            spent: -amount
          }))
        )
      )
    default:
      return before
  }
}

export interface RecognitionShare {
  readonly payer: PeerIdString
  readonly amount: MicroCredits
}

/** What of a payee's `on` a payout has not used: the payout counts as recognised first, in the order of `on`. */
export function unused(on: readonly RecognitionShare[], payout: MicroCredits): RecognitionShare[] {
  let left = payout
  return on.flatMap(({ payer, amount }) => {
    const used = min(left, amount)
    left -= used
    return used < amount ? [{ payer, amount: amount - used }] : []
  })
}

function changed(
  before: Standing,
  changes: ReadonlyArray<{ payer: PeerIdString; paid: bigint; spent: bigint }>
): Standing {
  if (changes.length === 0) {
    return before
  }
  const after = new Map(before)
  for (const { payer, paid, spent } of changes) {
    const merit = after.get(payer) ?? NO_MERIT
    // who came upon the chain in its middle has not seen what is given back: it would count as earned
    const left = merit.spent + spent
    after.set(payer, { paid: merit.paid + paid, spent: left > 0n ? left : 0n })
  }
  return after
}
