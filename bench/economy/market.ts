import { chooseProbed, isProbeSize, nextProbeAt } from '../../src/credit/index.ts'
import { SKILLS } from '../../src/skills/index.ts'
import { canaryPrice } from '../../src/swarm/prober.ts'
import type { MicroCredits, NetworkParameters, PeerIdString } from '../../src/wire/index.ts'
import { exponential, type Random, randomOf } from '../sim/random.ts'
import { Agent, HOUR, type Profile } from './agent.ts'
import { Floor, min, type Order, type Tally } from './floor.ts'

export interface MarketInit {
  readonly network: NetworkParameters
  readonly seed: number
  /** Providers that a requester asks whom it knows nothing of, and such that it worked for. */
  readonly asked?: { readonly random: number; readonly known: number }
  /** Who knows what a chain shows: its author's witnesses, as in the product, or everybody. @default 'everybody' */
  readonly readers?: 'everybody' | 'witnesses'
  /** Share of its time that a provider's device is free for others. @default 1 */
  readonly power?: number
  /** Hours that a requester waits for a job. @default 24 */
  readonly patience?: number
  /** Whose service is looked at for what it displaces. @default nobody's */
  readonly isAttacker?: (agent: Agent) => boolean
}

/** Providers that share a job's units. */
const SPLIT = 3
const SEAT = 7
const START = 1_800_000_000_000
/** What canaries of this build's skills cost (µcr). */
const CANARIES = [...SKILLS.values()].flatMap((skill) => canaryPrice(skill) ?? [])

/** A swarm hour by hour: who asks whom, who serves whom on whose account, who pays. Production rules inside. */
export class Market {
  readonly network: NetworkParameters
  readonly agents: Agent[] = []
  readonly seed: number
  now = START
  readonly floor: Floor
  private readonly random: Random
  private readonly asked: { random: number; known: number }
  private readonly patience: number
  private readonly canaries: readonly MicroCredits[]
  private readonly isReadByAll: boolean
  private readonly byName = new Map<PeerIdString, Agent>()
  private orders: Order[] = []
  private servers: Agent[] = []
  private speeds: number[] = []

  constructor(init: MarketInit) {
    this.network = init.network
    this.seed = init.seed
    this.random = randomOf(init.seed, 'market')
    this.asked = init.asked ?? { random: 4, known: 8 }
    this.patience = init.patience ?? 24
    this.canaries = CANARIES.filter((price) => isProbeSize(price, init.network))
    this.isReadByAll = init.readers !== 'witnesses'
    const { power = 1, isAttacker = () => false } = init
    this.floor = new Floor({ network: init.network, power, isAttacker })
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
        if (!this.isReadByAll) {
          this.seatFor(agent)
        }
        this.wish(agent)
      }
    }
    for (const order of this.orders) {
      this.place(order)
    }
    this.floor.work(this.now)
    this.orders = this.orders.filter(({ left }) => left > 0n)
    this.now += HOUR
  }

  /** Orders work now, whatever the profile says. */
  order(requester: Agent, cost: bigint): void {
    this.orders.push({ requester, since: this.now, left: cost, placed: 0n })
    this.floor.tally[requester.firstPaid === undefined ? 'wantedByRest' : 'wanted'] += cost
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
    return this.floor.resetTally()
  }

  /** Seven who serve now; those who sit and are here stay. */
  private seatFor(agent: Agent): void {
    const seat = new Set(
      [...(agent.readers ?? [])].filter((name) => this.byName.get(name)?.isOnline === true)
    )
    const others = this.servers.filter(({ name, owner }) => owner !== agent.owner && !seat.has(name))
    while (seat.size < SEAT && others.length > 0) {
      const [drawn] = others.splice(Math.floor(agent.random() * others.length), 1)
      if (drawn !== undefined) {
        seat.add(drawn.name)
      }
    }
    agent.readers = seat
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
        this.floor.tally.unaffordable += size
      }
      next += exponential(agent.random, (24 * presence) / jobsADay)
    }
    if (serves && this.now >= agent.nextProbe) {
      agent.nextProbe = nextProbeAt(this.now, agent.random(), this.network)
      this.probe(agent)
    }
  }

  /** As the product's `Prober`, but for units of earlier jobs. */
  private probe(agent: Agent): void {
    const left = this.canaries[Math.floor(agent.random() * this.canaries.length)]
    if (left === undefined || left > agent.available(this.now)) {
      return
    }
    const candidates = Array.from({ length: 8 }, () => this.drawServer(agent)).flatMap((peer) =>
      peer === undefined || peer === agent
        ? []
        : [{ peer: peer.name, work: agent.edges.get(peer.name)?.work ?? 0n }]
    )
    const chosen = chooseProbed(candidates, agent.random(), left)
    const provider = chosen && this.byName.get(chosen)
    if (provider !== undefined) {
      this.floor.queue(
        provider,
        { requester: agent, since: this.now, left, placed: 0n, isProbe: true },
        left,
        this.now
      )
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
      .map((provider) => ({ provider, useful: min(provider.recognises(requester, left), left) }))
      .toSorted((a, b) => Number(b.useful - a.useful) || b.provider.profile.speed - a.provider.profile.speed)
      .slice(0, SPLIT)
    for (const { provider } of answers) {
      this.floor.queue(provider, order, left / BigInt(answers.length) + 1n, this.now)
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

  private keeps(order: Order): boolean {
    const { requester, since, left } = order
    if (requester.isGone || this.now - since > this.patience * HOUR) {
      requester.unserved += left
      return false
    }
    return true
  }
}

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
