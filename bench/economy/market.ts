import {
  chargeStranger,
  chooseProbed,
  drawOn,
  giveOn,
  nextProbeAt,
  recognised,
  strangerAllowance
} from '../../src/credit/index.ts'
import type { NetworkParameters, PeerIdString } from '../../src/wire/index.ts'
import { exponential, type Random, randomOf } from '../sim/random.ts'
import { Agent, DAY, HOUR, type Profile } from './agent.ts'

export interface MarketInit {
  readonly network: NetworkParameters
  readonly seed: number
  /** Providers that a requester asks whom it knows nothing of, and such that it worked for. */
  readonly asked?: { readonly random: number; readonly known: number }
  /** Share of its time that a provider's device is free for others. @default 1 */
  readonly power?: number
  /** Hours that a requester waits for a job. @default 24 */
  readonly patience?: number
  /** Whose service is looked at for what it displaces. @default nobody's */
  readonly isAttacker?: (agent: Agent) => boolean
}

interface Order {
  readonly requester: Agent
  readonly since: number
  readonly isProbe?: boolean
  /** What waits at providers (µcr). */
  placed: bigint
  left: bigint
}

/** What one provider is asked to do of an order. */
interface Part {
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
  /** Asked for by nodes that have been paid before. */
  wanted: bigint
  wantedByRest: bigint
  /** Recognised for somebody who had been paid before. */
  recognisedWanted: bigint
  /** Hours that somebody recognised waited for his turn at a provider that was there. */
  longestWait: number
  /** Recognised work of others that waited while an attacker was served in the same hour (µcr). */
  displaced: bigint
}

/** Providers that share a job's units. */
const SPLIT = 3
const START = 1_800_000_000_000

/** A swarm hour by hour: who asks whom, who serves whom on whose account, who pays. Production rules inside. */
export class Market {
  readonly network: NetworkParameters
  readonly agents: Agent[] = []
  readonly seed: number
  now = START
  /** What happened since the last `resetTally`. */
  tally = emptyTally()
  private readonly random: Random
  private readonly asked: { random: number; known: number }
  /** Share of its time that a provider's device is free for others. */
  power: number
  private readonly patience: number
  private readonly isAttacker: (agent: Agent) => boolean
  private readonly byName = new Map<PeerIdString, Agent>()
  private orders: Order[] = []
  private attackersWork = 0n
  /** Orders taken this hour, by provider. */
  private readonly desks = new Map<Agent, Part[]>()
  private servers: Agent[] = []
  private speeds: number[] = []

  constructor(init: MarketInit) {
    this.network = init.network
    this.seed = init.seed
    this.random = randomOf(init.seed, 'market')
    this.asked = init.asked ?? { random: 4, known: 8 }
    this.power = init.power ?? 1
    this.patience = init.patience ?? 24
    this.isAttacker = init.isAttacker ?? (() => false)
  }

  get hours(): number {
    return (this.now - START) / HOUR
  }

  add(profile: Profile, owner?: number): Agent {
    const id = this.agents.length
    const random = randomOf(this.seed, `agent ${id}`)
    const agent = new Agent({
      id,
      profile,
      now: this.now,
      random,
      network: this.network,
      ...(owner !== undefined && { owner })
    })
    agent.nextProbe = nextProbeAt(this.now, random(), this.network)
    this.agents.push(agent)
    this.byName.set(agent.name, agent)
    return agent
  }

  remove(agent: Agent): void {
    agent.isGone = true
  }

  get present(): Agent[] {
    return this.agents.filter(({ isGone }) => !isGone)
  }

  /** One hour: everybody's wishes, then each provider's work. */
  hour(): void {
    for (const agent of this.agents) {
      agent.isOnline = !agent.isGone && agent.random() < agent.profile.presence
    }
    this.servers = this.agents.filter(({ isOnline, profile }) => isOnline && profile.serves)
    this.speeds = cumulative(this.servers.map(({ profile }) => profile.speed))
    this.orders = this.orders.filter((order) => this.keeps(order))
    for (const agent of this.agents) {
      if (agent.isOnline) {
        this.wish(agent)
      }
    }
    for (const order of this.orders) {
      this.place(order)
    }
    for (const [provider, desk] of [...this.desks]) {
      this.work(provider, desk)
    }
    this.orders = this.orders.filter(({ left }) => left > 0n)
    this.now += HOUR
  }

  /** Orders work now, whatever the profile says. */
  order(requester: Agent, cost: bigint): void {
    this.orders.push({ requester, since: this.now, left: cost, placed: 0n })
    this.tally[requester.standing.size > 0 ? 'wanted' : 'wantedByRest'] += cost
  }

  /** A payment without work: what friends and names of one owner can always sign. */
  washPay(payer: Agent, payee: Agent, amount: bigint): void {
    const paid = amount < payer.available(this.now) ? amount : payer.balance
    if (paid > 0n) {
      payer.balance -= paid
      payee.claim(payer.name, paid, this.now)
    }
  }

  resetTally(): Tally {
    const before = this.tally
    this.tally = emptyTally()
    return before
  }

  private wish(agent: Agent): void {
    const { jobsADay, jobSize, presence, serves } = agent.profile
    // all of a day's jobs come in the hours that it is there
    let next = exponential(agent.random, (24 * presence) / jobsADay)
    while (next < 1) {
      const size = BigInt(Math.max(1, Math.round(jobSize * Math.exp(normal(agent.random)))))
      if (size <= agent.available(this.now)) {
        this.order(agent, size)
      } else {
        this.tally.unaffordable += size
      }
      next += exponential(agent.random, (24 * presence) / jobsADay)
    }
    if (serves && this.now >= agent.nextProbe && agent.available(this.now) >= this.network.probeAmount) {
      agent.nextProbe = nextProbeAt(this.now, agent.random(), this.network)
      this.probe(agent)
    }
  }

  private probe(agent: Agent): void {
    const candidates = Array.from({ length: 8 }, () => this.drawServer(agent)).flatMap((peer) =>
      peer === undefined || peer === agent
        ? []
        : [{ peer: peer.name, work: agent.edges.get(peer.name)?.work ?? 0n }]
    )
    const chosen = chooseProbed(candidates, agent.random(), this.network)
    const provider = chosen && this.byName.get(chosen)
    if (provider !== undefined) {
      const left = this.network.probeAmount
      this.queue(provider, { requester: agent, since: this.now, left, placed: 0n, isProbe: true }, left)
    }
  }

  /** Asks a few providers and splits the work over those that recognise most of it; of equals the fastest. */
  private place(order: Order): void {
    const { requester } = order
    const left = order.left - order.placed
    if (!requester.isOnline || left <= 0n) {
      return
    }
    const answers = [...this.candidates(requester)]
      .map((provider) => ({ provider, useful: min(provider.recognises(requester), left) }))
      .toSorted((a, b) => Number(b.useful - a.useful) || b.provider.profile.speed - a.provider.profile.speed)
      .slice(0, SPLIT)
    for (const { provider } of answers) {
      this.queue(provider, order, left / BigInt(answers.length) + 1n)
    }
  }

  private candidates(requester: Agent): Set<Agent> {
    const found = new Set<Agent>()
    for (let i = 0; i < this.asked.random; i++) {
      const server = this.drawServer(requester)
      if (server !== undefined && server.owner !== requester.owner) {
        found.add(server)
      }
    }
    for (const debtor of this.debtors(requester)) {
      found.add(debtor)
    }
    return found
  }

  /** Those who are there and owe the requester most, as it reckons from its own chain. */
  private debtors(requester: Agent): Agent[] {
    const owing = this.asked.known === 0 ? [] : [...requester.guide.standing]
    return owing
      .flatMap(([name, { paid, spent }]) => {
        const agent = this.byName.get(name)
        const owed = paid - spent - (requester.gotBack.get(name) ?? 0n)
        return agent?.isOnline && agent.profile.serves && agent.owner !== requester.owner && owed > 0n
          ? [{ agent, owed: Number(owed) }]
          : []
      })
      .toSorted((a, b) => b.owed - a.owed)
      .slice(0, this.asked.known)
      .map(({ agent }) => agent)
  }

  /** In proportion to speed, as pheromones settle. */
  private drawServer({ random }: Agent): Agent | undefined {
    const at = random() * (this.speeds.at(-1) ?? 0)
    let low = 0
    let high = this.speeds.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.speeds[middle] ?? 0) > at) {
        high = middle
      } else {
        low = middle + 1
      }
    }
    return this.servers[low]
  }

  /** Into the provider's weighted-fair queue: start-time tags, so that nobody with a weight waits for ever. */
  private queue(provider: Agent, order: Order, part: bigint): void {
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
  private work(provider: Agent, desk: Part[]): void {
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
      } else if (provider.isOnline && part.order.left > 0n) {
        waiting.push(part)
      }
    }
    for (const part of queue) {
      if (left > 0 && part.part > 0n) {
        const may = strangerAllowance(provider.uses, part.order.requester.name, this.now, this.network, {
          lanes: this.power
        })
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
    const wasPaid = requester.standing.size > 0
    this.attackersWork += this.isAttacker(requester) ? amount : 0n
    const paid = requester.refusesToPay ? amount / 10n : amount
    requester.balance -= paid
    requester.got[onRecognition ? 'recognised' : 'strangers'] += amount
    requester.checked(provider.name, amount)
    provider.claim(requester.name, paid, this.now)
    provider.done += amount
    provider.firstPaid ??= this.now
    if (isProbe) {
      tally.probes += amount
      return
    }
    requester.firstJob ??= this.now
    tally[onRecognition ? 'recognised' : 'strangers'] += amount
    tally.recognisedWanted += onRecognition && wasPaid ? amount : 0n
  }

  private keeps(order: Order): boolean {
    const { requester, since, left } = order
    if (requester.isGone || this.now - since > this.patience * HOUR) {
      requester.unserved += left
      return false
    }
    return true
  }
}

const min = (a: bigint, b: bigint) => (a < b ? a : b)

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

function cumulative(values: readonly number[]): number[] {
  let total = 0
  return values.map((value) => {
    total += value
    return total
  })
}

/** Box and Muller. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

export const daysOf = (ms: number) => ms / DAY
