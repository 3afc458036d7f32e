import type { Ledger } from '../../credit/index.ts'
import { asError } from '../../net/index.ts'
import type { SwarmRouter } from '../../router/index.ts'
import type { MicroCredits, PeerIdString } from '../../wire/index.ts'
import type { Channel } from '../channel.ts'
import { JobError } from '../errors.ts'
import { operationsOf } from '../hands.ts'
import { Receipting } from '../receipting.ts'
import type { Finding, Inspector } from './inspector.ts'
import type { Done } from './lane.ts'

export interface VerdictsInit {
  readonly ledger: Pick<Ledger, 'receipt'>
  readonly router: Pick<SwarmRouter, 'learn'>
  readonly inspector: Pick<Inspector, 'inspect'>
  readonly skillOf: (channel: Channel) => string
  readonly onVerified: (done: Done) => void
  /** A unit was checked by this node itself. */
  readonly onChecked: (provider: PeerIdString, cost: MicroCredits) => void
  readonly onError: (error: unknown) => void
  /** Something that was looked at is decided. */
  readonly onDecided: () => void
}

/** What is right, and so is paid; what is wrong, and so ends its author's part. */
export class Verdicts {
  /** Verified, and part of no lane that was completed. */
  readonly orphans: Done[] = []
  /** Delivered, of lanes that began anew: looked at now. */
  readonly dropped = new Set<Done>()
  private readonly init: VerdictsInit
  private readonly receipting: Receipting
  private readonly work = new Set<Promise<void>>()

  constructor(init: VerdictsInit) {
    this.init = init
    this.receipting = new Receipting({ ledger: init.ledger, heldBack: () => 0 })
  }

  get isWorking(): boolean {
    return this.work.size > 0
  }

  /** Waits for all that is being looked at, and for what that leads to. */
  async settled(): Promise<void> {
    while (this.work.size > 0) {
      await Promise.all(this.work)
    }
  }

  track(work: Promise<void>): void {
    const tracked: Promise<void> = work.catch(this.init.onError).finally(() => {
      this.work.delete(tracked)
      this.init.onDecided()
    })
    this.work.add(tracked)
  }

  /** All that is right is receipted. Never rejects. */
  async receipt(channel: Channel): Promise<void> {
    await this.receipting.receipt(channel).catch((error) => channel.end(asError(error)))
  }

  /** It was checked, and is right: work to be paid, whatever comes of its lane. */
  accept(done: Done): void {
    const { channel, lane, stage, tookMs, unitsAhead, price, unit } = done
    const spec = lane.plan.units[stage]?.[unit]
    if (done.isVerified || spec === undefined) {
      return
    }
    done.isVerified = true
    channel.unverified -= 1
    channel.tally.add(price)
    if (this.dropped.delete(done)) {
      this.orphans.push(done)
    }
    const operations = operationsOf({ ...spec, data: new Uint8Array(0) })
    const time = { operations, tookMs, pending: unitsAhead }
    this.init.router.learn(channel.peer, this.init.skillOf(channel), 'verified', time)
    this.init.onVerified(done)
    void this.receipt(channel)
  }

  /** Of no lane any more. It was work: what was not checked is checked here, if it can be. */
  drop(some: readonly Done[]): void {
    for (const done of some) {
      if (done.isVerified) {
        this.orphans.push(done)
      } else if (done.channel.isLive) {
        this.dropped.add(done)
        this.track(this.lookAtDropped(done))
      }
    }
  }

  /**
   * Checks it here. Who signed a lie, or cannot show what it signed, is out.
   *
   * @param others who else may have it
   * @param known bytes that were fetched before, by hash
   */
  async look(done: Done, others: readonly Channel[] = [], known?: Map<string, Uint8Array>): Promise<Finding> {
    const { channel, lane, stage, unit } = done
    const finding = await this.init.inspector.inspect(done, others, known)
    if (finding === 'right') {
      this.init.onChecked(channel.peer, lane.plan.units[stage]?.[unit]?.cost ?? 0n)
    } else if (finding === 'wrong') {
      channel.end(new JobError('WRONG_RESULT', `The result of stage ${stage + 1} is wrong.`))
    } else if (finding === 'not shown' && channel.isLive) {
      channel.end(new JobError('INPUT_GONE', 'It cannot show what it has signed.', { retryable: true }))
    }
    return finding
  }

  /**
   * They signed that they had checked what turned out to be wrong. A check may miss a lie, but seldom: what they made
   * of it is not paid.
   */
  blame(vouchers: readonly Channel[]): void {
    for (const channel of vouchers) {
      this.init.router.learn(channel.peer, this.init.skillOf(channel), 'missed')
      channel.end(new JobError('REFUSED', 'The provider vouched for a wrong result.', { retryable: true }))
    }
  }

  private async lookAtDropped(done: Done): Promise<void> {
    if ((await this.look(done)) === 'right') {
      this.accept(done)
    }
    this.dropped.delete(done)
  }
}
