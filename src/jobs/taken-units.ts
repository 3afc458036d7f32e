import type { Milliseconds } from '../wire/index.ts'
import { SESSION_UNIT_BYTES } from './constants.ts'
import type { Taken, Unit } from './taken.ts'

/** The units of one session that were taken on and not answered. */
export class TakenUnits {
  private readonly units = new Map<number, Taken>()
  /** Those of them whose input comes with them. */
  private readonly fed = new Map<number, Unit>()
  /** Of their own inputs. */
  private bytes = 0
  /** Since when nothing is computed, while nothing is. */
  private idleSince = performance.now()

  get count(): number {
    return this.units.size
  }

  get indices(): number[] {
    return [...this.units.keys()]
  }

  /** Those whose input has not come whole. */
  get incomplete(): Unit[] {
    return [...this.fed.values()].filter(({ data }) => !data.isComplete)
  }

  /** How long there has been nothing to compute; 0: there is. A unit whose input does not come is nothing. */
  get idleMs(): Milliseconds {
    return this.units.size > this.incomplete.length ? 0 : performance.now() - this.idleSince
  }

  has(index: number): boolean {
    return this.units.has(index)
  }

  get(index: number): Taken | undefined {
    return this.units.get(index)
  }

  /** One whose input comes with it. */
  getFed(index: number): Unit | undefined {
    return this.fed.get(index)
  }

  hasRoom(size: number): boolean {
    return this.bytes + size <= SESSION_UNIT_BYTES
  }

  add(unit: Taken): void {
    this.units.set(unit.index, unit)
    this.bytes += unit.size
  }

  /** @param unit was added before */
  feed(unit: Unit): void {
    this.fed.set(unit.index, unit)
  }

  /** False if it was forgotten before. */
  forget(index: number): boolean {
    const unit = this.units.get(index)
    if (unit === undefined) {
      return false
    }
    if (this.fed.get(index)?.data.isComplete !== false) {
      this.idleSince = performance.now() // it was worked at
    }
    this.units.delete(index)
    this.fed.delete(index)
    this.bytes -= unit.size
    return true
  }

  /** Gives all up. @returns what was there */
  cancelAll(reason: Error): Taken[] {
    const all = [...this.units.values()]
    for (const { cancel } of all) {
      cancel.abort(reason)
    }
    this.units.clear()
    this.fed.clear()
    this.bytes = 0
    return all
  }
}
