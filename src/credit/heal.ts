import {
  HEAL_BRANCH_MAX,
  HEAL_RECORD_MAX,
  type MicroCredits,
  type Milliseconds,
  type NetworkParameters,
  type RecordOf,
  SIGNED_PAYLOAD_MAX,
  type Signed
} from '../wire/index.ts'
import { checkEscrow, checkSettle, checkTransfer, sum } from './bodies.ts'
import { drain } from './drain.ts'
import { ensure } from './errors.ts'
import { type ChainState, claimKey, type OpenEscrow } from './state.ts'
import type { VerifiedRecord } from './verify.ts'

/**
 * What a `heal` does. An author that has signed two records for one place by accident (a profile that was copied, or
 * set back) joins the branch that is not its chain any more: all debits of both count, shared credits count once. So
 * nobody is paid less for it, and the author is never richer than by either branch alone.
 */

/** What a heal needs beside its branch, and each record of the branch beside its payload, in bytes. */
const HEAL_REST = 2 * 1024
const ENVELOPE_REST = 96

/**
 * The branch in pieces that fit into one heal each, oldest first.
 *
 * @returns their lengths
 * @throws CreditError `BAD_RECORD` for a branch that is empty, or has a record too large for any heal
 */
export function healSteps(branch: readonly Signed[]): number[] {
  ensure(
    branch.length > 0 && branch.every(({ payload }) => payload.byteLength <= HEAL_RECORD_MAX),
    'BAD_RECORD',
    `A heal takes records of at most ${HEAL_RECORD_MAX} bytes: this chain stays as it is.`
  )
  const steps: number[] = []
  let room = 0
  for (const { payload } of branch) {
    const size = payload.byteLength + ENVELOPE_REST
    const last = steps.at(-1)
    if (last === undefined || last === HEAL_BRANCH_MAX || size > room) {
      steps.push(1)
      room = SIGNED_PAYLOAD_MAX - HEAL_REST - size
    } else {
      steps[steps.length - 1] = last + 1
      room -= size
    }
  }
  return steps
}

/** A heal with the records of the branch, their signatures checked. */
export interface VerifiedHeal {
  readonly record: RecordOf<'heal'>
  readonly branch: readonly VerifiedRecord[]
}

export interface Joined {
  /** What the branch adds to the drained balance (µcr): below 0 as a rule. */
  readonly balance: MicroCredits
  readonly idleSince: Milliseconds
  readonly openEscrows: Map<string, OpenEscrow>
  readonly claimed: Map<string, Milliseconds>
}

/**
 * @param state of the longer branch, before the heal
 * @param hours idle hours that the chain has applied, the heal's included: refunds are drained by them
 * @throws CreditError `BAD_RECORD`
 */
export function joinBranch(
  state: ChainState,
  { record, branch }: VerifiedHeal,
  hours: number,
  network: NetworkParameters
): Joined {
  checkHeal(state, { record, branch })
  const openEscrows = new Map(state.openEscrows)
  const claimed = new Map(state.claimed)
  let balance = 0n
  let { idleSince } = state
  for (const verified of branch) {
    const { id, record: lost } = verified
    switch (lost.kind) {
      case 'escrow':
        checkEscrow(lost, network)
        balance -= lost.body.amount
        openEscrows.set(id.toString(), { body: lost.body, seq: record.seq, ts: lost.ts, idleHours: hours })
        break
      case 'transfer':
        checkTransfer(lost)
        balance -= lost.body.amount
        break
      case 'settle': {
        const key = lost.body.escrow.toString()
        const escrow = openEscrows.get(key)
        if (escrow === undefined) {
          balance -= sum(lost.body.payouts) // both branches have settled it: its payees may hold either certificate
        } else {
          checkSettle(lost.body, escrow.body)
          openEscrows.delete(key)
          balance += drain(lost.body.refund, hours - escrow.idleHours, network)
        }
        break
      }
      case 'claim': {
        const { base, payouts, ts: due, until } = certificateOf(verified)
        const { peer, amount } = payouts[lost.body.index] ?? { peer: undefined, amount: 0n }
        const key = claimKey(base, lost.body.index)
        // after its window the chain may have forgotten that it claimed this, too
        if (
          peer === lost.author &&
          lost.ts >= due &&
          lost.ts <= until &&
          until >= record.ts &&
          !claimed.has(key)
        ) {
          balance += amount
          claimed.set(key, until)
          idleSince = Math.max(idleSince, due)
        }
        break
      }
      case 'seat':
      case 'checkpoint':
        break // the branch's witnesses have no say
      default:
        ensure(false, 'BAD_RECORD', `A branch with a ${lost.kind} cannot be healed.`)
    }
  }
  return { balance, idleSince, openEscrows, claimed }
}

function certificateOf(verified: VerifiedRecord) {
  ensure('certificate' in verified, 'BAD_CERTIFICATE', 'A claim comes with its verified certificate.')
  return verified.certificate
}

/** The branch is one chain of the same author's, not longer than the one that it is joined to. */
function checkHeal({ author, seq, sure }: ChainState, { record, branch }: VerifiedHeal): void {
  const { head, witnesses, quorum } = record.body
  ensure(
    branch.every(({ record: lost }, i) => {
      const before = branch[i - 1]
      return (
        lost.author === author &&
        (before === undefined ||
          (lost.seq === before.record.seq + 1 && lost.prev?.equals(before.id) === true))
      )
    }) && branch.at(-1)?.id.equals(head) === true,
    'BAD_RECORD',
    "A heal holds a branch of its author's own chain up to the head that it names."
  )
  ensure(
    (branch.at(-1)?.record.seq ?? 0) <= seq,
    'BAD_RECORD',
    'A heal stands at the end of the longer branch, after both.'
  )
  ensure(
    quorum === sure.quorum && witnesses.join() === sure.members.join(),
    'BAD_RECORD',
    'A heal names the last seat that is sure.'
  )
}
