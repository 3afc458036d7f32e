import { adaptThreshold, THRESHOLD_START } from './threshold.ts'

/**
 * Which skills this provider answers first: each unit that it performs lowers that skill's response threshold and
 * raises all others (see `threshold.ts`), so that equal providers come to differ. What it does often is still warm:
 * its pipelines compiled, its shared inputs there.
 */
export class Specialism {
  private readonly thresholds = new Map<string, number>()

  constructor(skills: Iterable<string>) {
    for (const skill of skills) {
      this.thresholds.set(skill, THRESHOLD_START)
    }
  }

  performed(skill: string): void {
    for (const [name, threshold] of this.thresholds) {
      this.thresholds.set(name, adaptThreshold(threshold, name === skill))
    }
  }

  /** Lowest threshold first; equal ones stay in order. */
  order<T extends { readonly name: string }>(skills: readonly T[]): T[] {
    return [...skills].sort((a, b) => this.of(a.name) - this.of(b.name))
  }

  /** θ of a skill, .01 (answers the weakest demand) to 1. */
  of(skill: string): number {
    return this.thresholds.get(skill) ?? THRESHOLD_START
  }

  entries(): ReadonlyArray<readonly [skill: string, threshold: number]> {
    return [...this.thresholds]
  }

  /** Takes up what an earlier life became; skills that are no more are left out. */
  remember(entries: ReadonlyArray<readonly [skill: string, threshold: number]>): void {
    for (const [skill, threshold] of entries) {
      if (this.thresholds.has(skill)) {
        this.thresholds.set(skill, threshold)
      }
    }
  }
}
