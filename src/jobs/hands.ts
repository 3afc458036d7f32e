import type { UnitSpec } from '../skills/index.ts'
import { type MicroCredits, type Milliseconds, OPERATIONS_PER_MICROCREDIT, UNITS_MAX } from '../wire/index.ts'
import type { Reassembly } from './chunks.ts'
import { JobError } from './errors.ts'
import { priceAt } from './price.ts'

/** A unit in the provider's hands, or on its way there. */
export interface Sent {
  readonly spec: UnitSpec
  readonly resultSize: number
  /** Its number on this stream: units are counted as they are sent, which tells nothing of the job. */
  readonly number: number
  /** When it was handed over (`performance.now()`). */
  readonly at: Milliseconds
  /** Operations of the units that were there before it, and how many those were. */
  readonly ahead: number
  readonly unitsAhead: number
  /** Its right result, where it is known: the unit is a canary. */
  readonly known: Uint8Array | undefined
  /** Its result stays at the provider. */
  readonly isKept: boolean
  /** From then to the result. */
  tookMs: Milliseconds
  /** It takes far too long. */
  isLate: boolean
  /** It has begun to travel. */
  isOut: boolean
  output: Reassembly | undefined
  share: number
  isAnswered: boolean
}

export const operationsOf = ({ cost }: UnitSpec) => Number(cost) * OPERATIONS_PER_MICROCREDIT

/** What one provider has of a job: units to compute, and units taken back of which it has not said if it was in time. */
export class Hands {
  /** By the job's unit. */
  readonly sent = new Map<number, Sent>()
  /** Taken back: the provider says of each either that it dropped it, or what came out. */
  readonly withdrawn = new Map<number, Sent>()
  /** The job's unit by its number on the stream. */
  private readonly units = new Map<number, number>()
  private readonly rate: number
  private count = 0

  constructor(rate: number) {
    this.rate = rate
  }

  /** Units in its hands, those included that were taken back. */
  get size(): number {
    return this.sent.size + this.withdrawn.size
  }

  /** Every number of the stream has been given. */
  get isSpent(): boolean {
    return this.count >= UNITS_MAX
  }

  /** What may still have to be paid for these (µcr). */
  get price(): MicroCredits {
    let sum = 0n
    for (const units of [this.sent, this.withdrawn]) {
      for (const { spec } of units.values()) {
        sum += priceAt(spec.cost, this.rate)
      }
    }
    return sum
  }

  /** Bytes of the results that may come of them, or have come and are not accepted. */
  get resultBytes(): number {
    let sum = 0
    for (const units of [this.sent, this.withdrawn]) {
      for (const { resultSize } of units.values()) {
        sum += resultSize
      }
    }
    return sum
  }

  /** Operations that are still wanted. */
  get pending(): number {
    let sum = 0
    for (const { spec } of this.sent.values()) {
      sum += operationsOf(spec)
    }
    return sum
  }

  /** Share of them that is done, in units. */
  get partlyDone(): number {
    let sum = 0
    for (const { share } of this.sent.values()) {
      sum += share
    }
    return sum
  }

  take(
    index: number,
    spec: UnitSpec,
    resultSize: number,
    { known, isKept = false }: { known?: Uint8Array | undefined; isKept?: boolean } = {}
  ): Sent {
    const sent: Sent = {
      spec,
      resultSize,
      number: this.count,
      at: performance.now(),
      ahead: this.pending,
      unitsAhead: this.size,
      known,
      isKept,
      tookMs: 0,
      isLate: false,
      isOut: false,
      output: undefined,
      share: 0,
      isAnswered: false
    }
    this.count += 1
    this.sent.set(index, sent)
    this.units.set(sent.number, index)
    return sent
  }

  /** It was not taken back. */
  isWanted({ number }: Sent): boolean {
    const index = this.units.get(number)
    return index !== undefined && this.sent.has(index)
  }

  /** It is about to travel. False: it is not wanted any more. */
  begin(sent: Sent): boolean {
    sent.isOut = this.isWanted(sent)
    return sent.isOut
  }

  /** Something was taken back, and the provider has not said what became of it. */
  get owesAnswer(): boolean {
    return [...this.withdrawn.values()].some(({ isAnswered }) => !isAnswered)
  }

  /** Undefined if it is not there. */
  withdraw(index: number): Sent | undefined {
    const unit = this.sent.get(index)
    if (unit !== undefined) {
      this.sent.delete(index)
      this.withdrawn.set(index, unit)
    }
    return unit
  }

  get(index: number): Sent | undefined {
    return this.sent.get(index) ?? this.withdrawn.get(index)
  }

  /** The unit of that number on the stream. */
  at(number: number): { readonly index: number; readonly sent: Sent } | undefined {
    const index = this.units.get(number)
    const sent = index === undefined ? undefined : this.get(index)
    return index === undefined || sent === undefined ? undefined : { index, sent }
  }

  /** @throws JobError `PROTOCOL` if the provider does not have it */
  find(number: number): { readonly index: number; readonly sent: Sent } {
    const unit = this.at(number)
    if (unit === undefined) {
      throw new JobError('PROTOCOL', `The provider answered unit ${number}, which it does not have.`)
    }
    return unit
  }

  /** It is out of the provider's hands. False if it was before. */
  delete(index: number): boolean {
    const unit = this.get(index)
    if (unit === undefined) {
      return false
    }
    this.units.delete(unit.number)
    return this.sent.delete(index) || this.withdrawn.delete(index)
  }
}
