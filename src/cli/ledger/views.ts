import { CID } from 'multiformats/cid'
import {
  type Audit,
  availableAt,
  type ChainState,
  type OpenedStart,
  type VerifiedRecord
} from '../../credit/index.ts'
import type { Milliseconds, Network } from '../../wire/index.ts'

/** What the commands show of a checked chain, as plain data: amounts in µcr as decimal text, times in ms. */

export interface BalanceView {
  readonly peer: string
  readonly network: string
  readonly records: number
  /** `bal` of the last record. */
  readonly recorded: string
  /** Of that, what the drain leaves at `at`. */
  readonly spendable: string
  readonly at: Milliseconds
  readonly escrowed: string
  readonly openEscrows: ReadonlyArray<{ escrow: string; amount: string; tClose: Milliseconds }>
}

export function balanceView(state: ChainState, network: Network, at: Milliseconds): BalanceView {
  const open = [...state.openEscrows]
  return {
    peer: state.author,
    network: network.parameters.name,
    records: state.seq + 1,
    recorded: `${state.bal}`,
    spendable: `${availableAt(state, Math.max(at, state.ts), network.parameters)}`,
    at,
    escrowed: `${open.reduce((sum, [, { body }]) => sum + body.amount, 0n)}`,
    openEscrows: open.map(([escrow, { body }]) => ({
      escrow,
      amount: `${body.amount}`,
      tClose: body.tClose
    }))
  }
}

/** One payment to or from the chain's author. */
export interface ReceiptView {
  readonly place: number
  readonly direction: 'paid' | 'earned'
  readonly peer: string
  readonly amount: string
  readonly ts: Milliseconds
  /** The escrow, or the transfer itself. */
  readonly escrow: string
  /** What `replay` takes; null for a payout by witnesses and for a transfer. */
  readonly settle: string | null
}

export function receiptViews(records: readonly VerifiedRecord[]): ReceiptView[] {
  const payees = new Map<string, readonly { peer: string }[]>()
  return records.flatMap((verified): ReceiptView[] => {
    const { record, id } = verified
    if (record.kind === 'escrow') {
      payees.set(id.toString(), record.body.payees)
    }
    if (record.kind === 'settle') {
      const escrow = record.body.escrow.toString()
      const settle = id.toString()
      return record.body.payouts.flatMap((amount, index) => {
        const peer = payees.get(escrow)?.[index]?.peer ?? ''
        const { seq: place, ts } = record
        return amount === 0n
          ? []
          : [{ place, direction: 'paid' as const, peer, amount: `${amount}`, ts, escrow, settle }]
      })
    }
    if (record.kind === 'transfer') {
      const { to: peer, amount } = record.body
      const paid = { place: record.seq, direction: 'paid' as const, peer, amount: `${amount}`, ts: record.ts }
      return [{ ...paid, escrow: id.toString(), settle: null }]
    }
    return 'certificate' in verified ? [earned(verified)] : []
  })
}

function earned({ record, certificate }: Extract<VerifiedRecord, { certificate: unknown }>): ReceiptView {
  return {
    place: record.seq,
    direction: 'earned',
    peer: certificate.author,
    amount: `${certificate.payouts[record.body.index]?.amount ?? 0n}`,
    ts: record.ts,
    escrow: certificate.base.toString(),
    settle: certificate.kind === 'settle' ? certificate.settleId.toString() : null
  }
}

/** Where a chain begins that is not whole. */
export const startView = ({ state: { seq, seat, bal }, voters }: OpenedStart) => ({
  checkpoint: seq + 1,
  balance: `${bal}`,
  members: seat.members,
  quorum: seat.quorum,
  voters
})

export function describeStart({ state: { seq, seat, bal }, voters }: OpenedStart): string {
  return `It starts at the checkpoint at place ${seq + 1}: that the chain came to ${bal} µcr there is the word of ${voters.length} of its author's ${seat.members.length} witnesses, ${voters.join(', ')}. What was before is not in the file.`
}

/** A record in one line. */
export function describeRecord(verified: VerifiedRecord): string {
  const { record } = verified
  return `${String(record.seq).padStart(6)}  ${record.kind.padEnd(8)}  ${isoTime(record.ts)}  balance ${record.bal}  ${describeBody(verified)}`
}

function describeBody(verified: VerifiedRecord): string {
  const { record } = verified
  if ('certificate' in verified) {
    const { amount, peer, settle, escrow } = earned(verified)
    return `${amount} from ${peer} by ${settle ?? `${verified.certificate.kind} of ${escrow}`}`
  }
  switch (record.kind) {
    case 'genesis':
      return `grant ${record.body.grant}`
    case 'seat':
      return `${record.body.members.length} witnesses, quorum ${record.body.quorum}${record.body.unsure ? ', unsure' : ''}`
    case 'escrow':
      return `${record.body.amount} for ${record.body.payees.map(({ peer, max }) => `${peer} (${max})`).join(', ')}`
    case 'settle':
      return `paid ${record.body.payouts.join(' + ')}, refund ${record.body.refund}, of ${record.body.escrow}`
    case 'transfer':
      return `${record.body.amount} to ${record.body.to}`
    case 'heal':
      return `joins ${record.body.branch.length} records up to ${record.body.head}`
    case 'closed':
      return record.body.next === null ? 'for ever' : 'goes on elsewhere'
    default:
      return ''
  }
}

export function describeBooks(books: Audit): string {
  const { minted, balances, openEscrows, certifiedUnclaimed, burned, forfeited, debt } = books
  const sums = `minted ${minted} = balances ${balances} + open escrows ${openEscrows} + unclaimed ${certifiedUnclaimed} + burned ${burned} + forfeited ${forfeited} − claimed from others ${debt}`
  return debt === 0n ? `${sums}: balances` : `${sums} (whose chains are not among these files)`
}

export const isoTime = (ms: Milliseconds) => new Date(ms).toISOString()

/** JSON knows no bigint, bytes or CID: decimal text, hexadecimal text and the CID's own text. */
export function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') {
    return `${value}`
  }
  if (value instanceof Uint8Array) {
    return Buffer.from(value).toString('hex')
  }
  if (Array.isArray(value)) {
    return value.map(toJson)
  }
  if (typeof value !== 'object' || value === null) {
    return value
  }
  const id = CID.asCID(value)
  return id
    ? id.toString()
    : Object.fromEntries(Object.entries(value).map(([key, part]) => [key, toJson(part)]))
}
