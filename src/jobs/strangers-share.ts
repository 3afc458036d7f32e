import { chargeStranger, type StrangersUse, strangerAllowance } from '../credit/index.ts'
import type { Milliseconds, NetworkParameters, PeerIdString } from '../wire/index.ts'
import { STRANGER_RETRY } from './constants.ts'
import { JobError } from './errors.ts'

const HOUR: Milliseconds = 3_600_000

export interface StrangersShareInit {
  readonly network: NetworkParameters
  readonly now: () => Milliseconds
}

/** A stranger's unit that is computed. */
export interface StrangersUnit {
  readonly peer: PeerIdString
  readonly lanes: number
  readonly begun: Milliseconds
  readonly cut: AbortController
}

export const strangersBusy = () =>
  new JobError('BUSY', 'This node has given strangers their share of this hour: try again in a while.', {
    retryable: true,
    details: { retryAfterMs: STRANGER_RETRY }
  })

/**
 * What this node has given strangers within the last hour, and what it still may. What runs counts as it goes on, and
 * is cut where the share ends: so no number of units that begin at once gets more.
 */
export class StrangersShare {
  /** Percent of this node's time: the person's setting. @default the network's */
  share: number | undefined
  private readonly init: StrangersShareInit
  private readonly running = new Set<StrangersUnit>()
  private uses: StrangersUse = []
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(init: StrangersShareInit) {
    this.init = init
  }

  /** @param lanes units that compute side by side */
  allows(peer: PeerIdString, lanes: number): boolean {
    return this.left(peer, lanes) > 0
  }

  /** A unit of the peer's is computed from now on: to be ended with `end`, and given up as soon as its `cut` is aborted. */
  begin(peer: PeerIdString, lanes: number): StrangersUnit {
    const unit = { peer, lanes, begun: this.init.now(), cut: new AbortController() }
    this.running.add(unit)
    this.watch()
    return unit
  }

  end(unit: StrangersUnit): void {
    if (this.running.delete(unit)) {
      this.uses = this.charged(this.uses, unit)
      this.watch()
    }
  }

  private left(peer: PeerIdString, lanes: number): Milliseconds {
    const { network, now } = this.init
    const share = this.share ?? network.strangersPercent
    if (share >= 100 && network.strangersMsPerHour >= HOUR) {
      return Number.POSITIVE_INFINITY // units overlap, and so take more than an hour of an hour
    }
    const uses = [...this.running].reduce((before, unit) => this.charged(before, unit), this.uses)
    return strangerAllowance(uses, peer, now(), network, { share, lanes })
  }

  private charged(uses: StrangersUse, { peer, begun }: StrangersUnit): StrangersUse {
    const now = this.init.now()
    return chargeStranger(uses, peer, Math.max(0, now - begun), now)
  }

  /** Cuts those whose share is used up, and looks again when all that run can have used up what is left. */
  private watch(): void {
    clearTimeout(this.timer)
    let least = Number.POSITIVE_INFINITY
    for (const { peer, lanes, cut } of this.running) {
      const left = this.left(peer, lanes)
      if (left > 0) {
        least = Math.min(least, left)
      } else {
        cut.abort(strangersBusy())
      }
    }
    if (least < Number.POSITIVE_INFINITY) {
      this.timer = setTimeout(() => this.watch(), Math.ceil(least / this.running.size))
    }
  }
}
