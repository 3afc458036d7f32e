import { chargeStranger, type StrangersUse, strangerAllowance } from '../credit/index.ts'
import type { Milliseconds, NetworkParameters, PeerIdString } from '../wire/index.ts'

const HOUR: Milliseconds = 3_600_000

export interface StrangersShareInit {
  readonly network: NetworkParameters
  /** Percent of this node's time: the person's setting. @default the network's */
  readonly share?: number | undefined
  readonly now: () => Milliseconds
}

/** What this node has given strangers within the last hour, and what it still may. */
export class StrangersShare {
  private readonly init: StrangersShareInit
  private uses: StrangersUse = []

  constructor(init: StrangersShareInit) {
    this.init = init
  }

  /** @param lanes units that compute side by side */
  allows(peer: PeerIdString, lanes: number): boolean {
    const { network, now, share = network.strangersPercent } = this.init
    if (share >= 100 && network.strangersMsPerHour >= HOUR) {
      return true // units overlap, and so take more than an hour of an hour
    }
    return strangerAllowance(this.uses, peer, now(), network, { share, lanes }) > 0
  }

  charge(peer: PeerIdString, ms: Milliseconds): void {
    const { now } = this.init
    this.uses = chargeStranger(this.uses, peer, ms, now())
  }
}
