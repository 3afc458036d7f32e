import type { CID } from 'multiformats/cid'
import { asError, type FramedStream } from '../net/index.ts'
import type { UnitSpec } from '../skills/index.ts'
import type {
  JobRequestFrame,
  JobResponseFrame,
  MicroCredits,
  Milliseconds,
  PeerIdString,
  Signed
} from '../wire/index.ts'
import { ChannelWatch } from './channel-watch.ts'
import { Reassembly } from './chunks.ts'
import { ANSWER_TIMEOUT } from './constants.ts'
import { JobError } from './errors.ts'
import type { Failure } from './failure.ts'
import { Hands, type Sent } from './hands.ts'
import type { HashedPlan } from './plan.ts'
import { SpeedMeter } from './speed.ts'
import { Tally } from './tally.ts'
import { type StepTerms, UnitSender } from './unit-sender.ts'

export type JobStream = FramedStream<JobResponseFrame, JobRequestFrame>
type Arrived = Exclude<JobResponseFrame, { t: 'ack' | 'beat' | 'bye' }>

type Of<T extends Arrived['t']> = Extract<Arrived, { t: T }>

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

export interface UnitResult {
  readonly index: number
  readonly sent: Sent
  readonly bytes: Uint8Array
  readonly hash: Uint8Array
  readonly signature: Uint8Array
}

/** As the provider said it. */
export type UnitFailure = Failure

export interface Opening {
  readonly jobId: Uint8Array
  readonly skill: string
  readonly kernel: Uint8Array
  readonly plan: HashedPlan<unknown>
}

export interface ChannelHandler {
  onProgress(channel: Channel): void
  /** Of a unit in its hands, or of one that was taken back too late: that is work, too. */
  onResult(channel: Channel, result: UnitResult): void
  onRoom(channel: Channel): void
  /** Still in `hands`. */
  onFailed(channel: Channel, index: number, failure: UnitFailure): void
  /** A unit that was taken back is out of its hands, and nothing is owed for it. */
  onDropped(channel: Channel, index: number): void
  /** The channel broke or was cut; what is in its hands is the handler's to give to others. */
  onEnded(channel: Channel, error: Error): void
}

/** The requester's end of one provider's job stream, and what the two owe each other on it. */
export class Channel {
  readonly peer: PeerIdString
  readonly escrow: CID
  readonly payeeIndex: number
  readonly max: MicroCredits
  readonly rate: number
  readonly hands: Hands
  readonly tally = new Tally()
  /** Units that this provider failed at: they go elsewhere. */
  readonly failedUnits = new Set<number>()
  rejected = 0
  /** Results of a pipeline that wait there, signed and not yet checked. */
  unverified = 0
  /** Results on their way through the check. */
  checking = 0
  ended: Error | undefined
  /** A unit was late and is done elsewhere; since then nothing has come. */
  isStalled = false
  /** Units that the provider computes side by side, by its own word. */
  slots = 1
  /** 0 (idle) to 100 (full), by its own word. */
  load = 0
  private window = 0
  private readonly meter = new SpeedMeter()
  private readonly connect: () => Promise<JobStream>
  private stream: JobStream | undefined
  private opening: Promise<void> | undefined
  private sender: UnitSender | undefined
  private handler: ChannelHandler | undefined
  private readonly watch: ChannelWatch
  private readonly accepted = Promise.withResolvers<void>()
  private readonly released = Promise.withResolvers<Signed | undefined>()

  constructor(init: ChannelInit) {
    this.peer = init.peer
    this.escrow = init.escrow
    this.payeeIndex = init.payeeIndex
    this.max = init.max
    this.rate = init.rate
    this.hands = new Hands(init.rate)
    this.connect = init.connect
    this.watch = new ChannelWatch({
      hands: this.hands,
      unitTimeout: init.unitTimeout,
      isLive: () => this.isLive,
      onTimeout: (error) => this.end(error)
    })
    this.accepted.promise.catch(() => {}) // whoever waits for it hears of it; nobody may wait any more
  }

  get isLive(): boolean {
    return this.ended === undefined
  }

  /** Units that it is to compute, by the job's unit. */
  get sent(): ReadonlyMap<number, Sent> {
    return this.hands.sent
  }

  /** Operations a ms that come back from there. */
  get speed(): number | undefined {
    return this.meter.speed
  }

  /** It was late, or is: it gets nothing more before something comes. */
  get isLagging(): boolean {
    return this.isStalled || [...this.hands.sent.values()].some(({ isLate }) => isLate)
  }

  /** What this provider may still come to be paid for: verified, being checked, or in its hands. */
  get committed(): MicroCredits {
    return this.tally.amount + this.hands.price
  }

  /** Its window of unreceipted units has room. */
  get hasRoom(): boolean {
    const unreceipted = this.hands.size + this.unverified + this.tally.units - this.tally.receiptedUnits
    return this.isLive && unreceipted < this.window && !this.hands.isSpent
  }

  /** Connects and sends `open`, which asks for the shared parts. Rejects if the provider refuses. */
  open(handler: ChannelHandler, init: Opening): Promise<void> {
    this.handler = handler
    this.opening = this.openStream(handler, init)
    return this.opening
  }

  private async openStream(handler: ChannelHandler, init: Opening): Promise<void> {
    const stream = await this.connect()
    if (this.ended !== undefined) {
      stream.abort(this.ended)
      throw this.ended
    }
    this.stream = stream
    void this.read(stream, handler)
    this.sender = new UnitSender({
      stream,
      isWanted: (unit) => this.hands.isWanted(unit),
      begin: (unit) => this.hands.begin(unit),
      onSent: () => this.watch.moved()
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
  give(
    index: number,
    spec: UnitSpec,
    resultSize: number,
    plan: HashedPlan<unknown>,
    known?: Uint8Array
  ): void {
    const sent = this.hands.take(index, spec, resultSize, { known })
    this.watch.moved()
    this.sender?.send(sent, plan).catch((error) => this.end(asError(error)))
  }

  /**
   * Hands over a unit of a pipeline.
   *
   * @param isKept its result stays there
   * @param terms when its turn to travel has come
   */
  giveStep(
    index: number,
    spec: UnitSpec,
    result: { readonly size: number; readonly isKept: boolean },
    terms: () => Promise<StepTerms>
  ): void {
    const sent = this.hands.take(index, spec, result.size, { isKept: result.isKept })
    this.watch.moved()
    this.sender?.sendStep(sent, terms).catch((error) => this.end(asError(error)))
  }

  /** It said that it has this part from an earlier job, or it was sent there. */
  holds(hash: string): boolean {
    return this.sender?.holds(hash) ?? false
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

  /** Takes a unit back: the provider stops computing it at once, and says so, or has sent its result already. */
  takeBack(index: number): void {
    const unit = this.hands.withdraw(index)
    if (unit === undefined) {
      return
    }
    this.watch.moved()
    if (!unit.isOut) {
      this.drop(index) // it never went out
      return
    }
    this.stream?.send({ t: 'cancel', index: unit.number }).catch(() => {}) // a stream that is gone needs no cancel
    this.watch.cancelled()
  }

  /** No more work: asks for the release, which may not come. What is under way comes first, and is to be receipted. */
  async finish(): Promise<Signed | undefined> {
    const timer = setTimeout(() => this.released.resolve(undefined), ANSWER_TIMEOUT)
    try {
      await Promise.race([this.opening, this.released.promise])
      if (this.isLive) {
        await this.stream?.send({ t: 'finish' })
      }
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
    this.watch.end()
    this.accepted.reject(error)
    this.released.resolve(undefined)
    this.stream?.abort(error)
    this.handler?.onEnded(this, error)
  }

  async close(): Promise<void> {
    this.watch.end()
    if (this.isLive) {
      this.ended = new JobError('CANCELLED', 'The job is over.')
      const { stream } = this
      await stream?.close().catch((error) => stream.abort(error))
    }
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
      case 'progress':
        this.onProgress(frame, handler)
        return
      case 'output':
        this.onOutput(frame)
        return
      case 'result':
        this.onResult(frame, handler)
        return
      case 'failed':
        this.onFailed(frame, handler)
        return
    }
  }

  private onProgress({ index: number, permille }: Of<'progress'>, handler: ChannelHandler): void {
    const unit = this.hands.at(number)
    const share = permille / 1000
    if (unit !== undefined && share > unit.sent.share) {
      unit.sent.share = share
      this.watch.moved()
      handler.onProgress(this)
    }
  }

  private onOutput({ index: number, offset, bytes }: Of<'output'>): void {
    this.isStalled = false
    const { sent } = this.hands.find(number)
    sent.output ??= new Reassembly(sent.resultSize)
    sent.output.add(offset, bytes)
    if (bytes.byteLength > 0) {
      this.watch.moved()
      this.watch.answered()
    }
  }

  private onResult({ index: number, size, hash, signature }: Of<'result'>, handler: ChannelHandler): void {
    const { index, sent } = this.hands.find(number)
    if (sent.isAnswered) {
      throw new JobError('PROTOCOL', `Unit ${number} was answered twice.`)
    }
    if (size !== sent.resultSize || !(sent.isKept || sent.output?.isComplete === true)) {
      throw new JobError('WRONG_RESULT', `The result of unit ${number} has the wrong length.`)
    }
    this.meter.time(sent, performance.now())
    sent.isAnswered = true // one check a unit, however often it is answered
    this.watch.moved()
    this.watch.answered()
    const bytes = sent.output?.bytes ?? new Uint8Array(0)
    handler.onResult(this, { index, sent, bytes, hash, signature })
  }

  private onFailed({ index: number, ...failure }: Of<'failed'>, handler: ChannelHandler): void {
    const unit = this.hands.at(number)
    if (unit === undefined || unit.sent.isAnswered) {
      return
    }
    if (this.hands.sent.has(unit.index)) {
      handler.onFailed(this, unit.index, failure)
    } else {
      this.drop(unit.index)
    }
  }

  /** A unit that was taken back is out of the provider's hands. */
  private drop(index: number): void {
    this.hands.delete(index)
    this.watch.answered()
    this.handler?.onDropped(this, index)
  }

  private openWindow({ window, load }: { window: number; load: number }): void {
    this.window = Math.max(1, window)
    this.load = load
    this.handler?.onRoom(this)
  }
}
