import type { Milliseconds } from '../wire/index.ts'
import { SKILLS_REMEMBERED, WALK_INTERVAL } from './constants.ts'

/**
 * When a skill is looked for in the DHT. Where this node is connected to everybody, they tell it themselves, and the
 * DHT has hardly anybody to name: then only now and then.
 */
export class WalkPlan {
  /** When each skill was last looked for. */
  private readonly walkedAt = new Map<string, Milliseconds>()
  /** Since when this node has been connected to the whole swarm. */
  private wholeSince = Number.POSITIVE_INFINITY

  /** Whether to walk now; if so, that counts as done. */
  isDue(skill: string, isWhole: boolean, now: Milliseconds): boolean {
    this.wholeSince = isWhole ? Math.min(this.wholeSince, now) : Number.POSITIVE_INFINITY
    if (isWhole && now - (this.walkedAt.get(skill) ?? this.wholeSince) < WALK_INTERVAL) {
      return false
    }
    this.walkedAt.delete(skill)
    this.walkedAt.set(skill, now)
    const [oldest] = this.walkedAt.keys()
    if (this.walkedAt.size > SKILLS_REMEMBERED && oldest !== undefined) {
      this.walkedAt.delete(oldest)
    }
    return true
  }
}
