import type { Metric } from './layout.ts'

/** True if (score, id) comes before (otherScore, otherId): the better score, then the lower id. */
export function comesBefore(
  metric: Metric,
  score: number,
  id: number,
  otherScore: number,
  otherId: number
): boolean {
  if (score !== otherScore) {
    return metric === 'dot' ? score > otherScore : score < otherScore
  }
  return id < otherId
}

/** The best `limit` of what is offered, best first, whatever the order of the offers. */
export class TopList {
  readonly ids: number[] = []
  readonly scores: number[] = []
  readonly #limit: number
  readonly #metric: Metric

  constructor(limit: number, metric: Metric) {
    this.#limit = limit
    this.#metric = metric
  }

  /** @returns false if it did not make the list */
  offer(id: number, score: number): boolean {
    let at = this.ids.length
    while (at > 0 && this.#isBefore(id, score, at - 1)) {
      at--
    }
    if (at === this.#limit) {
      return false
    }
    this.ids.splice(at, 0, id)
    this.scores.splice(at, 0, score)
    this.ids.length = Math.min(this.ids.length, this.#limit)
    this.scores.length = this.ids.length
    return true
  }

  #isBefore(id: number, score: number, at: number): boolean {
    return comesBefore(this.#metric, score, id, this.scores[at] ?? 0, this.ids[at] ?? 0)
  }
}
