import { EventLoop } from './event-loop.ts'
import { Pair, Router } from './pair.ts'
import { exponential, type Random, randomOf } from './random.ts'

/**
 * Routers send units to nodes that work them off in the order of arrival. Time is in seconds; a unit's work is
 * exponential with mean 1, so that it takes 1/speed s on average. The network takes no time.
 */
export interface FleetInit {
  /** Work a second of each node. */
  readonly speeds: readonly number[]
  /** Nodes besides that serve another skill: they refuse at once. @default 0 */
  readonly incapable?: number
  readonly routers: number
  /** Share of the fleet's capacity that is asked for. */
  readonly load: number
  /** All nodes publish their load every so many seconds, at once (Mitzenmacher's bulletin board); 0: always true. */
  readonly informationAge: number
  readonly units: number
  readonly seed: number
  readonly policy: Policy
  readonly churn?: Churn
  /** Routers learn from what they see. @default true */
  readonly learns?: boolean
  /** Nodes that each router knows, drawn at random. @default all */
  readonly known?: number
}

export interface Churn {
  /** Mean length of a node's session, exponential (s). */
  readonly session: number
  /** Share of nodes that leave without a word. */
  readonly silent: number
  /** Seconds until the loss of such a node is noticed. */
  readonly detection: number
}

/** Chooses a node: an index into `pairs`, each of which is what one router knows of one node. */
export interface Policy {
  readonly name: string
  choose(pairs: readonly Pair[], unit: Unit, random: Random, fleet: Fleet): number
}

export interface Unit {
  readonly router: number
  readonly work: number
  readonly arrived: number
  /** Times that it was sent. */
  sent: number
}

interface Sent {
  readonly unit: Unit
  readonly pair: Pair
  readonly at: number
  /** What the router expected the unit to take, in seconds. */
  readonly predicted: number
}

export class Node {
  readonly speed: number
  readonly capable: boolean
  readonly queue: Sent[] = []
  /** The first of `queue` that is not done. */
  head = 0
  /** Work in the queue, that of the running unit in full. */
  backlog = 0
  startedAt = 0
  /** When it last had done a unit. */
  earnedAt = 0
  alive = true

  constructor(speed: number, capable: boolean) {
    this.speed = speed
    this.capable = capable
  }

  get pending(): number {
    return this.queue.length - this.head
  }
}

export interface FleetResult {
  /** Seconds from arrival to result of each unit after the warm-up, ascending. */
  readonly times: Float64Array
  /** Dispatches refused because the node does not serve the skill, as a share of the units. */
  readonly misrouted: number
  /** Sent again because the node left, as a share of the units. */
  readonly resent: number
  /** Arrived, and neither done nor under way. */
  readonly lost: number
  /** The queues grew to the end. */
  readonly unstable: boolean
}

/** Share of the units that only warm the routers up. */
const WARM_UP = 0.3
/** At the end of a sound run a node has a handful of units waiting. */
const UNSTABLE_PENDING = 30

export class Fleet {
  readonly loop = new EventLoop()
  readonly nodes: Node[]
  private readonly init: FleetInit
  private readonly routers: Router[]
  private readonly pairs: Pair[][]
  private readonly arrivals: Random
  private readonly choices: Random
  private readonly lives: Random
  private readonly rate: number
  private readonly times: number[] = []
  private draw: Random | undefined
  private arrived = 0
  private done = 0
  private misrouted = 0
  private resent = 0

  constructor(init: FleetInit) {
    this.init = init
    this.nodes = [
      ...init.speeds.map((speed) => new Node(speed, true)),
      ...Array.from({ length: init.incapable ?? 0 }, () => new Node(1, false))
    ]
    this.routers = Array.from({ length: init.routers }, () => new Router())
    this.pairs = this.routers.map((router) => this.acquaintances(init).map((node) => this.meet(node, router)))
    this.arrivals = randomOf(init.seed, 'arrivals')
    this.choices = randomOf(init.seed, 'choices')
    this.lives = randomOf(init.seed, 'lives')
    this.rate = init.load * init.speeds.reduce((sum, speed) => sum + speed, 0)
  }

  run(): FleetResult {
    const { informationAge, units, churn } = this.init
    this.loop.after(exponential(this.arrivals, 1 / this.rate), () => this.arrive())
    if (informationAge > 0) {
      this.loop.after(informationAge, () => this.publish())
    }
    if (churn !== undefined) {
      this.nodes.forEach((_, index) => {
        this.live(index, churn)
      })
    }
    this.loop.run(() => this.done >= units)
    const waiting = this.nodes.reduce((sum, node) => sum + node.pending, 0)
    return {
      times: Float64Array.from(this.times).sort(),
      misrouted: this.misrouted / this.done,
      resent: this.resent / this.done,
      lost: this.arrived - this.done - waiting,
      unstable: waiting > UNSTABLE_PENDING * this.init.speeds.length
    }
  }

  private acquaintances({ known, seed }: FleetInit): Node[] {
    if (known === undefined || known >= this.nodes.length) {
      return this.nodes
    }
    this.draw ??= randomOf(seed, 'acquaintances')
    const draw = this.draw
    const indices = new Set<number>()
    while (indices.size < known) {
      indices.add(Math.floor(draw() * this.nodes.length))
    }
    return [...indices].map((index) => this.nodes[index] as Node) // drawn below the length
  }

  private meet(node: Node, router: Router): Pair {
    return new Pair(node, router, this.loop, this.init)
  }

  private arrive(): void {
    const router = Math.floor(this.arrivals() * this.init.routers)
    const unit = { router, work: exponential(this.arrivals), arrived: this.loop.now, sent: 0 }
    this.arrived++
    this.dispatch(unit)
    this.loop.after(exponential(this.arrivals, 1 / this.rate), () => this.arrive())
  }

  private dispatch(unit: Unit): void {
    const pairs = this.pairs[unit.router] ?? []
    const pair = pairs[this.init.policy.choose(pairs, unit, this.choices, this)]
    if (pair === undefined) {
      throw new RangeError(`${this.init.policy.name} chose no node.`)
    }
    unit.sent++
    if (!pair.capable) {
      this.misrouted++
      pair.learn('missed', 0, 0)
      this.dispatch(unit)
      return
    }
    const { node } = pair
    node.queue.push({ unit, pair, at: this.loop.now, predicted: pair.predict(unit.work) })
    node.backlog += unit.work
    pair.own++
    if (node.pending === 1 && node.alive) {
      this.start(node)
    }
  }

  private start(node: Node): void {
    const next = node.queue[node.head]
    node.startedAt = this.loop.now
    if (next !== undefined) {
      this.loop.after(next.unit.work / node.speed, () => this.finish(node))
    }
  }

  private finish(node: Node): void {
    const sent = node.queue[node.head]
    if (sent === undefined || !node.alive) {
      return // it left while computing
    }
    node.head++
    node.earnedAt = this.loop.now
    if (node.head > 64 && node.head * 2 > node.queue.length) {
      node.queue.splice(0, node.head)
      node.head = 0
    }
    node.backlog -= sent.unit.work
    sent.pair.own--
    sent.pair.learn('verified', this.loop.now - sent.at, sent.predicted)
    this.done++
    if (this.done > WARM_UP * this.init.units) {
      this.times.push(this.loop.now - sent.unit.arrived)
    }
    this.start(node)
  }

  private publish(): void {
    for (const pairs of this.pairs) {
      for (const pair of pairs) {
        pair.read()
      }
    }
    this.loop.after(this.init.informationAge, () => this.publish())
  }

  private live(index: number, churn: Churn): void {
    this.loop.after(exponential(this.lives, churn.session), () => {
      const node = this.nodes[index]
      if (node !== undefined) {
        node.alive = false
      }
      const isSilent = this.lives() < churn.silent
      this.loop.after(isSilent ? churn.detection : 0, () => this.replace(index, churn))
    })
  }

  /** The loss is noticed: its units go elsewhere, and a stranger of the same speed takes its place. */
  private replace(index: number, churn: Churn): void {
    const gone = this.nodes[index] as Node // live() looked
    const successor = new Node(gone.speed, gone.capable)
    successor.earnedAt = this.loop.now // as a newcomer's idling counts from its first seat
    this.nodes[index] = successor
    this.routers.forEach((router, r) => {
      const pairs = this.pairs[r] ?? []
      const at = pairs.findIndex(({ node }) => node === gone)
      if (at !== -1) {
        pairs[at] = this.meet(successor, router)
      }
    })
    for (const { unit } of gone.queue.splice(gone.head)) {
      this.resent++
      this.dispatch(unit)
    }
    this.live(index, churn)
  }
}
