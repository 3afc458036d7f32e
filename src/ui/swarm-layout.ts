import {
  type Force,
  forceCollide,
  forceManyBody,
  forceRadial,
  forceSimulation,
  type Simulation,
  type SimulationNodeDatum
} from 'd3-force'
import type { PeerInfo } from '../api.ts'

/** A peer's place in the picture of the swarm: this node is at (0, 0), the picture ends at ±100. */
export interface Spot {
  readonly x: number
  readonly y: number
}

/** Distances from the middle. */
export interface Band {
  readonly from: number
  readonly to: number
}

export interface Bands {
  readonly direct: Band
  readonly relayed: Band
  /** Outside of this circle are the relayed ones; undefined: all are of one kind. */
  readonly border: number | undefined
  /** Distance of two neighbours. */
  readonly gap: number
}

const ALL: Band = { from: 24, to: 92 }
const BORDER: Band = { from: 46, to: 76 }
const GAP_MOST = 28
/** How much of a band the circles of its peers fill: more, and they would be long in finding room. */
const FILLED = 0.6

/** Direct peers inside, relayed ones outside, each with room for as many as there are. */
export function bandsFor(direct: number, relayed: number): Bands {
  if (direct === 0 || relayed === 0) {
    return { direct: ALL, relayed: ALL, border: undefined, gap: gapIn(ALL, direct + relayed) }
  }
  const share = direct / (direct + relayed)
  const border = within(BORDER, Math.sqrt(ALL.from ** 2 + share * (ALL.to ** 2 - ALL.from ** 2)))
  const gap = Math.min(gapIn({ ...ALL, to: border }, direct), gapIn({ ...ALL, from: border }, relayed))
  return {
    direct: { from: ALL.from, to: border - gap / 4 },
    relayed: { from: border + gap / 4, to: ALL.to },
    border,
    gap
  }
}

function gapIn({ from, to }: Band, count: number): number {
  return Math.min(GAP_MOST, Math.sqrt((4 * FILLED * (to ** 2 - from ** 2)) / Math.max(1, count)))
}

const within = ({ from, to }: Band, value: number) => Math.min(to, Math.max(from, value))

interface Body extends SimulationNodeDatum {
  readonly peer: string
  band: Band
  x: number
  y: number
  vx: number
  vy: number
}

/** Until they stand still, when all are new. */
const STEPS = 120
const STILL = 0.001
/** How freely they move when hardly anybody is new; at most 1. */
const STIRRED_LEAST = 0.1
/** Times the share of those who are new. */
const STIRRED = 3
/** Of all together; of each at most a fifth. */
const REPULSION = 1_500
const TO_THE_RING = 0.2
const BACK_INTO_BAND = 0.5
/** They move for two thirds of a second, some milliseconds of each frame. */
const STEPS_A_FRAME = 3
/** Of more than these only each so manieth frame is drawn: to draw them all costs as much as many a step. */
const CROWD = 40
const CROWD_DRAWN_EVERY = 4
/** What d3 leaves of a speed at each step, by default. */
const KEPT_SPEED = 0.6

/**
 * Where the peers stand about this node. Forces put them evenly into their bands; a peer begins where its id says, and
 * stays where it is as far as it can while others come and go. What they come to follows from the calls alone.
 */
export class SwarmLayout {
  readonly #simulation: Simulation<Body, undefined>
  #bodies = new Map<string, Body>()
  #bands = bandsFor(0, 0)
  #placed = ''
  #frame = 0

  /** @param onMove when those who have moved are to be drawn: each frame, of a crowd each fourth and the last one */
  constructor(onMove: () => void) {
    this.#simulation = forceSimulation<Body>([])
      .stop()
      .alpha(0)
      .alphaMin(STILL)
      .alphaDecay(1 - STILL ** (1 / STEPS))
      .on('tick', () => {
        this.#simulation.tick(STEPS_A_FRAME - 1)
        this.#frame = (this.#frame + 1) % CROWD_DRAWN_EVERY
        if (this.#bodies.size <= CROWD || this.#frame === 0 || this.isStill) onMove()
      })
  }

  get bands(): Bands {
    return this.#bands
  }

  get isStill(): boolean {
    return this.#simulation.alpha() < STILL
  }

  spotOf(peer: string): Spot {
    return this.#bodies.get(peer) ?? { x: 0, y: 0 }
  }

  /**
   * Who is there now. Moves nobody by itself.
   *
   * @returns whether these are others than before
   */
  place(peers: ReadonlyArray<Pick<PeerInfo, 'peer' | 'connection'>>): boolean {
    const sorted = peers.toSorted((left, right) => (left.peer < right.peer ? -1 : 1))
    const placed = sorted.map(({ peer, connection }) => `${peer} ${connection}`).join()
    if (placed === this.#placed) return false
    this.#placed = placed
    const direct = sorted.filter(({ connection }) => connection === 'direct').length
    this.#bands = bandsFor(direct, sorted.length - direct)
    const before = this.#bodies
    const bodies = sorted.map(({ peer, connection }) => {
      const band = this.#bands[connection]
      return Object.assign(before.get(peer) ?? newBody(peer, band), { band })
    })
    this.#bodies = new Map(bodies.map((body) => [body.peer, body]))
    const strangers = bodies.filter(({ peer }) => !before.has(peer)).length
    const stirred = within({ from: STIRRED_LEAST, to: 1 }, (STIRRED * strangers) / Math.max(1, bodies.length))
    this.#simulation
      .nodes(bodies)
      .force('apart', forceManyBody<Body>().strength(-REPULSION / Math.max(5, bodies.length)))
      .force('ring', forceRadial<Body>(({ band }) => (band.from + band.to) / 2).strength(TO_THE_RING))
      .force('room', forceCollide<Body>(this.#bands.gap / 2).iterations(2))
      .force('band', bandForce(bodies))
      .alpha(bodies.length === 0 ? 0 : stirred)
    return true
  }

  /** Moves them, frame by frame, until they stand still. */
  run(): void {
    if (!this.isStill) this.#simulation.restart()
  }

  rest(): void {
    this.#simulation.stop()
  }
}

function newBody(peer: string, band: Band): Body {
  const angle = (hash(peer) / 2 ** 32) * 2 * Math.PI
  const distance = (band.from + band.to) / 2
  return { peer, band, x: distance * Math.cos(angle), y: distance * Math.sin(angle), vx: 0, vy: 0 }
}

/** Whoever would leave its band turns back. */
function bandForce(bodies: readonly Body[]): Force<Body, undefined> {
  return () => {
    for (const body of bodies) {
      const [x, y] = [body.x + body.vx * KEPT_SPEED, body.y + body.vy * KEPT_SPEED]
      const distance = Math.hypot(x, y) || STILL
      const change = 1 + ((within(body.band, distance) - distance) * BACK_INTO_BAND) / distance
      body.vx = (x * change - body.x) / KEPT_SPEED
      body.vy = (y * change - body.y) / KEPT_SPEED
    }
  }
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at++) {
    value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  }
  return value >>> 0
}
