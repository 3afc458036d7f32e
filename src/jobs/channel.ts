import type { CID } from 'multiformats/cid'
import { asError, type FramedStream } from '../net/index.ts'
import type { UnitSpec } from '../skills/index.ts'
import {
  type JobRequestFrame,
  type JobResponseFrame,
  type MicroCredits,
  type Milliseconds,
  OPERATIONS_PER_MICROCREDIT,
  type PeerIdString,
  type Signed
} from '../wire/index.ts'
import { Reassembly } from './chunks.ts'
import { ANSWER_TIMEOUT } from './constants.ts'
import { JobError } from './errors.ts'
import type { HashedPlan } from './plan.ts'
import { priceAt } from './price.ts'
import { Tally } from './tally.ts'
import { UnitSender } from './unit-sender.ts'

export type JobStream = FramedStream<JobResponseFrame, JobRequestFrame>
type Arrived = Exclude<JobResponseFrame, { t: 'ack' | 'beat' | 'bye' }>

export interface ChannelInit {
  readonly peer: PeerIdString
  readonly escrow: CID
  readonly payeeIndex: number
  readonly max: MicroCredits
  /** What is paid, in thousandths of the published cost. */
  readonly rate: number
  /** Opens the job stream. */
  readonly connect: () => Promise<JobStream>
  readonly unitTimeout: Milliseconds
}

/** A unit in the provider's hands, or on its way there. */
export interface Sent {
  readonly spec: UnitSpec
  readonly resultSize: number
  /** When it was handed over (`performance.now()`). */
  readonly at: Milliseconds
  /** Operations of the units that were there before it, and how many those were. */
  readonly ahead: number
  readonly unitsAhead: number
  /** From then to the result. */
  tookMs: Milliseconds
  /** It takes far too long. */
  isLate: boolean
  output: Reassembly | undefined
  share: number
  isAnswered: boolean
}

export interface UnitResult {
  readonly index: number
  readonly bytes: Uint8Array
  readonly hash: Uint8Array
  readonly signature: Uint8Array
}

/** As the provider said it. */
export type UnitFailure = Pick<Extract<JobResponseFrame, { t: 'failed' }>, 'code' | 'message' | 'retryable'>

export interface ChannelHandler {
  onProgress(channel: Channel): void
  onResult(channel: Channel, result: UnitResult): void
  /** Still in `sent`. */
  onRoom(channel: Channel): void
  onFailed(channel: Channel, index: number, failure: UnitFailure): void
  /** The channel broke or was cut; its units in `sent` are the handler's to give to others. */
  onEnded(channel: Channel, error: Error): void
}

/** Of a new sample in `speed`. */
const SPEED_SMOOTHING = 0.3
/** Clocks of pages are coarse. */
const TIME_MIN: Milliseconds = 0.1

export const operationsOf = ({ cost }: UnitSpec) => Number(cost) * OPERATIONS_PER_MICROCREDIT

/** The requester's end of one provider's job stream, and what the two owe each other on it. */
export class Channel {
  readonly peer: PeerIdString
  readonly escrow: CID
  readonly payeeIndex: number
  readonly max: MicroCredits
  readonly rate: number
  readonly sent = new Map<number, Sent>()
  readonly tally = new Tally()
  /** Units that this provider failed at: they go elsewhere. */
  readonly failedUnits = new Set<number>()
  rejected = 0
  /** Results on their way through the check. */
  checking = 0
  ended: Error | undefined
  /** Operations a ms that come back from there. */
  speed: number | undefined
  /** A unit was late and is done elsewhere; since then nothing has come. */
  isStalled = false
  /** Units that the provider computes side by side, by its own word. */
  slots = 1
  /** 0 (idle) to 100 (full), by its own word. */
  load = 0
  private window = 0
  /** When the last result came (`performance.now()`). */
  private lastDone = 0
  /** Units that were taken back: answers to them may still be on their way. */
  private readonly takenBack = new Set<number>()
  private readonly connect: () => Promise<JobStream>
  private stream: JobStream | undefined
  private sender: UnitSender | undefined
  private readonly unitTimeout: Milliseconds
  private handler: ChannelHandler | undefined
  private watch: ReturnType<typeof setTimeout> | undefined
  private readonly accepted = Promise.withResolvers<void>()
  private readonly released = Promise.withResolvers<Signed | undefined>()

  constructor(init: ChannelInit) {
    this.peer = init.peer
    this.escrow = init.escrow
    this.payeeIndex = init.payeeIndex
    this.max = init.max
    this.rate = init.rate
    this.connect = init.connect
    this.unitTimeout = init.unitTimeout
    this.accepted.promise.catch(() => {}) // whoever waits for it hears of it; nobody may wait any more
  }

  get isLive(): boolean {
    return this.ended === undefined
  }

  /** What this provider may still come to be paid for: verified, being checked, or in its hands. */
  get committed(): MicroCredits {
    let sum = this.tally.amount
    for (const { spec } of this.sent.values()) {
      sum += priceAt(spec.cost, this.rate)
    }
    return sum
  }

  /** Operations of the units in its hands. */
  get pending(): number {
    let sum = 0
    for (const { spec } of this.sent.values()) {
      sum += operationsOf(spec)
    }
    return sum
  }

  /** Its window of unreceipted units has room. */
  get hasRoom(): boolean {
    return this.isLive && this.sent.size + this.tally.units - this.tally.receiptedUnits < this.window
  }

  /** Connects and sends `open`, which asks for the shared parts. Rejects if the provider refuses. */
  async open(
    handler: ChannelHandler,
    init: { jobId: Uint8Array; skill: string; kernel: Uint8Array; plan: HashedPlan<unknown> }
  ): Promise<void> {
    this.handler = handler
    const stream = await this.connect()
    if (this.ended !== undefined) {
      stream.abort(this.ended)
      throw this.ended
    }
    this.stream = stream
    void this.read(stream, handler)
    this.sender = new UnitSender({
      stream,
      isWanted: (index) => this.sent.has(index),
      onSent: () => this.watchUnits()
    })
    await stream.send({
      t: 'open',
      jobId: init.jobId,
      skill: init.skill,
      kernel: init.kernel,
      rate: this.rate,
      escrow: this.escrow,
      parts: this.sender.ask(init.plan)
    })
    const timer = setTimeout(
      () => this.accepted.reject(new JobError('BUSY', 'The provider did not answer.', { retryable: true })),
      ANSWER_TIMEOUT
    )
    await this.accepted.promise.finally(() => clearTimeout(timer))
  }

  /** Hands a unit over: it, and before it the parts that the provider lacks, go out after all earlier ones. */
  give(index: number, spec: UnitSpec, resultSize: number, plan: HashedPlan<unknown>): void {
    const ahead = this.pending
    this.sent.set(index, {
      spec,
      resultSize,
      at: performance.now(),
      ahead,
      unitsAhead: this.sent.size,
      tookMs: 0,
      isLate: false,
      output: undefined,
      share: 0,
      isAnswered: false
    })
    this.watchUnits()
    this.sender?.send(index, spec, plan).catch((error) => this.end(asError(error)))
  }

  /** A result has come: what it says of the provider's speed. */
  private time(sent: Sent): void {
    const now = performance.now()
    sent.tookMs = now - sent.at
    // since the result before it, or since it was sent: what lay ahead is not its time
    const alone = Math.max(now - Math.max(sent.at, this.lastDone), TIME_MIN)
    this.lastDone = now
    const speed = operationsOf(sent.spec) / alone
    this.speed = this.speed === undefined ? speed : this.speed + SPEED_SMOOTHING * (speed - this.speed)
  }

  /** Reads until the stream ends. */
  private async read(stream: JobStream, handler: ChannelHandler): Promise<void> {
    try {
      for await (const frame of stream) {
        this.handle(frame, handler)
      }
      this.end(new JobError('REFUSED', 'The provider closed the stream.', { retryable: true }))
    } catch (error) {
      this.end(asError(error))
    }
  }

  async sendReceipt(receipt: Signed, units: number): Promise<void> {
    await this.stream?.send({ t: 'receipt', receipt })
    this.tally.receiptedUnits = units
    this.handler?.onRoom(this)
  }

  /** Takes a unit back: the provider stops computing it at once. */
  takeBack(index: number): void {
    if (this.sent.delete(index)) {
      this.takenBack.add(index)
      this.stream?.send({ t: 'cancel', index }).catch(() => {}) // a stream that is gone needs no cancel
      this.watchUnits()
    }
  }

  /** No more work: asks for the release, which may not come. */
  async finish(): Promise<Signed | undefined> {
    const { stream } = this
    if (!this.isLive || stream === undefined) {
      return undefined
    }
    const timer = setTimeout(() => this.released.resolve(undefined), ANSWER_TIMEOUT)
    try {
      await stream.send({ t: 'finish' })
      return await this.released.promise
    } catch {
      return undefined // gone in between: settled without its release
    } finally {
      clearTimeout(timer)
    }
  }

  /** Ends the channel for good; `error` says why. */
  end(error: Error): void {
    if (this.ended !== undefined) {
      return
    }
    this.ended = error
    clearTimeout(this.watch)
    this.accepted.reject(error)
    this.released.resolve(undefined)
    this.stream?.abort(error)
    this.handler?.onEnded(this, error)
  }

  async close(): Promise<void> {
    clearTimeout(this.watch)
    if (this.isLive) {
      this.ended = new JobError('CANCELLED', 'The job is over.')
      const { stream } = this
      await stream?.close().catch((error) => stream.abort(error))
    }
  }

  /** Share of the units in this provider's hands that is done, in units. */
  get partlyDone(): number {
    let sum = 0
    for (const { share } of this.sent.values()) {
      sum += share
    }
    return sum
  }

  private handle(frame: Arrived, handler: ChannelHandler): void {
    switch (frame.t) {
      case 'accepted':
        this.sender?.found(frame.have)
        this.slots = frame.slots
        this.openWindow(frame)
        this.accepted.resolve()
        return
      case 'window':
        this.openWindow(frame)
        return
      case 'refused':
        throw new JobError('REFUSED', `The provider refused: ${frame.message}`, {
          retryable: true,
          details: { code: frame.code, retryAfterMs: frame.retryAfterMs }
        })
      case 'released':
        this.released.resolve(frame.release)
        return
      case 'progress': {
        const unit = this.sent.get(frame.index)
        const share = frame.permille / 1000
        if (unit !== undefined && share > unit.share) {
          unit.share = share
          this.watchUnits()
          handler.onProgress(this)
        }
        return
      }
      case 'output': {
        this.isStalled = false
        const unit = this.unitOf(frame.index)
        if (unit === undefined) {
          return
        }
        unit.output ??= new Reassembly(unit.resultSize)
        unit.output.add(frame.offset, frame.bytes)
        if (frame.bytes.byteLength > 0) {
          this.watchUnits()
        }
        return
      }
      case 'result': {
        const unit = this.unitOf(frame.index)
        if (unit === undefined) {
          return
        }
        if (unit.isAnswered) {
          throw new JobError('PROTOCOL', `Unit ${frame.index} was answered twice.`)
        }
        if (frame.size !== unit.resultSize || unit.output?.isComplete !== true) {
          throw new JobError('WRONG_RESULT', `The result of unit ${frame.index} has the wrong length.`)
        }
        this.time(unit)
        unit.isAnswered = true // one check a unit, however often it is answered
        this.watchUnits()
        handler.onResult(this, {
          index: frame.index,
          bytes: unit.output.bytes,
          hash: frame.hash,
          signature: frame.signature
        })
        return
      }
      case 'failed':
        if (this.sent.has(frame.index)) {
          handler.onFailed(this, frame.index, frame)
        }
        return
    }
  }

  /** Undefined: it was taken back, and the answer was on its way already. */
  private unitOf(index: number): Sent | undefined {
    const unit = this.sent.get(index)
    if (unit === undefined && !this.takenBack.has(index)) {
      throw new JobError('PROTOCOL', `The provider answered unit ${index}, which it does not have.`)
    }
    return unit
  }

  private openWindow({ window, load }: { window: number; load: number }): void {
    this.window = Math.max(1, window)
    this.load = load
    this.handler?.onRoom(this)
  }

  /** A provider that holds units and neither takes nor gives anything for a unit's longest time is given up. */
  private watchUnits(): void {
    clearTimeout(this.watch)
    if (this.sent.size > 0 && this.isLive) {
      this.watch = setTimeout(
        () =>
          this.end(
            new JobError('UNIT_TIMEOUT', 'The provider took too long for a unit.', { retryable: true })
          ),
        this.unitTimeout
      )
    }
  }
}
