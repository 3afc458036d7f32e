import type { MicroCredits } from '../../wire/index.ts'
import type { Channel } from '../channel.ts'
import type { LanePlan } from './plan.ts'

/** One unit of a stage, computed and signed. */
export interface Done {
  readonly lane: Lane
  readonly stage: number
  /** Of the stage's units in this lane. */
  readonly unit: number
  readonly channel: Channel
  /** Its number on the channel's stream. */
  readonly number: number
  /** Part hashes. */
  readonly input: Uint8Array
  readonly hash: Uint8Array
  readonly size: number
  readonly signature: Uint8Array
  /** What it was computed from; undefined: the requester's own rows. */
  readonly before: Done | undefined
  /** Of the last stage. */
  readonly bytes: Uint8Array | undefined
  /** What it is paid, whatever comes of the lane (µcr). */
  readonly price: MicroCredits
  readonly tookMs: number
  readonly unitsAhead: number
  /** Checked by the next stage's provider, or by this node. */
  isVerified: boolean
}

/** Rows on their way through the stages. */
export class Lane {
  readonly index: number
  readonly plan: LanePlan
  /** By stage, by unit. */
  readonly done: Array<Array<Done | undefined>>
  /** Handed out: steps and checks. */
  out = 0
  /** Grows with each fresh start: what was handed out before does not belong to it. */
  epoch = 0
  /** This node is looking at it, or it is paid for. */
  isHeld = false
  isComplete = false
  /** Units of the last stage that were checked. */
  readonly checked = new Set<number>()
  /** Of those, which were handed out to be checked. */
  readonly checking = new Set<number>()
  /** Channels that failed at it. */
  readonly avoid = new Set<Channel>()
  /** Who does its stage now. */
  current: Channel | undefined
  readonly given = new Set<number>()

  constructor(index: number, plan: LanePlan) {
    this.index = index
    this.plan = plan
    this.done = plan.units.map((units) => units.map(() => undefined))
  }

  /** The stage that it has come to; as many as there are stages: through all of them. */
  get stage(): number {
    const at = this.done.findIndex((units) => units.some((done) => done === undefined))
    return at < 0 ? this.done.length : at
  }

  /** What a stage came to. */
  at(stage: number): readonly Done[] {
    return (this.done[stage] ?? []).filter((done) => done !== undefined)
  }

  /**
   * The first stage of which nothing is left when a provider goes: what it had computed last and nobody has fetched; of
   * a liar, all that nobody has checked. -1: none.
   */
  lostWith(channel: Channel, isLiar: boolean): number {
    const { stage } = this
    const isThrough = stage === this.done.length
    const isLost = (done: Done, at: number) =>
      done.channel === channel && ((isLiar && !done.isVerified) || (!isThrough && at >= stage - 1))
    return this.isComplete ? -1 : this.done.findIndex((_, at) => this.at(at).some((done) => isLost(done, at)))
  }

  /** What was done from that stage on does not count any more. */
  dropFrom(stage: number): Done[] {
    const dropped = this.done.slice(stage).flatMap((units) => units.filter((done) => done !== undefined))
    for (const units of this.done.slice(stage)) {
      units.fill(undefined)
    }
    this.epoch += 1
    this.out = 0
    this.checked.clear()
    this.checking.clear()
    this.given.clear()
    this.current = undefined
    return dropped
  }
}
