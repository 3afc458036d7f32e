import type { Engine, EngineUnit, RunOptions } from '../compute/index.ts'
import type { Priorities } from '../credit/index.ts'
import type { MicroCredits, Milliseconds, PeerIdString } from '../wire/index.ts'
import { QUEUE_UNITS_MAX, QUEUED_BYTES_MAX } from './constants.ts'
import { JobError } from './errors.ts'
import { FairQueue } from './fair-queue.ts'
import { type StrangersShare, type StrangersUnit, strangersBusy } from './strangers-share.ts'

export interface WorkQueueInit {
  readonly engine: Engine
  /** Of a requester's work on an escrow, 0 or more; 0: a stranger's, served after all others. */
  readonly weightOf: (payer: PeerIdString, escrow?: string) => number
  /**
   * Holds a unit's price (µcr) from what is promised on its escrow; undefined: that does not cover it, and it is served
   * as a stranger's. @default everything is covered
   */
  readonly reserve?: ((escrow: string, price: MicroCredits) => Reservation | undefined) | undefined
  /** What strangers may have. */
  readonly strangers: StrangersShare
  /** So much of the engine is in use from now on, 0 to 1. @default nobody listens */
  readonly onUse?: (share: number) => void
}

type Reservation = NonNullable<ReturnType<Priorities['reserve']>>

/** `escrow` (CID text): on whose account it is worked; `price` (µcr): how much of that it uses. */
type QueueOptions = RunOptions & { readonly escrow?: string; readonly price?: MicroCredits }

/** As what a unit waits and runs: decided once, when it comes. */
interface Standing {
  /** 0: a stranger's. */
  readonly weight: number
  readonly reservation?: Reservation | undefined
}

interface Work {
  readonly start: () => void
  /** Another one has its place. */
  readonly giveWay: (reason: JobError) => void
}

/** Input bytes that a unit holds here. */
interface Hold {
  bytes: number
}

/** Of a new sample in the speed. */
const SMOOTHING = 0.2
/** Given to the engine beyond those that it computes side by side, so that it never waits for the next. */
const SPARE = 1

/** All units that wait at this node for its engine, of all requesters: a few run, the others wait their fair turn. */
export class WorkQueue {
  private readonly init: WorkQueueInit
  private readonly queue = new FairQueue<Work>()
  private running = 0
  private runningCost = 0
  private bytes = 0
  /** Cost a ms of the whole engine; undefined: nothing was computed yet. */
  private speed: number | undefined
  private lastDone = 0

  constructor(init: WorkQueueInit) {
    this.init = init
  }

  get engine(): Engine {
    return this.init.engine
  }

  /** How long a unit that came now would wait; 0 while nothing is known. */
  get waitMs(): Milliseconds {
    return this.timeOf(this.queue.cost)
  }

  /** How long one of that requester would: strangers' units are behind those of all others. */
  waitOf(payer: PeerIdString, escrow?: string): Milliseconds {
    return this.isStranger(payer, escrow) ? this.waitMs : this.timeOf(this.queue.recognisedCost)
  }

  /**
   * @param cost µcr
   * @throws JobError `BUSY`, or the signal's reason; what `Engine.run` throws
   */
  async run(
    payer: PeerIdString,
    cost: number,
    unit: EngineUnit,
    options: QueueOptions = {}
  ): Promise<Uint8Array> {
    const hold = { bytes: 0 }
    const standing = this.standing(payer, cost, options)
    try {
      if (standing.weight === 0) {
        this.refuseStranger(payer)
      }
      this.makeRoom(unit.data.byteLength, standing.weight === 0)
      hold.bytes = unit.data.byteLength
      this.bytes += hold.bytes
      await this.turn(payer, cost, hold, standing, options)
      return await this.runNow(payer, cost, unit, standing, options)
    } finally {
      this.free(hold)
      standing.reservation?.end()
    }
  }

  /** Of a unit that what is promised on its escrow does not cover, that of a stranger. */
  private standing(payer: PeerIdString, cost: number, options: QueueOptions): Standing {
    const { weightOf, reserve } = this.init
    const { escrow, price = BigInt(cost) } = options
    const weight = weightOf(payer, escrow)
    if (reserve === undefined || escrow === undefined || !(weight > 0)) {
      return { weight: Math.max(weight, 0) }
    }
    const reservation = reserve(escrow, price)
    return { weight: reservation === undefined ? 0 : weight, reservation }
  }

  /** Whether a requester may have anything now: a stranger may have had its share. */
  serves(payer: PeerIdString, escrow?: string): boolean {
    return !this.isStranger(payer, escrow) || this.allowsStranger(payer)
  }

  private isStranger(payer: PeerIdString, escrow: string | undefined): boolean {
    return !(this.init.weightOf(payer, escrow) > 0)
  }

  private allowsStranger(payer: PeerIdString): boolean {
    const { engine, strangers } = this.init
    return strangers.allows(payer, engine.concurrency)
  }

  private refuseStranger(payer: PeerIdString): void {
    if (!this.allowsStranger(payer)) {
      throw strangersBusy()
    }
  }

  /** For a recognised requester's unit strangers' give way: the last one of who has the most here. */
  private makeRoom(bytes: number, isStranger: boolean): void {
    while (this.queue.size >= QUEUE_UNITS_MAX || this.bytes + bytes > QUEUED_BYTES_MAX) {
      const busy = new JobError('BUSY', `This node has its hands full: try again in ${this.waitMs} ms.`, {
        retryable: true,
        details: { retryAfterMs: this.waitMs }
      })
      const last = isStranger ? undefined : this.queue.dropStrangers()
      if (last === undefined) {
        throw busy
      }
      last.giveWay(busy)
    }
  }

  private free(hold: Hold): void {
    this.bytes -= hold.bytes
    hold.bytes = 0
  }

  private timeOf(queued: number): Milliseconds {
    return this.speed === undefined ? 0 : Math.ceil((queued + this.runningCost) / this.speed)
  }

  private async runNow(
    payer: PeerIdString,
    cost: number,
    unit: EngineUnit,
    { weight, reservation }: Standing,
    options: QueueOptions
  ): Promise<Uint8Array> {
    this.runningCost += cost
    const begun = performance.now()
    const { engine, strangers } = this.init
    let stranger: StrangersUnit | undefined
    try {
      options.signal?.throwIfAborted()
      if (weight === 0) {
        this.refuseStranger(payer) // those before it may have used up the share
        stranger = strangers.begin(payer, engine.concurrency)
      }
      const signals = [options.signal, stranger?.cut.signal].filter((signal) => signal !== undefined)
      reservation?.begin() // from now on: who cancels what runs has had the time that it took
      const result = await engine.run(unit, { ...options, signal: AbortSignal.any(signals) })
      this.time(cost, begun)
      return result
    } finally {
      this.running -= 1
      this.tellUse()
      this.runningCost -= cost
      if (stranger !== undefined) {
        strangers.end(stranger)
      }
      this.next()
    }
  }

  /** Resolves when it is this unit's turn: a place is taken for it. */
  private async turn(
    payer: PeerIdString,
    cost: number,
    hold: Hold,
    { weight }: Standing,
    { signal }: QueueOptions
  ): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const work: Work = {
      start: resolve,
      giveWay: (reason) => {
        this.free(hold)
        reject(reason)
      }
    }
    const leave = () => {
      if (this.queue.remove(payer, work)) {
        reject(signal?.reason)
      }
    }
    signal?.throwIfAborted()
    signal?.addEventListener('abort', leave, { once: true })
    this.queue.add(payer, weight, Math.max(cost, 1), work)
    this.next()
    try {
      await promise
    } finally {
      signal?.removeEventListener('abort', leave)
    }
  }

  private next(): void {
    while (this.running < this.init.engine.concurrency + SPARE) {
      const work = this.queue.take()
      if (work === undefined) {
        return
      }
      this.running += 1
      this.tellUse()
      work.start()
    }
  }

  private tellUse(): void {
    this.init.onUse?.(Math.min(1, this.running / this.init.engine.concurrency))
  }

  private time(cost: number, begun: Milliseconds): void {
    const now = performance.now()
    const took = Math.max(now - Math.max(begun, this.lastDone), 0.1)
    this.lastDone = now
    const speed = cost / took
    this.speed = this.speed === undefined ? speed : this.speed + SMOOTHING * (speed - this.speed)
  }
}
