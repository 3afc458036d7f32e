import type { Milliseconds } from '../wire/index.ts'
import { earn, type Hedge, hedgeAt, NO_HEDGE, spend, time } from './hedge.ts'

/** Skills remembered. */
const SKILLS_MAX = 1_024

/** The hedging of each skill's units, over all jobs of this node. */
export class Hedges {
  private readonly bySkill = new Map<string, Hedge>()

  /** A unit was sent for the first time. */
  earn(skill: string): void {
    this.set(skill, earn(this.of(skill)))
  }

  /** A unit is done. @param ms from dispatch to verified result */
  time(skill: string, ms: Milliseconds): void {
    this.set(skill, time(this.of(skill), ms))
  }

  /** When a unit that was sent at `sentAt` should have a copy; undefined: too few were seen. */
  dueAt(skill: string, sentAt: Milliseconds): Milliseconds | undefined {
    return hedgeAt(this.of(skill), sentAt)
  }

  /** True if a copy may be sent now: it is paid for from the twentieth that units earn. */
  spend(skill: string): boolean {
    const left = spend(this.of(skill))
    if (left !== undefined) {
      this.set(skill, left)
    }
    return left !== undefined
  }

  private of(skill: string): Hedge {
    return this.bySkill.get(skill) ?? NO_HEDGE
  }

  private set(skill: string, hedge: Hedge): void {
    this.bySkill.delete(skill)
    this.bySkill.set(skill, hedge)
    const [oldest] = this.bySkill.keys()
    if (this.bySkill.size > SKILLS_MAX && oldest !== undefined) {
      this.bySkill.delete(oldest)
    }
  }
}
