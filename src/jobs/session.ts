import type { PrivateKey } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import type { PartRef } from '../compute/index.ts'
import type { Ledger } from '../credit/index.ts'
import type { FramedStream } from '../net/index.ts'
import type { Skill } from '../skills/index.ts'
import {
  type JobRequestFrame,
  type JobResponseFrame,
  type MicroCredits,
  type PeerIdString,
  SLOTS_MAX,
  SwarmError
} from '../wire/index.ts'
import { ArrivingPart, chunksOf, Reassembly } from './chunks.ts'
import { PROGRESS_INTERVAL, SESSION_UNIT_BYTES } from './constants.ts'
import { JobError } from './errors.ts'
import type { PartShelf } from './part-store.ts'
import { hex } from './plan.ts'
import { priceAt } from './price.ts'
import { signResult } from './result.ts'
import { Condition } from './waiting.ts'
import type { WorkQueue } from './work-queue.ts'
import { WorkWindow } from './work-window.ts'

export type ProviderStream = FramedStream<JobRequestFrame, JobResponseFrame>
type Arrived = Exclude<JobRequestFrame, { t: 'ack' | 'beat' | 'bye' }>
type UnitFrame = Extract<Arrived, { t: 'unit' }>

export interface SessionInit {
  readonly stream: ProviderStream
  /** The stream's reader, after `open`. */
  readonly frames: AsyncIterator<Arrived>
  readonly skill: Skill
  /** The stream's shared inputs. The session closes it. */
  readonly parts: PartShelf
  /** Hashes that `open` asked for. */
  readonly asked: readonly Uint8Array[]
  readonly queue: WorkQueue
  readonly escrow: CID
  /** What is paid, in thousandths of the published cost. */
  readonly rate: number
  readonly payer: PeerIdString
  readonly key: PrivateKey
  readonly self: PeerIdString
  readonly ledger: Ledger
  /** 0 (idle) to 100 (full). */
  readonly load: () => number
  /** A unit of that price (µcr) was computed, and goes out. */
  readonly onComputed: (price: MicroCredits) => void
  readonly onChange: () => void
  readonly isFinishing: () => boolean
}

interface Unit {
  readonly frame: UnitFrame
  readonly cost: MicroCredits
  readonly price: MicroCredits
  readonly data: Reassembly
  readonly cancel: AbortController
}

/** One job stream at the provider: parts and units in, results out, receipts kept. */
export class ProviderSession {
  computed = 0
  private readonly init: SessionInit
  /** Parts on their way. */
  private readonly arriving = new Map<string, ArrivingPart>()
  private readonly units = new Map<number, Unit>()
  private readonly window = new WorkWindow()
  private readonly changed = new Condition()
  private unitBytes = 0
  /** The requester wants no more, and the release. */
  private wantsRelease = false
  private isOver = false

  constructor(init: SessionInit) {
    this.init = init
  }

  /** Whether it still works on that escrow. */
  isOn(escrow: CID): boolean {
    return !this.isOver && this.init.escrow.equals(escrow)
  }

  get running(): number {
    return this.units.size
  }

  get summary(): { skill: string; requester: PeerIdString; units: number } {
    const { skill, payer } = this.init
    return { skill: skill.manifest.name, requester: payer, units: this.running }
  }

  /** Units that a receipt covers. */
  get verifiedUnits(): number {
    return this.window.receiptedUnits
  }

  /** Computed, sent, and not yet receipted (µcr). */
  get pending(): MicroCredits {
    return this.window.owed
  }

  /** Serves until the requester closes the stream. Rejects if it breaks the protocol or is lost. */
  async run(): Promise<void> {
    const { asked, parts, stream } = this.init
    const have = [...asked.keys()].filter((i) => parts.recall(hex(asked[i] ?? new Uint8Array())))
    try {
      const { load, queue } = this.init
      const slots = Math.min(SLOTS_MAX, queue.engine.concurrency)
      await stream.send({ t: 'accepted', window: this.window.units, slots, load: load(), have })
      for (
        let next = await this.init.frames.next();
        next.done !== true;
        next = await this.init.frames.next()
      ) {
        await this.handle(next.value)
      }
      this.end() // before the close, which takes a round trip: the escrow is free for another stream
      await this.init.stream.close()
    } finally {
      this.end()
    }
  }

  /** Says goodbye and drops everything. */
  leave(reason: string): void {
    this.init.stream.bye(reason)
    this.end()
  }

  /** Resolves when no unit is in work and everything is receipted, or the session is over. */
  async drain(): Promise<void> {
    while (!this.isOver && (this.units.size > 0 || this.pending > 0n)) {
      await this.changed.wait()
    }
  }

  private end(): void {
    this.isOver = true
    for (const unit of this.units.values()) {
      unit.cancel.abort(new JobError('CANCELLED', 'The session is over.'))
    }
    this.units.clear()
    this.arriving.clear()
    this.init.parts.close()
    this.notify()
  }

  private async handle(frame: Arrived): Promise<void> {
    switch (frame.t) {
      case 'open':
        throw new JobError('PROTOCOL', 'A stream carries one job.')
      case 'part':
        return this.onPart(frame)
      case 'chunk':
        return this.onChunk(frame)
      case 'unit':
        return this.onUnit(frame)
      case 'input': {
        const unit = this.units.get(frame.index)
        if (unit === undefined) {
          return // cancelled or refused meanwhile
        }
        unit.data.add(frame.offset, frame.bytes)
        this.startIfComplete(unit)
        return
      }
      case 'cancel':
        return this.drop(frame.index)
      case 'receipt':
        return this.onReceipt(frame.receipt)
      case 'finish':
        this.wantsRelease = true
        await Promise.all([...this.units.keys()].map((index) => this.drop(index)))
        return this.releaseIfPaid()
    }
  }

  /** Never below what was delivered: a requester that does not receipt it gets no release, and waits for tClose. */
  private async releaseIfPaid(): Promise<void> {
    if (this.wantsRelease && this.pending === 0n) {
      this.wantsRelease = false
      const release = await this.init.ledger.release(this.init.escrow, this.window.total)
      await this.init.stream.send({ t: 'released', release })
    }
  }

  private async onPart({ hash, size, chunks }: Extract<Arrived, { t: 'part' }>): Promise<void> {
    const key = hex(hash)
    if (this.arriving.has(key)) {
      throw new JobError('PROTOCOL', 'A part is announced twice.')
    }
    this.init.parts.expect(key, size)
    const part = await ArrivingPart.announced(hash, size, chunks)
    if (!this.isOver) {
      this.arriving.set(key, part)
    }
  }

  private async onChunk({ hash, offset, bytes }: Extract<Arrived, { t: 'chunk' }>): Promise<void> {
    const key = hex(hash)
    const part = this.arriving.get(key)
    if (part === undefined) {
      throw new JobError('PROTOCOL', 'A chunk came of a part that was not announced.')
    }
    await part.add(offset, bytes)
    if (part.isComplete && this.arriving.delete(key)) {
      // else the session has ended meanwhile
      this.init.parts.keep(key, part.bytes)
    }
  }

  private async onUnit(frame: UnitFrame): Promise<void> {
    if (this.units.has(frame.index)) {
      throw new JobError('PROTOCOL', `Unit ${frame.index} is here already.`)
    }
    if (this.init.isFinishing()) {
      await this.fail(frame.index, new JobError('BUSY', 'This node is finishing.', { retryable: true }))
      return
    }
    let cost: MicroCredits
    try {
      cost = this.init.skill.checkUnit({
        params: frame.params,
        dataSize: frame.size,
        partSizes: this.partsOf(frame).map(({ bytes }) => bytes.byteLength)
      }).cost
    } catch (error) {
      await this.fail(frame.index, error)
      return
    }
    this.unitBytes += frame.size
    if (this.unitBytes > SESSION_UNIT_BYTES) {
      this.unitBytes -= frame.size
      await this.fail(
        frame.index,
        new JobError('BUSY', 'Too many input bytes wait here.', { retryable: true })
      )
      return
    }
    const price = priceAt(cost, this.init.rate)
    if (!this.window.take(price)) {
      throw new JobError('PROTOCOL', 'More units came than the window of unreceipted work allows.')
    }
    const unit = { frame, cost, price, data: new Reassembly(frame.size), cancel: new AbortController() }
    this.units.set(frame.index, unit)
    this.notify()
    unit.data.add(0, frame.bytes)
    this.startIfComplete(unit)
  }

  private startIfComplete(unit: Unit): void {
    if (unit.data.isComplete) {
      this.compute(unit).catch((error) => this.init.stream.abort(error))
    }
  }

  private async compute(unit: Unit): Promise<void> {
    const { payer, queue, stream, skill } = this.init
    const { index } = unit.frame
    const { signal } = unit.cancel
    let reported = 0
    let result: Uint8Array
    try {
      result = await queue.run(
        payer,
        Number(unit.cost),
        {
          skill: skill.manifest.name,
          params: unit.frame.params,
          data: unit.data.bytes,
          parts: this.partsOf(unit.frame)
        },
        {
          signal,
          escrow: this.init.escrow.toString(),
          onProgress: (share) => {
            const now = performance.now()
            if (share < 1 && now - reported >= PROGRESS_INTERVAL && !signal.aborted) {
              reported = now
              stream.send({ t: 'progress', index, permille: Math.floor(share * 1000) }).catch(() => {}) // the stream's end is seen by its reader
            }
          }
        }
      )
    } catch (error) {
      if (this.forget(index)) {
        this.window.giveBack(unit.price)
        await this.fail(index, error)
      }
      return
    }
    const { hash, signature } = await signResult(
      this.init.key,
      { escrow: this.init.escrow, index, author: this.init.self },
      result
    )
    if (!this.forget(index)) {
      return // cancelled in the last moment
    }
    this.computed += 1
    this.init.onComputed(unit.price)
    this.window.deliver(unit.price)
    const outputs = [...chunksOf(result)].map((chunk) => ({ t: 'output' as const, index, ...chunk }))
    const last = { t: 'result' as const, index, size: result.byteLength, hash, signature }
    for (const output of outputs.slice(0, -1)) {
      await stream.send(output)
    }
    await stream.send([...outputs.slice(-1), last])
    this.notify()
  }

  private async onReceipt(receipt: Parameters<Ledger['acceptReceipt']>[0]): Promise<void> {
    const { ledger, escrow, payer, stream } = this.init
    await ledger.acceptReceipt(receipt, payer)
    const contract = await ledger.earning(escrow)
    if (contract !== undefined && !this.window.receive(contract.receipted)) {
      throw new JobError('PROTOCOL', 'The receipt is for another job.')
    }
    await stream.send({ t: 'window', window: this.window.units, load: this.init.load() })
    await this.releaseIfPaid()
    this.notify()
  }

  /** Not wanted any more. What has been delivered by then is not dropped: it is work, and to be receipted. */
  private async drop(index: number): Promise<void> {
    const unit = this.units.get(index)
    if (unit !== undefined && this.forget(index)) {
      this.window.giveBack(unit.price)
      const cancelled = new JobError('CANCELLED', 'The requester cancelled the unit.')
      unit.cancel.abort(cancelled)
      await this.fail(index, cancelled)
    }
  }

  /** False if the unit was dropped before. */
  private forget(index: number): boolean {
    const unit = this.units.get(index)
    if (unit === undefined) {
      return false
    }
    this.units.delete(index)
    this.unitBytes -= unit.frame.size
    this.notify()
    return true
  }

  private async fail(index: number, error: unknown): Promise<void> {
    const known = error instanceof SwarmError ? error : undefined
    await this.init.stream.send({
      t: 'failed',
      index,
      code: known?.code ?? 'INTERNAL',
      message: (known?.message ?? 'The unit could not be computed.').slice(0, 512),
      retryable: known?.retryable ?? false
    })
  }

  private partsOf(frame: UnitFrame): PartRef[] {
    return frame.parts.map((hash) => {
      const key = hex(hash)
      const bytes = this.init.parts.get(key)
      if (bytes === undefined) {
        throw new JobError('PROTOCOL', 'A unit names a part that was not sent.')
      }
      return { hash: key, bytes }
    })
  }

  private notify(): void {
    this.changed.notify()
    this.init.onChange()
  }
}
