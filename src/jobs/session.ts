import type { CID } from 'multiformats/cid'
import type { Ledger } from '../credit/index.ts'
import {
  type JobRequestFrame,
  type MicroCredits,
  type Milliseconds,
  type PeerIdString,
  SLOTS_MAX
} from '../wire/index.ts'
import { type SignedResult, sendResult, tellProgress } from './answers.ts'
import { Reassembly } from './chunks.ts'
import { JobError } from './errors.ts'
import { failureOf } from './failure.ts'
import { PartArrivals } from './part-arrivals.ts'
import { hex } from './plan.ts'
import { priceAt } from './price.ts'
import { signResult, signStep } from './result.ts'
import type { SessionInit } from './session-init.ts'
import { type StepFrame, Steps } from './steps.ts'
import type { Taken, Unit, UnitFrame } from './taken.ts'
import { TakenUnits } from './taken-units.ts'
import { Condition } from './waiting.ts'
import type { WorkWindow } from './work-window.ts'

type Arrived = Exclude<JobRequestFrame, { t: 'ack' | 'beat' | 'bye' }>
const finishing = () => new JobError('BUSY', 'This node is finishing.', { retryable: true })

/** One job stream at the provider: parts and units in, results out, receipts kept. */
export class ProviderSession {
  computed = 0
  private readonly init: SessionInit
  private readonly arrivals: PartArrivals
  private readonly units = new TakenUnits()
  private readonly steps: Steps
  private readonly window: WorkWindow
  /** Units that receipts on earlier streams of the escrow covered. */
  private readonly receiptedBefore: number
  private readonly changed = new Condition()
  /** The requester wants no more, and the release. */
  private wantsRelease = false
  private isOver = false

  constructor(init: SessionInit) {
    this.init = init
    const { skill, skills, parts, escrow, payer, queue, pull, window } = init
    this.window = window
    this.receiptedBefore = window.receiptedUnits
    this.arrivals = new PartArrivals(parts)
    this.steps = new Steps({
      skill,
      skills,
      parts,
      escrow,
      payer,
      window,
      engine: queue.engine,
      pull,
      compute: (unit, cost, signal) =>
        queue.run(payer, Number(cost), unit, {
          signal,
          escrow: escrow.toString(),
          price: priceAt(cost, init.rate)
        })
    })
  }

  get payer(): PeerIdString {
    return this.init.payer
  }

  get isHoldingParts(): boolean {
    return this.init.parts.isHolding
  }

  get escrow(): CID {
    return this.init.escrow
  }

  /** Whether it still works on that escrow. */
  isOn(escrow: CID): boolean {
    return !this.isOver && this.init.escrow.equals(escrow)
  }

  get running(): number {
    return this.units.count
  }

  /** How long it has had nothing to compute; 0: it has. A unit whose input does not come is nothing. */
  get idleMs(): Milliseconds {
    return this.units.idleMs
  }

  get summary(): { skill: string; requester: PeerIdString; units: number } {
    const { skill, payer } = this.init
    return { skill: skill.manifest.name, requester: payer, units: this.running }
  }

  /** Units that a receipt has come to cover. */
  get verifiedUnits(): number {
    return this.window.receiptedUnits - this.receiptedBefore
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

  /**
   * Gives back what has not come whole. Resolves when the rest is done and receipted, or was not receipted in time, or
   * the session is over.
   *
   * @param wait for the receipts, once all is done
   */
  async drain(wait: Milliseconds): Promise<void> {
    for (const { index } of this.units.incomplete) {
      this.drop(index, finishing()).catch((error) => this.init.stream.abort(error))
    }
    while (!this.isOver && this.units.count > 0) {
      await this.changed.wait()
    }
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      this.changed.notify()
    }, wait)
    while (!this.isOver && this.pending > 0n && !isLate) {
      await this.changed.wait()
    }
    clearTimeout(timer)
  }

  private end(): void {
    this.isOver = true
    for (const { price } of this.units.cancelAll(new JobError('CANCELLED', 'The session is over.'))) {
      this.window.giveBack(price)
    }
    this.arrivals.close()
    this.notify()
  }

  private async handle(frame: Arrived): Promise<void> {
    switch (frame.t) {
      case 'open':
        throw new JobError('PROTOCOL', 'A stream carries one job.')
      case 'part':
        return this.arrivals.announce(frame)
      case 'chunk':
        return this.arrivals.add(frame)
      case 'unit':
        return this.onUnit(frame)
      case 'step':
        return this.onStep(frame)
      case 'input': {
        const unit = this.units.getFed(frame.index)
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
        await Promise.all(this.units.indices.map((index) => this.drop(index)))
        return this.releaseIfPaid()
    }
  }

  /** Never below what was delivered: a requester that does not receipt it gets no release, and waits for tClose. */
  private async releaseIfPaid(): Promise<void> {
    if (this.wantsRelease && this.pending === 0n) {
      this.wantsRelease = false
      this.window.close()
      const release = await this.init.ledger.release(this.init.escrow, this.window.total)
      await this.init.stream.send({ t: 'released', release })
    }
  }

  private async onUnit(frame: UnitFrame): Promise<void> {
    const { params, parts, size } = frame
    const taken = await this.take(frame.index, size, () => {
      const partSizes = this.arrivals.named(parts).map(({ bytes }) => bytes.byteLength)
      return this.init.skill.checkUnit({ params, dataSize: size, partSizes }).cost
    })
    if (taken !== undefined) {
      const unit = { ...taken, frame, data: new Reassembly(size) }
      this.units.feed(unit)
      unit.data.add(0, frame.bytes)
      this.startIfComplete(unit)
    }
  }

  private async onStep(frame: StepFrame): Promise<void> {
    const { index } = frame
    const unit = await this.take(index, 0, () => this.steps.costOf(frame))
    if (unit === undefined) {
      return
    }
    const { escrow, key, self } = this.init
    const work = async () => {
      const { hash, bytes } = await this.steps.run(frame, unit.cost, unit.cancel.signal)
      const signature = await signStep(key, { escrow, index, input: frame.input, author: self }, hash)
      return { bytes, hash, signature }
    }
    const isSent = frame.mode === 'send'
    this.compute(unit, work, frame.mode === 'check' ? undefined : frame.params, isSent).catch((error) =>
      this.init.stream.abort(error)
    )
  }

  /**
   * One more unit is here, if it may be: else its requester is told.
   *
   * @param size bytes of its own input, which are to come
   * @param costOf throws if the skill refuses it
   * @throws JobError `PROTOCOL`
   */
  private async take(index: number, size: number, costOf: () => MicroCredits): Promise<Taken | undefined> {
    if (this.isOver) {
      return undefined // it came while the stream was being closed
    }
    if (this.units.has(index)) {
      throw new JobError('PROTOCOL', `Unit ${index} is here already.`)
    }
    let cost: MicroCredits
    let price: MicroCredits
    try {
      if (this.init.isFinishing()) {
        throw finishing()
      }
      cost = costOf()
      price = priceAt(cost, this.init.rate)
      if (!this.window.pays(price)) {
        const message = 'The escrow pays no further unit here: open another one.'
        throw new JobError('BUDGET_TOO_SMALL', message, { retryable: true })
      }
      if (!this.units.hasRoom(size)) {
        throw new JobError('BUSY', 'Too many input bytes wait here.', { retryable: true })
      }
    } catch (error) {
      await this.fail(index, error)
      return undefined
    }
    if (!this.window.take(price)) {
      throw new JobError('PROTOCOL', 'More units came than the window of unreceipted work allows.')
    }
    const taken = { index, size, cost, price, cancel: new AbortController() }
    this.units.add(taken)
    this.notify()
    return taken
  }

  private startIfComplete(unit: Unit): void {
    if (unit.data.isComplete) {
      const { escrow, key, self } = this.init
      const { index, frame } = unit
      const work = async () => {
        const bytes = await this.runUnit(unit)
        return { bytes, ...(await signResult(key, { escrow, index, author: self }, bytes)) }
      }
      this.compute(unit, work, frame.params, true).catch((error) => this.init.stream.abort(error))
    }
  }

  private runUnit({ index, frame, cost, price, data, cancel: { signal } }: Unit): Promise<Uint8Array> {
    const { payer, queue, skill, escrow, stream } = this.init
    const parts = this.arrivals.named(frame.parts)
    const unit = { skill: skill.manifest.name, params: frame.params, data: data.bytes, parts }
    return queue.run(payer, Number(cost), unit, {
      signal,
      escrow: escrow.toString(),
      price,
      onProgress: tellProgress(stream, index, signal)
    })
  }

  /**
   * @param work gives the result, signed
   * @param params of what was computed; undefined: it was a mere check
   * @param isSent the result goes to the requester
   */
  private async compute(
    { index, price }: Taken,
    work: () => Promise<SignedResult>,
    params: readonly number[] | undefined,
    isSent: boolean
  ): Promise<void> {
    const { stream } = this.init
    let done: SignedResult
    try {
      done = await work()
    } catch (error) {
      if (this.forget(index)) {
        this.window.giveBack(price)
        await this.fail(index, error)
      }
      return
    }
    const { bytes } = done
    if (!this.forget(index)) {
      return // cancelled in the last moment
    }
    if (params !== undefined) {
      this.computed += 1
      this.init.onComputed(params, bytes)
      this.window.deliver(price)
    }
    await sendResult(stream, index, done, isSent)
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
  private async drop(
    index: number,
    reason = new JobError('CANCELLED', 'The requester cancelled the unit.')
  ): Promise<void> {
    const unit = this.units.get(index)
    if (unit !== undefined && this.forget(index)) {
      this.window.giveBack(unit.price)
      unit.cancel.abort(reason)
      await this.fail(index, reason)
    }
  }

  /** False if the unit was dropped before. */
  private forget(index: number): boolean {
    const wasThere = this.units.forget(index)
    if (wasThere) {
      this.notify()
    }
    return wasThere
  }

  private async fail(index: number, error: unknown): Promise<void> {
    await this.init.stream.send({ t: 'failed', index, ...failureOf(error) })
  }

  private notify(): void {
    this.changed.notify()
    this.init.onChange()
  }
}
