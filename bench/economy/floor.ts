import { chargeStranger, drawOn, giveOn, recognised, strangerAllowance } from '../../src/credit/index.ts'
import type { NetworkParameters } from '../../src/wire/index.ts'
import { type Agent, HOUR } from './agent.ts'

/** The last minute of an hour: an hour's use, all of it entered at its beginning, is over by the next one's. */
const LAST_MINUTE = HOUR - 60_000

export interface Order {
  readonly requester: Agent
  readonly since: number
  readonly isProbe?: boolean
  /** What waits at providers (µcr). */
  placed: bigint
  left: bigint
}

/** What one provider is asked to do of an order. */
export interface Part {
  readonly order: Order
  part: bigint
  /** Its place in a weighted-fair queue: the virtual time at which it would be done. */
  readonly tag: number
  readonly since: number
}

export interface Tally {
  recognised: bigint
  strangers: bigint
  probes: bigint
  /** Wished for without the credit to pay for it. */
  unaffordable: bigint
  /** Asked for by nodes that have been paid for a job before. */
  wanted: bigint
  wantedByRest: bigint
  /** Recognised for somebody who had been paid before. */
  recognisedWanted: bigint
  /** Hours that somebody recognised waited for his turn at a provider that was there. */
  longestWait: number
  /** Recognised work of others that waited while an attacker was served in the same hour (µcr). */
  displaced: bigint
}

export interface FloorInit {
  readonly network: NetworkParameters
  readonly power: number
  readonly isAttacker: (agent: Agent) => boolean
}

/** The providers' side of a market: a queue each, who is served on whose account, who pays. */
export class Floor {
  power: number
  /** What happened since the last `resetTally`. */
  tally = emptyTally()
  private now = 0
  private readonly desks = new Map<Agent, Part[]>()
  private readonly network: NetworkParameters
  private readonly isAttacker: (agent: Agent) => boolean
  private attackersWork = 0n

  constructor({ network, power, isAttacker }: FloorInit) {
    this.network = network
    this.power = power
    this.isAttacker = isAttacker
  }

  resetTally(): Tally {
    const before = this.tally
    this.tally = emptyTally()
    return before
  }

  /** An hour of everybody's work. */
  work(now: number): void {
    this.now = now
    for (const [provider, desk] of [...this.desks]) {
      this.workAt(provider, desk)
    }
  }

  /** Into the provider's weighted-fair queue: start-time tags, so that nobody with a weight waits for ever. */
  queue(provider: Agent, order: Order, part: bigint, now: number): void {
    this.now = now
    const desk = this.desks.get(provider) ?? []
    this.desks.set(provider, desk)
    const weight = provider.weightOf(order.requester, this.now)
    const { fair } = provider
    const begin = Math.max(fair.now, fair.last.get(order.requester.name) ?? 0)
    const tag = weight > 0 ? begin + Number(part) / weight : Number.POSITIVE_INFINITY
    if (weight > 0) {
      fair.last.set(order.requester.name, tag)
    }
    order.placed += part
    desk.push({ order, part, tag, since: this.now })
  }

  /** Recognised work first, weighted-fair; then strangers, within their share. What is recognised may wait here. */
  private workAt(provider: Agent, desk: Part[]): void {
    let left = provider.isOnline ? HOUR * this.power : 0
    const waiting: Part[] = []
    const before = this.attackersWork
    const queue = desk.toSorted((a, b) => a.tag - b.tag)
    for (const part of queue) {
      if (part.tag === Number.POSITIVE_INFINITY) {
        break
      }
      if (left > 0) {
        left -= this.serve(provider, part, left, true)
        provider.fair.now = part.tag
        this.tally.longestWait = Math.max(this.tally.longestWait, (this.now - part.since) / HOUR)
      }
      const isFull = left * provider.profile.speed < 1_000 // less than 1 µcr of time
      if (isFull && provider.isOnline && part.part > 0n && part.order.left > 0n) {
        waiting.push(part)
      }
    }
    for (const part of queue) {
      if (left > 0 && part.part > 0n) {
        const { name } = part.order.requester
        const at = this.now + LAST_MINUTE
        const may = strangerAllowance(provider.uses, name, at, this.network, { lanes: this.power })
        left -= this.serve(provider, part, Math.min(left, may), false)
      }
      if (!waiting.includes(part)) {
        part.order.placed -= part.part // what is left of it goes elsewhere
      }
    }
    const waited = waiting
      .filter(({ order }) => !this.isAttacker(order.requester))
      .reduce((sum, { part }) => sum + part, 0n)
    this.tally.displaced += min(waited, this.attackersWork - before)
    if (waiting.length > 0) {
      this.desks.set(provider, waiting)
    } else {
      this.desks.delete(provider)
    }
  }

  /** @returns ms of compute time used */
  private serve(provider: Agent, part: Part, ms: number, onRecognition: boolean): number {
    const { order } = part
    const { requester } = order
    const speed = provider.profile.speed / 1_000
    const fits = BigInt(Math.floor(ms * speed))
    let amount = [part.part, order.left, fits, requester.available(this.now)].reduce(min)
    if (onRecognition) {
      const on = drawOn(provider.sharesOf(requester), amount)
      amount = recognised(on)
      for (const [peer, edge] of giveOn(
        { self: provider.name, edges: provider.edges },
        requester.name,
        on,
        this.network
      )) {
        provider.edges.set(peer, edge)
      }
      for (const { payer, amount } of requester.forks ? [] : on) {
        requester.addMerit(payer, 0n, amount)
      }
      requester.gotBack.set(provider.name, (requester.gotBack.get(provider.name) ?? 0n) + amount)
    }
    if (amount <= 0n) {
      return 0
    }
    const took = Number(amount) / speed
    if (!onRecognition) {
      provider.uses = chargeStranger(provider.uses, requester.name, took, this.now)
    }
    order.left -= amount
    order.placed -= amount
    part.part -= amount
    this.book(provider, order, amount, onRecognition)
    return took
  }

  private book(provider: Agent, order: Order, amount: bigint, onRecognition: boolean): void {
    const { tally } = this
    const { requester, isProbe = false } = order
    const wasPaid = requester.firstPaid !== undefined
    this.attackersWork += this.isAttacker(requester) ? amount : 0n
    const paid = requester.refusesToPay ? amount / 10n : amount
    requester.balance -= paid
    requester.got[onRecognition ? 'recognised' : 'strangers'] += amount
    requester.checked(provider.name, amount)
    provider.claim(requester.name, paid, this.now)
    provider.done += amount
    if (isProbe) {
      tally.probes += amount
      return
    }
    provider.firstPaid ??= this.now
    requester.firstJob ??= this.now
    tally[onRecognition ? 'recognised' : 'strangers'] += amount
    tally.recognisedWanted += onRecognition && wasPaid ? amount : 0n
  }
}

export const min = (a: bigint, b: bigint) => (a < b ? a : b)

const emptyTally = (): Tally => ({
  recognised: 0n,
  strangers: 0n,
  probes: 0n,
  unaffordable: 0n,
  wanted: 0n,
  wantedByRest: 0n,
  recognisedWanted: 0n,
  longestWait: 0,
  displaced: 0n
})
