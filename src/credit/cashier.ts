import type { CID } from 'multiformats/cid'
import type {
  LedgerRequest,
  LedgerResponse,
  Milliseconds,
  Network,
  PeerIdString,
  Signed,
  Statement
} from '../wire/index.ts'
import { checkReceipt, verifyEscrow } from './certificate.ts'
import { ESCROW_KEPT_MS, LODGED_MAX, WAITING_PER_AUTHOR_MAX } from './constants.ts'
import type { Deposits } from './deposits.ts'
import { verifyStatement } from './envelope.ts'
import { ensure } from './errors.ts'
import { serialByKey } from './serial.ts'
import { checkCloses } from './voting.ts'

type Lodging = Extract<LedgerRequest, { t: 'lodge' }>

/** A statement without what its signer adds. */
export type Unsigned = Statement extends infer S
  ? S extends Statement
    ? Omit<S, 'v' | 'net' | 'author' | 'ts'>
    : never
  : never

export interface CashierInit {
  readonly deposits: Deposits
  readonly network: Network
  readonly self: PeerIdString
  readonly now: () => Milliseconds
  /** Whether that escrow is open on its author's chain, as this node follows it. */
  readonly follows: (author: PeerIdString, escrow: CID) => Promise<boolean>
  readonly sign: (statement: Unsigned) => Promise<Signed>
  /** Whose work this node has seen: they find room for longer. */
  readonly knows: (peer: PeerIdString) => boolean
}

/** A witness's dealings with payees: it keeps their receipts, and votes to pay them. */
export class Cashier {
  private readonly init: CashierInit
  private readonly inTurn = serialByKey(WAITING_PER_AUTHOR_MAX)

  constructor(init: CashierInit) {
    this.init = init
  }

  /** Keeps a payee's receipt: no settle may pay less. */
  async lodge(from: PeerIdString, { escrow, votes, receipt }: Lodging): Promise<LedgerResponse> {
    const { escrow: record, escrowId } = await verifyEscrow({ escrow, votes }, this.init.network)
    const { body } = record
    ensure(
      body.witnesses.includes(this.init.self),
      'NOT_CONCERNED',
      'This node is no witness of that escrow.'
    )
    ensure(this.init.now() <= body.tClose + ESCROW_KEPT_MS, 'UNKNOWN_ESCROW', 'That escrow is long over.')
    checkCloses(body.tClose, this.init.now(), this.init.network.parameters)
    const given = await verifyStatement(receipt, 'receipt', this.init.network)
    const index = checkReceipt(given, record, escrowId)
    ensure(given.payee === from, 'NOT_CONCERNED', 'Only its payee lodges a receipt.')
    const room = await this.roomFor(given.payee, record.author, escrowId)
    // in the payee's own turn: in its author's, that one could keep it waiting until the escrow is settled
    return this.inTurn(from, async () => {
      const { payee, amount } = given
      await this.init.deposits.lodge(escrowId, index, { payee, amount, receipt, tClose: body.tClose }, room)
      return { t: 'ok' }
    })
  }

  /** For escrows certified by whatever names their author likes there is the least: anybody makes any number of them. */
  private async roomFor(payee: PeerIdString, author: PeerIdString, escrow: CID): Promise<number> {
    const { knows, follows } = this.init
    if (knows(payee) || knows(author)) {
      return LODGED_MAX
    }
    return (await follows(author, escrow)) ? (LODGED_MAX / 4) * 3 : LODGED_MAX / 2
  }

  /** After tClose: the vote that pays a lodged receipt, whatever the requester does. */
  async payout(
    from: PeerIdString,
    { escrow }: Extract<LedgerRequest, { t: 'payout' }>
  ): Promise<LedgerResponse> {
    const index = this.init.deposits.indexOf(escrow, from)
    const lodged = this.init.deposits.get(escrow, index)
    ensure(lodged !== undefined, 'UNKNOWN_ESCROW', 'No receipt of yours is lodged here for that escrow.')
    if (lodged.vote) {
      return { t: 'vote', vote: lodged.vote }
    }
    ensure(this.init.now() >= lodged.tClose, 'CLOCK', 'The requester may settle until tClose: ask after it.')
    this.init.deposits.checkSettled(escrow, index, lodged.amount)
    const vote = await this.init.sign({ kind: 'payout', escrow, payee: from, amount: lodged.amount })
    await this.init.deposits.pay(escrow, index, vote)
    return { t: 'vote', vote }
  }
}
