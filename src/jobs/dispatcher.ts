import type { Dispatch } from '../api.ts'
import { isLate, medianSpeed, pickLane } from '../router/index.ts'
import type { UnitSpec } from '../skills/index.ts'
import { sendsCanary } from '../trust/index.ts'
import type { MicroCredits, Milliseconds } from '../wire/index.ts'
import type { Channel } from './channel.ts'
import { COPIES_MAX, LOOK_INTERVAL } from './constants.ts'
import { operationsOf, type Sent } from './hands.ts'
import type { JobContext } from './job-context.ts'
import { mayFlow, resultSizeOf } from './output-flow.ts'
import { priceAt } from './price.ts'
import { UnitQueue } from './unit-queue.ts'

/** Units looked at, of those that wait, for one that somebody free may take. */
const LOOKED_AT = 64

/** Hands the units of one round to its channels: in turn, and again where one is late. */
export class Dispatcher {
  private readonly job: JobContext
  private readonly channels: readonly Channel[]
  private readonly onNobody: (index: number) => void
  private readonly queue: UnitQueue
  private readonly looking: ReturnType<typeof setInterval>
  private isOver = false
  /** Units that are to be computed once more. */
  private readonly replicas = new Set<number>()
  /** Canaries have numbers beyond those of the job's units. */
  private canaries: number

  /**
   * @param channels more may be added
   * @param onNobody nobody else can compute a unit once more
   */
  constructor(job: JobContext, channels: readonly Channel[], onNobody: (index: number) => void) {
    this.job = job
    this.channels = channels
    this.onNobody = onNobody
    this.queue = new UnitQueue(job.plan.units, job.outlay.rate, job.missing)
    this.canaries = job.plan.units.length
    this.looking = setInterval(() => this.copyLate(), LOOK_INTERVAL)
  }

  /** No unit goes out any more; those that are out come back, but for results that have come. */
  stop(): void {
    this.isOver = true
    clearInterval(this.looking)
    for (const channel of this.channels) {
      for (const [index, { isAnswered }] of [...channel.sent]) {
        if (!isAnswered) {
          this.takeBack(channel, index)
        }
      }
    }
  }

  /** Whether a unit waits for a channel that may still take it. */
  get canGoOn(): boolean {
    return this.channels.some(
      (channel) =>
        channel.isLive &&
        !channel.isStalled &&
        this.queue.some((index) => this.fits(channel, this.job.plan.units[index], index))
    )
  }

  /** Units wait because the reader of the output is not ready for them. */
  get isHeldBack(): boolean {
    const index = this.queue.at(0)
    return index !== undefined && !this.mayFlow(index)
  }

  /** Units that were not handed out. */
  get waiting(): readonly number[] {
    return [...this.queue]
  }

  /** What all providers of the round may come to be paid for (µcr). */
  get committed(): MicroCredits {
    return this.channels.reduce((sum, { committed }) => sum + committed, 0n)
  }

  /** Hands out what can be handed out now. */
  next(): void {
    this.giveReplicas()
    // the first units that wait stand for the rest: few differ in who can take them
    for (let at = 0; at < Math.min(this.queue.length, LOOKED_AT) && this.isAnyFree(); ) {
      const index = this.queue.at(at) ?? 0
      if (!this.mayFlow(index)) {
        return // the reader says when it may
      }
      const channel = this.pick(index, this.queue.operations)
      if (channel === undefined) {
        at += 1
        continue
      }
      this.giveCanary(channel)
      if (!channel.hasRoom || !this.fits(channel, this.job.plan.units[index], index)) {
        continue // the canary took its room, or what was left of its pay
      }
      this.queue.remove(index)
      this.job.router.hedges.earn(this.job.skill.manifest.name)
      this.give(index, channel, 'next')
      if ((this.job.copies ?? 1) > 1) {
        this.replicas.add(index) // at once, while another has room for it
        this.giveReplicas()
      }
    }
  }

  /** Has a unit computed once more, by another provider. */
  replicate(index: number): void {
    this.replicas.add(index)
    this.next()
  }

  /** Others than these have it: their result is to come, or being checked. */
  isElsewhere(index: number, channels: readonly Channel[]): boolean {
    return this.holders(index).some((channel) => !channels.includes(channel))
  }

  private giveReplicas(): void {
    const mayAnyoneCome = this.channels.some(
      (channel) => isOpening(channel) || [...channel.sent.values()].some(({ isAnswered }) => !isAnswered)
    )
    for (const index of this.isOver ? [] : [...this.replicas]) {
      if (!this.job.missing.has(index)) {
        this.replicas.delete(index)
        continue
      }
      const free = this.allows('comparison', this.priceOf(index))
        ? this.candidates(index).filter(({ hasRoom }) => hasRoom)
        : []
      // by lot: a provider must not be able to choose whom it confirms
      const drawn = free[Math.floor(this.job.random() * free.length)]
      if (drawn !== undefined) {
        this.replicas.delete(index)
        this.job.outlay.compare(this.priceOf(index))
        this.give(index, drawn.channel, 'replica')
      } else if (!mayAnyoneCome || this.candidates(index).length === 0) {
        this.replicas.delete(index)
        this.onNobody(index)
      }
    }
  }

  /** Now and then, before a real unit, one whose result is known: for skills whose own check is weak. */
  private giveCanary(channel: Channel): void {
    const { manifest } = this.job.skill
    if (manifest.check === 'strong' || !sendsCanary(this.job.random())) {
      return
    }
    const { known, plan, outlay, random } = this.job
    const answer = known.take(manifest.name, plan, channel.peer, random())
    if (answer === undefined) {
      return
    }
    const price = priceAt(answer.spec.cost, outlay.rate)
    if (this.fits(channel, answer.spec) && this.allows('comparison', price)) {
      outlay.compare(price)
      this.hand(this.canaries++, answer.spec, channel, answer.result)
    }
  }

  private isAnyFree(): boolean {
    return !this.isOver && this.channels.some(({ hasRoom }) => hasRoom)
  }

  /** A unit is out of a channel's hands. False if it was before. */
  remove(channel: Channel, index: number): boolean {
    if (channel.sent.has(index)) {
      this.job.router.returned(channel.peer)
    }
    return channel.hands.delete(index)
  }

  /** A unit that a channel failed at goes to another, unless one has it. */
  giveBack(index: number): void {
    if (this.job.missing.has(index) && this.holders(index).length === 0 && !this.queue.has(index)) {
      this.queue.putFirst(index)
    }
  }

  /** A verified unit: whoever else has a copy stops, and was too slow if it was late. */
  done(index: number): void {
    this.queue.remove(index) // it was given back, and its first provider was faster after all
    for (const channel of this.holders(index)) {
      const sent = channel.sent.get(index)
      if (sent?.isAnswered !== true) {
        this.blame(channel, sent)
        this.takeBack(channel, index)
      }
    }
  }

  private blame(channel: Channel, sent: Sent | undefined): void {
    if (sent?.isLate === true) {
      this.job.router.learn(channel.peer, this.job.skill.manifest.name, 'missed')
      channel.isStalled = true
    }
  }

  private takeBack(channel: Channel, index: number): void {
    this.job.router.returned(channel.peer)
    channel.takeBack(index)
  }

  private holders(index: number): Channel[] {
    return this.channels.filter(({ sent }) => sent.has(index))
  }

  /** Looks for units that take long, and gives whoever has room a copy. */
  private copyLate(): void {
    const typical = medianSpeed(this.channels)
    for (const channel of this.channels) {
      const speed = channel.speed ?? typical
      for (const [index, sent] of [...channel.sent]) {
        const expected = speed === undefined ? undefined : (sent.ahead + operationsOf(sent.spec)) / speed
        this.copyIfLate(channel, index, sent, expected)
      }
    }
  }

  private copyIfLate(channel: Channel, index: number, sent: Sent, expected: Milliseconds | undefined): void {
    const { hedges } = this.job.router
    const skill = this.job.skill.manifest.name
    const now = performance.now()
    const late = isLate(now - sent.at, expected)
    const due = late || now >= (hedges.dueAt(skill, sent.at) ?? Number.POSITIVE_INFINITY)
    const holders = this.holders(index)
    const isCopied = holders.some((holder) => (holder.sent.get(index)?.at ?? 0) > sent.at)
    if (!due || sent.isAnswered || isCopied || holders.length >= COPIES_MAX) {
      return
    }
    sent.isLate = late // its provider gets nothing more until it answers
    const other = this.job.missing.has(index) ? this.pick(index, 0) : undefined // nobody needs a canary
    if (other === undefined) {
      return
    }
    if (this.allows('copy', this.priceOf(index))) {
      if (late || hedges.spend(skill)) {
        this.give(index, other, late ? 'resend' : 'hedge')
      }
    } else if (late) {
      // two could be paid for it: it goes elsewhere once this one has let go of it
      this.blame(channel, sent)
      this.takeBack(channel, index)
    }
  }

  private pick(index: number, queued: number): Channel | undefined {
    const work = this.work(index)
    // nobody waits for one that lags, however fast it was
    const lanes = this.candidates(index).filter(({ channel }) => !channel.isLagging)
    return pickLane(lanes, work, Math.max(queued, work))?.channel
  }

  private candidates(index: number) {
    const spec = this.job.plan.units[index]
    return this.channels
      .filter((channel) => channel.isLive && this.fits(channel, spec, index))
      .map((channel) => ({
        channel,
        pending: channel.hands.pending,
        units: channel.sent.size,
        slots: channel.slots,
        speed: channel.speed,
        hasRoom: channel.hasRoom && !channel.isLagging
      }))
  }

  /** The unit may go there: it is not there and has not failed there, and the channel's part of the escrow pays for it. */
  private fits(channel: Channel, spec: UnitSpec | undefined, index?: number): boolean {
    const isNew =
      index === undefined || (channel.hands.get(index) === undefined && !channel.failedUnits.has(index))
    return isNew && channel.committed + priceAt(spec?.cost ?? 0n, channel.rate) <= channel.max
  }

  private allows(purpose: 'copy' | 'comparison', price: MicroCredits): boolean {
    return this.job.outlay.allows(purpose, price, this.committed, this.queue.price)
  }

  private give(index: number, channel: Channel, reason: Dispatch['reason']): void {
    const { job } = this
    const spec = job.plan.units[index]
    if (spec === undefined) {
      return
    }
    const candidates = this.candidates(index).map(({ channel: { peer }, pending, speed }) => ({
      peer,
      doneMs: speed === undefined ? undefined : (pending + operationsOf(spec)) / speed
    }))
    job.onAssigned(index, { provider: channel.peer, reason, candidates })
    this.hand(index, spec, channel)
  }

  private hand(index: number, spec: UnitSpec, channel: Channel, known?: Uint8Array): void {
    const { plan, router } = this.job
    router.dispatched(channel.peer)
    channel.give(index, spec, resultSizeOf(this.job, spec), plan, known)
  }

  private mayFlow(index: number): boolean {
    if (this.job.reader === undefined) {
      return true
    }
    const underWay = this.channels.reduce((sum, { hands }) => sum + hands.resultBytes, 0)
    return mayFlow(this.job, index, underWay)
  }

  private work(index: number): number {
    const spec = this.job.plan.units[index]
    return spec === undefined ? 0 : operationsOf(spec)
  }

  private priceOf(index: number): MicroCredits {
    return priceAt(this.job.plan.units[index]?.cost ?? 0n, this.job.outlay.rate)
  }
}

/** It has had nothing, and may have nothing yet: it has not accepted. */
const isOpening = ({ isLive, hasRoom, hands, tally }: Channel) =>
  isLive && !hasRoom && hands.size === 0 && tally.units === 0
