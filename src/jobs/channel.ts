import type { CID } from 'multiformats/cid'
import type { PartRef } from '../compute/index.ts'
import type { FramedStream } from '../net/index.ts'
import type { UnitSpec } from '../skills/index.ts'
import {
  type JobRequestFrame,
  type JobResponseFrame,
  type MicroCredits,
  type Milliseconds,
  PARTS_ASKED_MAX,
  type PeerIdString,
  type Signed
} from '../wire/index.ts'
import { chunksOf, Reassembly } from './chunks.ts'
import { ANSWER_TIMEOUT } from './constants.ts'
import { JobError } from './errors.ts'
import { fromHex, type HashedPlan } from './plan.ts'
import { Condition } from './waiting.ts'

export type JobStream = FramedStream<JobResponseFrame, JobRequestFrame>
type Arrived = Exclude<JobResponseFrame, { t: 'ack' | 'beat' | 'bye' }>

export interface ChannelInit {
  readonly peer: PeerIdString
  readonly escrow: CID
  readonly payeeIndex: number
  readonly max: MicroCredits
  readonly stream: JobStream
  readonly unitTimeout: Milliseconds
}

interface Sent {
  readonly spec: UnitSpec
  readonly resultSize: number
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

export interface ChannelHandler {
  onProgress(channel: Channel): void
  onResult(channel: Channel, result: UnitResult): void
  onFailed(channel: Channel, index: number, reason: string, retryable: boolean): void
  /** The channel broke or was cut; its units in `sent` are the handler's to give to others. */
  onEnded(channel: Channel, error: Error): void
}

/** The requester's end of one provider's job stream, and what the two owe each other on it. */
export class Channel {
  readonly peer: PeerIdString
  readonly escrow: CID
  readonly payeeIndex: number
  readonly max: MicroCredits
  readonly sent = new Map<number, Sent>()
  /** Units that this provider failed at: they go elsewhere. */
  readonly failedUnits = new Set<number>()
  readonly wake = new Condition()
  verifiedAmount: MicroCredits = 0n
  verifiedUnits = 0
  receiptedUnits = 0
  rejected = 0
  /** Results on their way through the check. */
  checking = 0
  ended: Error | undefined
  private window = 0
  /** Hashes of the parts that the provider has. */
  private readonly there = new Set<string>()
  /** Those that `open` asked for, in its order. */
  private asked: readonly PartRef[] = []
  private readonly stream: JobStream
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
    this.stream = init.stream
    this.unitTimeout = init.unitTimeout
    this.accepted.promise.catch(() => {}) // whoever waits for it hears of it; nobody may wait any more
  }

  get isLive(): boolean {
    return this.ended === undefined
  }

  /** What this provider may still come to be paid for: verified, being checked, or in its hands. */
  get committed(): MicroCredits {
    let sum = this.verifiedAmount
    for (const { spec } of this.sent.values()) {
      sum += spec.cost
    }
    return sum
  }

  /** Its window of unreceipted units has room. */
  get hasRoom(): boolean {
    return this.sent.size + this.verifiedUnits - this.receiptedUnits < this.window
  }

  /** Sends `open`, which asks for the shared parts. Rejects if the provider refuses. */
  async open(init: {
    jobId: Uint8Array
    skill: string
    kernel: Uint8Array
    plan: HashedPlan<unknown>
  }): Promise<void> {
    // by hash: equal blocks, such as zeros, are one part
    const refs = new Map(init.plan.partRefs.map((part) => [part.hash, part]))
    this.asked = [...refs.values()].slice(0, PARTS_ASKED_MAX)
    await this.stream.send({
      t: 'open',
      jobId: init.jobId,
      skill: init.skill,
      kernel: init.kernel,
      escrow: this.escrow,
      parts: this.asked.map(({ hash }) => fromHex(hash))
    })
    const timer = setTimeout(
      () => this.accepted.reject(new JobError('BUSY', 'The provider did not answer.', { retryable: true })),
      ANSWER_TIMEOUT
    )
    await this.accepted.promise.finally(() => clearTimeout(timer))
  }

  /** Sends a unit, and before it the parts that the provider lacks. */
  async sendUnit(
    index: number,
    spec: UnitSpec,
    resultSize: number,
    plan: HashedPlan<unknown>
  ): Promise<void> {
    this.sent.set(index, { spec, resultSize, output: undefined, share: 0, isAnswered: false })
    this.watchUnits()
    for (const part of spec.parts) {
      await this.sendPart(plan.partRefs[part])
    }
    if (!this.sent.has(index)) {
      return // cancelled meanwhile
    }
    const [first, ...rest] = chunksOf(spec.data)
    await this.stream.send({
      t: 'unit',
      index,
      params: [...spec.params],
      parts: spec.parts.map((part) => plan.partHashes[part] ?? new Uint8Array()),
      size: spec.data.byteLength,
      bytes: first?.bytes ?? new Uint8Array()
    })
    for (const chunk of rest) {
      this.watchUnits()
      await this.stream.send({ t: 'input', index, ...chunk })
    }
    this.watchUnits()
  }

  private async sendPart(part: PartRef | undefined): Promise<void> {
    if (part === undefined || this.there.has(part.hash)) {
      return
    }
    this.there.add(part.hash)
    const hash = fromHex(part.hash)
    for (const chunk of chunksOf(part.bytes)) {
      await this.stream.send({ t: 'part', hash, size: part.bytes.byteLength, ...chunk })
      this.watchUnits()
    }
  }

  /** Reads until the stream ends. */
  async read(handler: ChannelHandler): Promise<void> {
    this.handler = handler
    try {
      for await (const frame of this.stream) {
        this.handle(frame, handler)
      }
      this.end(new JobError('REFUSED', 'The provider closed the stream.', { retryable: true }))
    } catch (error) {
      this.end(error instanceof Error ? error : new Error(String(error)))
    }
  }

  async sendReceipt(receipt: Signed, units: number): Promise<void> {
    await this.stream.send({ t: 'receipt', receipt })
    this.receiptedUnits = units
    this.wake.notify()
  }

  /** Hands back every unit that is out; the provider stops computing at once. */
  cancelUnits(): void {
    for (const index of this.sent.keys()) {
      this.stream.send({ t: 'cancel', index }).catch(() => {}) // a stream that is gone needs no cancel
    }
    this.sent.clear()
  }

  /** No more work: asks for the release, which may not come. */
  async finish(): Promise<Signed | undefined> {
    if (!this.isLive) {
      return undefined
    }
    const timer = setTimeout(() => this.released.resolve(undefined), ANSWER_TIMEOUT)
    try {
      await this.stream.send({ t: 'finish' })
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
    this.stream.abort(error)
    this.handler?.onEnded(this, error)
    this.wake.notify()
  }

  async close(): Promise<void> {
    clearTimeout(this.watch)
    if (this.isLive) {
      this.ended = new JobError('CANCELLED', 'The job is over.')
      this.wake.notify()
      await this.stream.close().catch((error) => this.stream.abort(error))
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
        for (const i of frame.have) {
          this.there.add(this.asked[i]?.hash ?? '')
        }
        this.accepted.resolve()
        this.openWindow(frame.window)
        return
      case 'window':
        this.openWindow(frame.window)
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
        const unit = this.unitOf(frame.index)
        unit.output ??= new Reassembly(unit.resultSize)
        unit.output.add(frame.offset, frame.bytes)
        if (frame.bytes.byteLength > 0) {
          this.watchUnits()
        }
        return
      }
      case 'result': {
        const unit = this.unitOf(frame.index)
        if (unit.isAnswered) {
          throw new JobError('PROTOCOL', `Unit ${frame.index} was answered twice.`)
        }
        if (frame.size !== unit.resultSize || unit.output?.isComplete !== true) {
          throw new JobError('WRONG_RESULT', `The result of unit ${frame.index} has the wrong length.`)
        }
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
        if (this.sent.delete(frame.index)) {
          this.watchUnits()
          handler.onFailed(this, frame.index, `${frame.code}: ${frame.message}`, frame.retryable)
        }
        return
    }
  }

  private unitOf(index: number): Sent {
    const unit = this.sent.get(index)
    if (unit === undefined) {
      throw new JobError('PROTOCOL', `The provider answered unit ${index}, which it does not have.`)
    }
    return unit
  }

  private openWindow(window: number): void {
    this.window = Math.max(1, window)
    this.wake.notify()
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
