import type { JobReceipt } from '../api.ts'
import type { Contract, Settlement } from '../credit/index.ts'
import type { MicroCredits, PeerIdString } from '../wire/index.ts'
import type { Channel } from './channel.ts'

const WEAKEST_FIRST: ReadonlyArray<JobReceipt['certainty']> = ['pending', 'detection-only', 'witnessed']

/** Adds up the rounds of one job into its receipt. */
export class ReceiptBook {
  private readonly jobId: string
  private readonly skill: string
  private readonly price: MicroCredits
  private readonly escrows: string[] = []
  private readonly settles: string[] = []
  private readonly providers = new Map<
    PeerIdString,
    { units: number; rejected: number; paid: MicroCredits }
  >()
  private readonly certainties = new Set<JobReceipt['certainty']>()
  private refund = 0n

  private readonly split: JobReceipt['split']

  constructor(jobId: string, skill: string, price: MicroCredits, split = 'units') {
    this.jobId = jobId
    this.skill = skill
    this.price = price
    this.split = split
  }

  get paid(): MicroCredits {
    return [...this.providers.values()].reduce((sum, { paid }) => sum + paid, 0n)
  }

  get hasSettled(): boolean {
    return this.escrows.length > 0
  }

  add(contract: Contract, settlement: Settlement, channels: readonly Channel[]): void {
    this.escrows.push(contract.escrow.toString())
    if (settlement.settle) {
      this.settles.push(settlement.settle.toString())
    }
    this.certainties.add(settlement.certainty)
    this.refund += settlement.refund
    for (const { peer, amount } of settlement.payouts) {
      const channel = channels.find((candidate) => candidate.peer === peer)
      const before = this.providers.get(peer) ?? { units: 0, rejected: 0, paid: 0n }
      this.providers.set(peer, {
        units: before.units + (channel?.tally.units ?? 0),
        rejected: before.rejected + (channel?.rejected ?? 0),
        paid: before.paid + amount
      })
    }
  }

  /** `refund` is what came back out of all escrows of the job. */
  receipt(): JobReceipt {
    return {
      jobId: this.jobId,
      skill: this.skill,
      price: this.price,
      paid: this.paid,
      refund: this.refund,
      providers: [...this.providers].map(([peer, sums]) => ({ peer, ...sums })),
      escrows: this.escrows,
      settles: this.settles,
      certainty: WEAKEST_FIRST.find((certainty) => this.certainties.has(certainty)) ?? 'pending',
      split: this.split
    }
  }
}
