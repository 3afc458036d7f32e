import {
  adaptThreshold,
  reinforce,
  responseProbability,
  strengthAt,
  THRESHOLD_START,
  type ThresholdRates
} from '../../src/router/index.ts'
import { EventLoop } from './event-loop.ts'
import { exponential, type Random, randomOf } from './random.ts'

/**
 * Equal nodes that could serve every skill, but keep few of them warm: a unit of a cold one first waits until its
 * kernels are compiled and its weights loaded. A node asked for a unit answers by its response threshold; a unit that
 * nobody took asks louder. Time is in seconds; a unit computes for 1 s on average.
 */
export interface SpecialiseInit {
  readonly nodes: number
  readonly skills: number
  /** Skills that a node keeps warm; the one unused longest gives way. */
  readonly warm: number
  /** Seconds to warm a skill up. */
  readonly setup: number
  readonly load: number
  readonly units: number
  readonly seed: number
  /** Draw nodes by pheromone; else all alike. */
  readonly pheromones: boolean
  /** Undefined: nodes take whatever comes. */
  readonly thresholds: ThresholdRates | undefined
}

export interface SpecialiseResult {
  /** Seconds from arrival to result, by arrival, in the order of completion. */
  readonly done: ReadonlyArray<{ at: number; time: number; node: number; skill: number; cold: boolean }>
  /** When the popularity of the skills was turned round. */
  readonly flippedAt: number
}

const DRAWS = 2
/** A node that declines costs a round trip. */
const ASK = 0.05
/** Demand as a node hears it at the first asking; it grows as much with each asking. */
const STIMULUS = 0.2
/** Seconds in which a typical unit is done: the target of the pheromone. */
const TARGET = 1.5

interface Worker {
  readonly thresholds: number[]
  /** Pheromone of this node, by skill. */
  readonly trails: Array<{ strength: number; at: number }>
  /** Warm skills, the one used longest ago first. */
  readonly warm: number[]
  readonly queue: Task[]
}

interface Task {
  readonly skill: number
  readonly work: number
  readonly at: number
}

export function specialise(init: SpecialiseInit): SpecialiseResult {
  const loop = new EventLoop()
  const arrivals = randomOf(init.seed, 'arrivals')
  const draw = randomOf(init.seed, 'choices')
  const done: Array<SpecialiseResult['done'][number]> = []
  const workers: Worker[] = Array.from({ length: init.nodes }, () => ({
    thresholds: Array.from({ length: init.skills }, () => THRESHOLD_START),
    trails: Array.from({ length: init.skills }, () => ({ strength: 0.5, at: 0 })),
    warm: [],
    queue: []
  }))
  const rate = init.load * init.nodes
  let arrived = 0
  let flippedAt = Number.POSITIVE_INFINITY

  const arrive = () => {
    arrived++
    if (arrived === init.units >> 1) {
      flippedAt = loop.now
    }
    const rank = zipf(init.skills, arrivals)
    const skill = arrived * 2 < init.units ? rank : init.skills - 1 - rank
    ask({ skill, work: exponential(arrivals), at: loop.now }, 1)
    if (arrived < init.units) {
      loop.after(exponential(arrivals, 1 / rate), arrive)
    }
  }

  const ask = (task: Task, times: number) => {
    const index = choose(workers, task.skill, init, loop.now, draw)
    const worker = workers[index] as Worker // chosen among them
    const threshold = worker.thresholds[task.skill] ?? THRESHOLD_START
    if (
      init.thresholds !== undefined &&
      draw() >= responseProbability(Math.min(1, STIMULUS * times), threshold)
    ) {
      loop.after(ASK, () => ask(task, times + 1))
      return
    }
    worker.queue.push(task)
    if (worker.queue.length === 1) {
      start(worker, index)
    }
  }

  const start = (worker: Worker, index: number) => {
    const task = worker.queue[0]
    if (task === undefined) {
      return
    }
    const cold = warmUp(worker, task.skill, init.warm)
    loop.after(task.work + (cold ? init.setup : 0), () => {
      worker.queue.shift()
      const time = loop.now - task.at
      done.push({ at: loop.now, time, node: index, skill: task.skill, cold })
      perform(worker, task.skill, time, init, loop.now)
      start(worker, index)
    })
  }

  loop.after(0, arrive)
  loop.run(() => done.length >= init.units)
  return { done, flippedAt }
}

/** The shorter queue of two, each drawn by pheromone. */
function choose(
  workers: readonly Worker[],
  skill: number,
  { pheromones }: SpecialiseInit,
  now: number,
  draw: Random
): number {
  const weights = workers.map(({ trails }) => {
    const trail = trails[skill]
    return pheromones && trail !== undefined ? strengthAt(trail, now * 1_000) : 1
  })
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  let best = -1
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < DRAWS; i++) {
    let left = draw() * total
    const found = weights.findIndex((weight) => {
      left -= weight
      return left < 0
    })
    const index = found === -1 ? workers.length - 1 : found
    const length = workers[index]?.queue.length ?? 0
    if (length < least) {
      least = length
      best = index
    }
  }
  return best
}

/** @returns whether the skill was cold */
function warmUp({ warm }: Worker, skill: number, limit: number): boolean {
  const at = warm.indexOf(skill)
  if (at !== -1) {
    warm.splice(at, 1)
  }
  warm.push(skill)
  if (warm.length > limit) {
    warm.shift()
  }
  return at === -1
}

function perform(worker: Worker, skill: number, time: number, init: SpecialiseInit, now: number): void {
  const trail = worker.trails[skill]
  if (trail !== undefined) {
    const unit = { success: true, latencyMs: time * 1_000, targetMs: TARGET * 1_000 }
    worker.trails[skill] = reinforce(trail, unit, now * 1_000)
  }
  const { thresholds } = init
  if (thresholds !== undefined) {
    worker.thresholds.forEach((threshold, other) => {
      worker.thresholds[other] = adaptThreshold(threshold, other === skill, thresholds)
    })
  }
}

/** 0 most often, then 1, … with weights 1/(rank + 1). */
function zipf(count: number, draw: Random): number {
  let total = 0
  for (let rank = 1; rank <= count; rank++) {
    total += 1 / rank
  }
  let left = draw() * total
  for (let rank = 1; rank <= count; rank++) {
    left -= 1 / rank
    if (left < 0) {
      return rank - 1
    }
  }
  return count - 1
}
