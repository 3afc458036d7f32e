import * as z from 'zod/mini'
import { chargeStranger, type StrangersUse, shortenUses, strangerAllowance } from '../credit/index.ts'
import type { Table } from '../store/index.ts'
import {
  decode,
  encode,
  type Milliseconds,
  type NetworkParameters,
  natural,
  type PeerIdString,
  peerId
} from '../wire/index.ts'
import { STRANGER_RETRY } from './constants.ts'
import { JobError } from './errors.ts'

const HOUR: Milliseconds = 3_600_000

const KEY = 'strangers-share'
const row = z.array(z.strictObject({ minute: natural, peer: z.optional(peerId), ms: natural }))
/** Names in the row; all entries together take some 30 KiB. */
const NAMES_KEPT = 256
/** So much more than it was given each that is served has in the store: a crash gives nobody a fresh share. */
const AHEAD: Milliseconds = 10_000
const INFINITE: Milliseconds = Number.POSITIVE_INFINITY

export interface StrangersShareInit {
  readonly network: NetworkParameters
  readonly now: () => Milliseconds
  /** Where it outlives a restart. @default nowhere */
  readonly kept?: Table
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
  /** Given to those who are served no more, in this life; and what the row holds of all that is given in it. */
  private given: Milliseconds = 0
  private noted: Milliseconds = 0

  constructor(init: StrangersShareInit) {
    this.init = init
  }

  /** What an earlier life has given. */
  async load(): Promise<void> {
    const bytes = await this.init.kept?.get(KEY)
    this.uses = bytes ? decode(bytes, row, Number.POSITIVE_INFINITY) : []
  }

  async stop(): Promise<void> {
    clearTimeout(this.timer)
    await (this.noted > 0 ? this.store(this.usesNow()) : undefined)
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
      this.given += this.elapsed(unit)
      this.watch()
    }
  }

  private left(peer: PeerIdString, lanes: number): Milliseconds {
    const { network, now } = this.init
    const share = this.share ?? network.strangersPercent
    return this.isUnlimited
      ? INFINITE
      : strangerAllowance(this.usesNow(), peer, now(), network, { share, lanes })
  }

  /** Units overlap, and so take more than an hour of an hour. */
  private get isUnlimited(): boolean {
    const { strangersPercent, strangersMsPerHour } = this.init.network
    return (this.share ?? strangersPercent) >= 100 && strangersMsPerHour >= HOUR
  }

  private usesNow(): StrangersUse {
    return [...this.running].reduce((before, unit) => this.charged(before, unit), this.uses)
  }

  private charged(uses: StrangersUse, unit: StrangersUnit): StrangersUse {
    return chargeStranger(uses, unit.peer, this.elapsed(unit), this.init.now())
  }

  private elapsed({ begun }: StrangersUnit): Milliseconds {
    return Math.max(0, this.init.now() - begun)
  }

  /** Stores what is given, and some more, before that is given. @returns after how much more it is due again */
  private note(): Milliseconds {
    const { size } = this.running
    if (this.isUnlimited || this.init.kept === undefined || size === 0) {
      return INFINITE
    }
    const now = this.init.now()
    const given = [...this.running].reduce((sum, unit) => sum + this.elapsed(unit), this.given)
    const enough = given + (size * AHEAD) / 2
    if (this.noted <= enough) {
      const more = (uses: StrangersUse, { peer }: StrangersUnit) => chargeStranger(uses, peer, AHEAD, now)
      this.noted = given + size * AHEAD
      // what is not stored is given anew
      this.store([...this.running].reduce(more, this.usesNow())).catch(() => {})
    }
    return this.noted - enough
  }

  private async store(uses: StrangersUse): Promise<void> {
    const few = shortenUses(uses, this.init.now(), NAMES_KEPT).map((use) => ({
      ...use,
      ms: Math.ceil(use.ms)
    }))
    await this.init.kept?.put(KEY, encode(few), { relaxed: true })
  }

  /** Cuts those whose share is used up, and looks again when all that run can have used up what is left. */
  private watch(): void {
    clearTimeout(this.timer)
    let least = this.note()
    for (const { peer, lanes, cut } of this.running) {
      const left = this.left(peer, lanes)
      if (left > 0) {
        least = Math.min(least, left)
      } else {
        cut.abort(strangersBusy())
      }
    }
    if (least < INFINITE) {
      this.timer = setTimeout(() => this.watch(), Math.ceil(least / this.running.size))
    }
  }
}
