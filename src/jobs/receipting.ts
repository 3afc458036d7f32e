import type { Ledger } from '../credit/index.ts'
import type { Channel } from './channel.ts'

export interface ReceiptingInit {
  readonly ledger: Pick<Ledger, 'receipt'>
  /** Verified units of a provider whose receipts wait for the settle. */
  readonly heldBack: (channel: Channel) => number
}

/** Receipts what is verified: one receipt of a provider at a time, cumulative. */
export class Receipting {
  private readonly init: ReceiptingInit
  private readonly running = new Map<Channel, Promise<void>>()

  constructor(init: ReceiptingInit) {
    this.init = init
  }

  /** What is verified meanwhile goes into the next one. Resolves when all is receipted. */
  receipt(channel: Channel): Promise<void> {
    const running = this.running.get(channel)
    if (running !== undefined) {
      return running
    }
    const task = this.receiptAll(channel).finally(() => this.running.delete(channel))
    this.running.set(channel, task)
    return task
  }

  private async receiptAll(channel: Channel): Promise<void> {
    const { ledger, heldBack } = this.init
    const { tally } = channel
    for (let units = tally.units - heldBack(channel); tally.receiptedUnits < units; ) {
      const receipt = await ledger.receipt(channel.escrow, channel.peer, tally.amountOf(units))
      if (!channel.isLive) {
        return // stored: the settle pays it, and the payee asks for the settle
      }
      await channel.sendReceipt(receipt, units)
      units = tally.units - heldBack(channel)
    }
  }
}
