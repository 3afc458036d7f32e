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
    if (running !== undefined || this.due(channel) <= channel.tally.receiptedUnits) {
      return running ?? Promise.resolve()
    }
    const task = this.receiptAll(channel)
    this.running.set(channel, task)
    return task
  }

  /** Units that receipts should cover now. */
  private due(channel: Channel): number {
    return channel.tally.units - this.init.heldBack(channel)
  }

  private async receiptAll(channel: Channel): Promise<void> {
    const { tally, escrow, peer } = channel
    try {
      for (let units = this.due(channel); tally.receiptedUnits < units; units = this.due(channel)) {
        const receipt = await this.init.ledger.receipt(escrow, peer, tally.amountOf(units))
        if (!channel.isLive) {
          return // stored: the settle pays it, and the payee asks for the settle
        }
        await channel.sendReceipt(receipt, units)
      }
    } finally {
      this.running.delete(channel) // at once: whoever asks from now on has news
    }
  }
}
