/**
 * Weighted-fair queueing of units by requester: start-time fair queueing (Goyal, Vin & Cheng 1996). Whoever waits is
 * served in proportion to its weight, however many units others bring; a weight is linear, so splitting into names
 * gains nothing. Requesters of weight 0 (strangers) come after all others, and share alike.
 */
export class FairQueue<T> {
  private readonly recognised = new Flows<T>()
  private readonly strangers = new Flows<T>()

  /** Items that wait. */
  get size(): number {
    return this.recognised.size + this.strangers.size
  }

  /** The sum of their costs. */
  get cost(): number {
    return this.recognised.cost + this.strangers.cost
  }

  /** Likewise, without strangers'. */
  get recognisedCost(): number {
    return this.recognised.cost
  }

  /**
   * @param requester whose item it is: items of one requester stay in order
   * @param weight 0 or more, as it stands now
   * @param cost above 0: the part of the device's time that it takes
   */
  add(requester: string, weight: number, cost: number, item: T): void {
    if (weight > 0) {
      this.recognised.add(requester, cost / weight, cost, item)
    } else {
      this.strangers.add(requester, cost, cost, item)
    }
  }

  /** The next item, or undefined. */
  take(): T | undefined {
    return this.recognised.take() ?? this.strangers.take()
  }

  /** Of the stranger whose waiting items cost the most, the last one; undefined: no stranger waits. */
  dropStrangers(): T | undefined {
    return this.strangers.dropLast()
  }

  /** False if it does not wait here. */
  remove(requester: string, item: T): boolean {
    return this.recognised.remove(requester, item) || this.strangers.remove(requester, item)
  }
}

interface Waiting<T> {
  readonly item: T
  readonly cost: number
  readonly start: number
}

interface Flow<T> {
  readonly items: Array<Waiting<T>>
  /** Finish tag of the last item that came. */
  end: number
}

class Flows<T> {
  size = 0
  cost = 0
  private readonly byRequester = new Map<string, Flow<T>>()
  /** Virtual time: the start tag of the item served last. */
  private now = 0

  add(requester: string, length: number, cost: number, item: T): void {
    const flow = this.byRequester.get(requester) ?? { items: [], end: 0 }
    this.byRequester.set(requester, flow)
    const start = Math.max(this.now, flow.end)
    flow.end = start + length
    flow.items.push({ item, cost, start })
    this.size += 1
    this.cost += cost
  }

  take(): T | undefined {
    let next: Flow<T> | undefined
    let least = Number.POSITIVE_INFINITY
    for (const flow of this.byRequester.values()) {
      const start = flow.items[0]?.start ?? Number.POSITIVE_INFINITY
      if (start < least) {
        least = start
        next = flow
      }
    }
    const waiting = next?.items.shift()
    if (waiting !== undefined) {
      this.now = waiting.start
      this.left(waiting)
    }
    return waiting?.item
  }

  dropLast(): T | undefined {
    const costOf = ({ items }: Flow<T>) => items.reduce((sum, { cost }) => sum + cost, 0)
    let most: Flow<T> | undefined
    for (const flow of this.byRequester.values()) {
      if (most === undefined || costOf(flow) > costOf(most)) {
        most = flow
      }
    }
    const waiting = most?.items.pop()
    if (waiting !== undefined) {
      this.left(waiting)
    }
    return waiting?.item
  }

  remove(requester: string, item: T): boolean {
    const items = this.byRequester.get(requester)?.items ?? []
    const at = items.findIndex((waiting) => waiting.item === item)
    const [waiting] = at < 0 ? [] : items.splice(at, 1)
    if (waiting !== undefined) {
      this.left(waiting)
    }
    return waiting !== undefined
  }

  private left({ cost }: Waiting<T>): void {
    this.size -= 1
    this.cost = this.size === 0 ? 0 : this.cost - cost
    for (const [requester, { items, end }] of this.byRequester) {
      // nobody waits, or it is not ahead of the others: as good as a new one
      if (items.length === 0 && (this.size === 0 || end <= this.now)) {
        this.byRequester.delete(requester)
      }
    }
  }
}
