import {
  CERTIFIED_PAYLOAD_MAX,
  type EscrowBody,
  type NetworkParameters,
  type PeerIdString,
  type RecordOf,
  type SettleBody,
  SIGNED_PAYLOAD_MAX
} from '../wire/index.ts'
import { ensure } from './errors.ts'
import { quorumOf, SEAT_SIZES } from './seat.ts'
import { replaySplit } from './shapley.ts'

/** The rules that a record's body must obey by itself, without its chain. */

const BAD = 'BAD_RECORD'

const distinct = (values: readonly unknown[]) => new Set(values).size === values.length

export function checkPayloadSize(kind: string, bytes: number): void {
  // nobody could read it, its author included
  ensure(
    bytes <= SIGNED_PAYLOAD_MAX,
    BAD,
    () => `The ${kind} has ${bytes} bytes, above ${SIGNED_PAYLOAD_MAX}.`
  )
  if (kind === 'escrow' || kind === 'settle' || kind === 'transfer' || kind === 'seat') {
    ensure(
      bytes <= CERTIFIED_PAYLOAD_MAX,
      BAD,
      () => `The ${kind} has ${bytes} bytes, above its limit of ${CERTIFIED_PAYLOAD_MAX}: use fewer payees.`
    )
  }
}

export function checkSeat({ author, body: { members, quorum } }: RecordOf<'seat'>): void {
  checkMembers(author, members, quorum)
}

function checkMembers(author: PeerIdString, members: readonly PeerIdString[], quorum: number): void {
  ensure(
    SEAT_SIZES.includes(members.length) && distinct(members) && !members.includes(author),
    BAD,
    'A seat has 1, 2, 3, 4 or 7 different members (or none), and never its author.'
  )
  ensure(
    quorum === quorumOf(members.length),
    BAD,
    () => `The quorum of ${members.length} is ${quorumOf(members.length)}.`
  )
}

/** The transfer of an amount above 0 to somebody else. */
export function checkTransfer({ author, body }: RecordOf<'transfer'>): void {
  ensure(body.to !== author, BAD, 'A transfer goes to another peer than its author.')
  ensure(body.amount > 0n, BAD, 'A transfer is of more than 0 µcr.')
  // whose chain shows what a giver is owed is no part of any certificate: its receiver could show what never was
  ensure(body.on.length === 0, BAD, 'A transfer moves no recognition: it names nobody.')
  checkMembers(author, body.witnesses, body.quorum)
}

function checkRecognition(on: EscrowBody['payees'][number]['on'], max: bigint): void {
  ensure(
    distinct(on.map(({ payer }) => payer)) && sum(on.map(({ amount }) => amount)) <= max,
    BAD,
    'Recognition names each payer once and never exceeds what is paid.'
  )
}

export function checkEscrow({ author, ts, body }: RecordOf<'escrow'>, network: NetworkParameters): void {
  checkMembers(author, body.witnesses, body.quorum)
  const peers = body.payees.map(({ peer }) => peer)
  ensure(distinct(peers) && !peers.includes(author), BAD, 'Payees are different peers, and never the author.')
  ensure(
    body.payees.every(({ max }) => max > 0n) && body.amount === sum(body.payees.map(({ max }) => max)),
    BAD,
    "An escrow's amount is the sum of its channels, each above 0."
  )
  for (const { on, max } of body.payees) {
    checkRecognition(on, max)
  }
  ensure(
    body.tClose > ts && body.tClose <= ts + network.escrowMaxMs,
    BAD,
    () => `An escrow closes after it was made, and within ${network.escrowMaxMs} ms.`
  )
}

/** That a settle divides its escrow exactly, within every channel, as its own split says. */
export function checkSettle(settle: SettleBody, escrow: EscrowBody): void {
  const { payouts, refund } = settle
  ensure(payouts.length === escrow.payees.length, BAD, 'A settle has one payout a payee.')
  ensure(
    sum(payouts) + refund === escrow.amount,
    BAD,
    () =>
      `Payouts (${sum(payouts)}) and refund (${refund}) must equal the escrow's amount (${escrow.amount}).`
  )
  ensure(
    escrow.payees.every(({ max }, index) => (payouts[index] ?? 0n) <= max),
    BAD,
    "A payout is above its channel's maximum."
  )
  const replayed = replaySplit(settle)
  ensure(
    replayed.every((amount, index) => amount === payouts[index]),
    BAD,
    'The payouts do not follow from the split that the settle states.'
  )
}

/** Index of a payee in an escrow, or -1. */
export const indexOfPayee = (escrow: EscrowBody, peer: PeerIdString) =>
  escrow.payees.findIndex((payee) => payee.peer === peer)

export const sum = (amounts: readonly bigint[]) => amounts.reduce((total, amount) => total + amount, 0n)
