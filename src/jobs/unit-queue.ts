import type { UnitSpec } from '../skills/index.ts'
import type { MicroCredits } from '../wire/index.ts'
import { operationsOf } from './hands.ts'
import { priceAt } from './price.ts'

/** The units of a job that wait to be handed out, in order. */
export class UnitQueue implements Iterable<number> {
  /** Of all that wait. */
  operations = 0
  price: MicroCredits = 0n
  private readonly waiting: number[] = []
  private readonly units: readonly UnitSpec[]
  private readonly rate: number

  constructor(units: readonly UnitSpec[], rate: number, waiting: Iterable<number>) {
    this.units = units
    this.rate = rate
    for (const index of waiting) {
      this.waiting.push(index)
      this.count(index, 1)
    }
  }

  get length(): number {
    return this.waiting.length
  }

  [Symbol.iterator](): Iterator<number> {
    return this.waiting[Symbol.iterator]()
  }

  at(place: number): number | undefined {
    return this.waiting[place]
  }

  some(test: (index: number) => boolean): boolean {
    return this.waiting.some(test)
  }

  has(index: number): boolean {
    return this.waiting.includes(index)
  }

  /** It goes before all others. */
  putFirst(index: number): void {
    this.waiting.unshift(index)
    this.count(index, 1)
  }

  remove(index: number): void {
    const place = this.waiting.indexOf(index)
    if (place >= 0) {
      this.waiting.splice(place, 1)
      this.count(index, -1)
    }
  }

  private count(index: number, sign: 1 | -1): void {
    const spec = this.units[index]
    if (spec !== undefined) {
      this.operations += sign * operationsOf(spec)
      this.price += BigInt(sign) * priceAt(spec.cost, this.rate)
    }
  }
}
