import type { Dispatch } from '../api.ts'
import { isLate, medianSpeed, pickLane } from '../router/index.ts'
import type { Milliseconds } from '../wire/index.ts'
import { type Channel, operationsOf, type Sent } from './channel.ts'
import { COPIES_MAX, LOOK_INTERVAL } from './constants.ts'
import { priceAt } from './price.ts'
import type { JobContext } from './round.ts'

/** Units looked at, of those that wait, for one that somebody free may take. */
const LOOKED_AT = 64

/** Hands the units of one round to its channels: in turn, and again where one is late. */
export class Dispatcher {
  private readonly job: JobContext
  private readonly channels: readonly Channel[]
  private readonly onNobody: (index: number) => void
  private readonly queue: number[]
  /** Operations that wait. */
  private queued: number
  private readonly looking: ReturnType<typeof setInterval>
  private isOver = false
  /** Units that are to be computed once more. */
  private readonly replicas = new Set<number>()

  /** @param onNobody nobody else can compute a unit once more */
  constructor(job: JobContext, channels: readonly Channel[], onNobody: (index: number) => void) {
    this.job = job
    this.channels = channels
    this.onNobody = onNobody
    this.queue = [...job.missing]
    this.queued = this.queue.reduce((sum, index) => sum + this.work(index), 0)
    this.looking = setInterval(() => this.copyLate(), LOOK_INTERVAL)
  }

  /** No unit goes out any more; those that are out come back. */
  stop(): void {
    this.isOver = true
    clearInterval(this.looking)
    for (const channel of this.channels) {
      for (const index of [...channel.sent.keys()]) {
        this.takeBack(channel, index)
      }
    }
  }

  /** Whether a unit waits for a channel that may still take it. */
  get canGoOn(): boolean {
    return this.channels.some(
      (channel) =>
        channel.isLive && !channel.isStalled && this.queue.some((index) => fits(this.job, channel, index))
    )
  }

  /** Units wait that were not handed out yet. */
  get isWaiting(): boolean {
    return this.queue.length > 0
  }

  /** Hands out what can be handed out now. */
  next(): void {
    this.giveReplicas()
    // the first units that wait stand for the rest: few differ in who can take them
    for (let at = 0; at < Math.min(this.queue.length, LOOKED_AT) && this.isAnyFree(); ) {
      const index = this.queue[at] ?? 0
      const channel = this.pick(index, this.queued)
      if (channel === undefined) {
        at += 1
        continue
      }
      this.queue.splice(at, 1)
      this.queued -= this.work(index)
      this.job.router.hedges.earn(this.job.skill.manifest.name)
      this.give(index, channel, 'next')
    }
  }

  /** Has a unit computed once more, by another provider. */
  replicate(index: number): void {
    this.replicas.add(index)
    this.next()
  }

  /** Somebody is still to answer it. */
  isOut(index: number): boolean {
    return this.channels.some(({ sent }) => sent.get(index)?.isAnswered === false)
  }

  private giveReplicas(): void {
    const isAnyoneAtWork = this.channels.some(({ sent }) =>
      [...sent.values()].some(({ isAnswered }) => !isAnswered)
    )
    for (const index of this.isOver ? [] : [...this.replicas]) {
      const free = this.candidates(index).filter(({ hasRoom }) => hasRoom)
      // by lot: a provider must not be able to choose whom it confirms
      const drawn = free[Math.floor(Math.random() * free.length)]
      if (drawn !== undefined) {
        this.replicas.delete(index)
        this.give(index, drawn.channel, 'replica')
      } else if (!isAnyoneAtWork || this.candidates(index).length === 0) {
        this.replicas.delete(index)
        this.onNobody(index)
      }
    }
  }

  private isAnyFree(): boolean {
    return !this.isOver && this.channels.some(({ hasRoom }) => hasRoom)
  }

  /** A unit is out of a channel's hands. False if it was before. */
  remove(channel: Channel, index: number): boolean {
    if (!channel.sent.delete(index)) {
      return false
    }
    this.job.router.returned(channel.peer)
    return true
  }

  /** A unit that a channel failed at goes to another, unless one has it. */
  giveBack(index: number): void {
    if (this.job.missing.has(index) && this.holders(index).length === 0 && !this.queue.includes(index)) {
      this.queue.unshift(index)
      this.queued += this.work(index)
    }
  }

  /** A verified unit: whoever else has a copy stops, and was too slow if it was late. */
  done(index: number): void {
    for (const channel of this.holders(index)) {
      const sent = channel.sent.get(index)
      if (sent?.isAnswered !== true) {
        if (sent?.isLate === true) {
          this.job.router.learn(channel.peer, this.job.skill.manifest.name, 'missed')
          channel.isStalled = true
        }
        this.takeBack(channel, index)
      }
    }
  }

  private takeBack(channel: Channel, index: number): void {
    channel.takeBack(index)
    this.job.router.returned(channel.peer)
  }

  private holders(index: number): Channel[] {
    return this.channels.filter(({ sent }) => sent.has(index))
  }

  /** Looks for units that take long, and gives whoever has room a copy. */
  private copyLate(): void {
    const typical = medianSpeed(this.channels)
    for (const channel of this.channels) {
      const speed = channel.speed ?? typical
      for (const [index, sent] of channel.sent) {
        const work = this.work(index)
        const expected = speed === undefined ? undefined : (sent.ahead + work) / speed
        this.copyIfLate(index, sent, expected)
      }
    }
  }

  private copyIfLate(index: number, sent: Sent, expected: Milliseconds | undefined): void {
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
    const other = this.pick(index, 0)
    if (other !== undefined && (late || hedges.spend(skill))) {
      this.give(index, other, late ? 'resend' : 'hedge')
    }
  }

  private pick(index: number, queued: number): Channel | undefined {
    const work = this.work(index)
    return pickLane(this.candidates(index), work, Math.max(queued, work))?.channel
  }

  private candidates(index: number) {
    return this.channels
      .filter((channel) => channel.isLive && !channel.sent.has(index) && fits(this.job, channel, index))
      .map((channel) => ({
        channel,
        pending: channel.pending,
        units: channel.sent.size,
        slots: channel.slots,
        speed: channel.speed,
        hasRoom: channel.hasRoom && !isStalled(channel)
      }))
  }

  private give(index: number, channel: Channel, reason: Dispatch['reason']): void {
    const { job } = this
    const spec = job.plan.units[index]
    if (spec === undefined) {
      return
    }
    const { resultSize } = job.skill.checkUnit({
      params: spec.params,
      dataSize: spec.data.byteLength,
      partSizes: spec.parts.map((part) => job.plan.parts[part]?.byteLength ?? 0)
    })
    const candidates = this.candidates(index).map(({ channel: { peer }, pending, speed }) => ({
      peer,
      doneMs: speed === undefined ? undefined : (pending + operationsOf(spec)) / speed
    }))
    job.onAssigned(index, { provider: channel.peer, reason, candidates })
    job.router.dispatched(channel.peer)
    channel.give(index, spec, resultSize, job.plan)
  }

  private work(index: number): number {
    const spec = this.job.plan.units[index]
    return spec === undefined ? 0 : operationsOf(spec)
  }
}

/** The unit may go there: it has not failed there, and the channel's part of the escrow pays for it. */
function fits(job: JobContext, channel: Channel, index: number): boolean {
  const cost = job.plan.units[index]?.cost ?? 0n
  return !channel.failedUnits.has(index) && channel.committed + priceAt(cost, channel.rate) <= channel.max
}

const isStalled = (channel: Channel) =>
  channel.isStalled || [...channel.sent.values()].some((unit) => unit.isLate)
