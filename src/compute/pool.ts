import type { DeviceClass, Engine, EngineInit, EngineUnit, Profile, RunOptions } from './engine.ts'
import { ComputeError, type ComputeErrorCode, isKernelFault } from './errors.ts'
import { Lane, type Work } from './lane.ts'
import { cpuMemory } from './memory.ts'
import type { Platform } from './platform.ts'
import { keepErrorsTyped, type WorkerInfo, type WorkerStart } from './protocol.ts'
import { type Tunable, Tuner } from './tuner.ts'

/** Parts that all computing workers together may hold, and as much again for the verifier. */
const PART_BYTES = 256 * 1024 * 1024
/** Two units at a time overlap copies and work. */
const WEBGPU_UNITS = 2
/** Checks sent ahead to the verifier, which does them one after the other. */
const CHECKS_AHEAD = 4
/** How long a unit that is no longer wanted may keep its worker before the worker is ended. */
const GRACE_MS = 1_000
/** How long a worker may take to start; a unit's time counts from then. */
const START_MS = 30_000
/** How often a unit is tried whose worker or device died under it; alone after the first time. */
const ATTEMPTS = 2
/** The candidate beside a kernel's variants: its twin on the CPU backend. */
const ON_CPU = 'cpu'
/** Below this share of the device's time, nothing is left for comparing variants. */
const TUNING_POWER_MIN = 0.25
/** Not the unit's own fault, for all that is known. */
const MISHAPS: ReadonlySet<ComputeErrorCode> = new Set(['WORKER_CRASHED', 'DEVICE_LOST'])

interface Pending extends Work {
  readonly resolve: (value: Uint8Array | boolean) => void
  readonly reject: (error: unknown) => void
  attempts: number
  /** The caller has its answer; what the worker says does not matter any more. */
  settled: boolean
  lane?: Lane
  /** Runs out when the unit has had its time, then when it has had its moment to stop. */
  timer?: ReturnType<typeof setTimeout>
}

/** A queue and the workers that it feeds. */
interface Team {
  readonly queue: Pending[]
  readonly lanes: Set<Lane>
  readonly size: number
  /** Units that one lane takes at a time. */
  readonly capacity: number
  readonly start: WorkerStart['backend']
}

/**
 * Starts an engine: one worker now, the others when there is work for them.
 *
 * @throws ComputeError `NO_WEBGPU` if WebGPU is forced and there is none; `WORKER_CRASHED` if no worker starts
 */
export async function createPool(platform: Platform, init: EngineInit = {}): Promise<Engine> {
  keepErrorsTyped()
  const cores = globalThis.navigator?.hardwareConcurrency ?? 2
  const workers = Math.max(1, Math.floor(init.workers ?? Math.min(4, cores - 1)))
  const pool = new Pool(platform, workers, clampPower(init.power ?? 1), init.profile ?? 'page')
  try {
    await pool.start(init)
    return pool
  } catch (error) {
    pool.close()
    throw error
  }
}

function clampPower(share: number): number {
  return Math.min(1, Math.max(0.05, Number.isNaN(share) ? 0.05 : share))
}

class Pool implements Engine {
  device: DeviceClass = { backend: 'cpu', class: 'cpu' }
  kernels: ReadonlyMap<string, Uint8Array> = new Map()
  readonly #platform: Platform
  readonly #workers: number
  readonly #profile: Profile
  #power: number
  #timeouts: ReadonlyMap<string, number> = new Map()
  #computing: Team
  readonly #checking: Team = newTeam(1, CHECKS_AHEAD, 'cpu')
  /** For kernels that the CPU runs faster than this GPU. Without lanes until there is one. */
  readonly #onCpu: Team
  #tuner: Tuner | undefined
  #nextId = 0
  #closed = false

  constructor(platform: Platform, workers: number, power: number, profile: Profile) {
    this.#platform = platform
    this.#workers = workers
    this.#power = power
    this.#profile = profile
    this.#computing = newTeam(workers, 1, 'cpu')
    this.#onCpu = newTeam(workers, 1, 'cpu')
  }

  get concurrency(): number {
    return this.#computing.size * this.#computing.capacity
  }

  async start({ backend = 'auto', tuning }: EngineInit): Promise<void> {
    const probing = newTeam(backend === 'cpu' ? this.#workers : 1, 1, backend)
    const info = await this.#addLane(probing).started
    this.#computing = teamFor(info, this.#workers, probing.lanes)
    const name = info.backend === 'cpu' ? info.class.replace(/^cpu/, `cpu-${this.#workers}`) : info.class
    const memory = info.memory ?? cpuMemory(this.#platform.memory?.())
    this.device = { backend: info.backend, class: name, memory }
    this.kernels = new Map(info.skills.map(({ name, kernel }) => [name, kernel]))
    this.#timeouts = new Map(info.skills.map(({ name, timeoutMs }) => [name, timeoutMs]))
    if (tuning !== undefined) {
      const skills = tunables(info, name, backend === 'auto')
      this.#tuner = new Tuner({
        memory: tuning,
        skills,
        sample: (skill) => this.#sample(skill),
        run: (unit, candidate, signal) => this.#measure(unit, candidate, signal),
        verify: (unit, result) => this.#check(unit, result)
      })
      await this.#tuner.recall()
    }
  }

  async run(unit: EngineUnit, options: RunOptions = {}): Promise<Uint8Array> {
    this.#tuner?.begin()
    let served: string | undefined
    try {
      const team = this.#tuner?.choice(unit.skill) === ON_CPU ? this.#onCpu : this.#computing
      const result = await this.#submit(team, { unit }, options)
      served = this.#power < TUNING_POWER_MIN ? undefined : unit.skill
      return result as Uint8Array // work without a check gives bytes
    } finally {
      this.#tuner?.end(served)
    }
  }

  async verify(
    unit: EngineUnit,
    result: Uint8Array,
    seed: Uint8Array,
    options: RunOptions = {}
  ): Promise<boolean> {
    this.#tuner?.begin()
    try {
      return (await this.#submit(this.#checking, { unit, check: { result, seed } }, options)) === true
    } finally {
      this.#tuner?.end()
    }
  }

  /** On every worker that is there: those that come later are made when there is work. */
  async warm(skill: string): Promise<void> {
    const choice = this.#tuner?.choice(skill)
    const team = choice === ON_CPU ? this.#onCpu : this.#computing
    const lanes = team.lanes.size > 0 ? [...team.lanes] : [this.#addLane(team)]
    await Promise.allSettled(lanes.map((lane) => lane.warm(skill, choice))) // a unit will say what is wrong
  }

  setPower(share: number): void {
    this.#power = clampPower(share)
    for (const lane of [...this.#computing.lanes, ...this.#onCpu.lanes]) {
      lane.setPower(this.#power)
    }
  }

  close(): void {
    this.#closed = true
    this.#tuner?.close()
    const closed = new ComputeError('CLOSED', 'The engine was closed: start another one.')
    for (const team of [this.#computing, this.#onCpu, this.#checking]) {
      for (const pending of team.queue.splice(0)) {
        pending.reject(closed)
      }
      for (const lane of team.lanes) {
        lane.end(closed)
      }
      team.lanes.clear()
    }
  }

  #submit(
    team: Team,
    work: Pick<Work, 'unit' | 'check' | 'variant'>,
    { signal, onProgress }: RunOptions
  ): Promise<Uint8Array | boolean> {
    signal?.throwIfAborted()
    if (this.#closed) {
      throw new ComputeError('CLOSED', 'The engine was closed: start another one.')
    }
    if (!this.#timeouts.has(work.unit.skill)) {
      throw new ComputeError('UNKNOWN_SKILL', 'This build has no skill of this name.')
    }
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array | boolean>()
    const pending: Pending = {
      ...work,
      ...(onProgress && { onProgress }),
      id: this.#nextId++,
      resolve,
      reject,
      attempts: 0,
      settled: false
    }
    const abort = () => this.#abandon(team, pending, signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    team.queue.push(pending)
    this.#dispatch(team)
    return promise.finally(() => signal?.removeEventListener('abort', abort))
  }

  /** Gives waiting work to free workers, in order. */
  #dispatch(team: Team): void {
    for (let pending = team.queue[0]; pending !== undefined && !this.#closed; pending = team.queue[0]) {
      const lane = this.#laneFor(team, pending.attempts > 0)
      if (lane === undefined) {
        return
      }
      team.queue.shift()
      void this.#execute(team, lane, pending)
    }
  }

  #laneFor(team: Team, alone: boolean): Lane | undefined {
    const room = alone ? 1 : team.capacity
    for (const lane of team.lanes) {
      if (!lane.exclusive && lane.load < room) {
        return lane
      }
    }
    return team.lanes.size < team.size ? this.#addLane(team) : undefined
  }

  #addLane(team: Team): Lane {
    const lane = new Lane(
      this.#platform,
      { backend: team.start, power: team === this.#checking ? 1 : this.#power, profile: this.#profile },
      PART_BYTES / team.size,
      () => {
        team.lanes.delete(lane)
        this.#dispatch(team)
      }
    )
    team.lanes.add(lane)
    const discard = () => {
      team.lanes.delete(lane)
      lane.end(new ComputeError('WORKER_CRASHED', 'A compute worker did not start.', { retryable: true }))
    }
    const timer = setTimeout(discard, START_MS)
    lane.started.catch(discard).finally(() => clearTimeout(timer))
    return lane
  }

  /** Never throws: the outcome goes to the caller, or the unit back into the queue. */
  async #execute(team: Team, lane: Lane, pending: Pending): Promise<void> {
    lane.exclusive = pending.attempts > 0
    pending.attempts++
    pending.lane = lane
    this.#after(this.#timeouts.get(pending.unit.skill) ?? 0, pending, () => this.#timeOut(team, pending))
    try {
      const variant = pending.variant ?? this.#tuner?.choice(pending.unit.skill)
      const value = await lane.execute({ ...pending, ...(variant !== undefined && { variant }) })
      pending.settled = true
      pending.resolve(value)
    } catch (error) {
      this.#fail(team, pending, error)
    } finally {
      clearTimeout(pending.timer)
      delete pending.lane
      lane.exclusive = false
      this.#dispatch(team)
    }
  }

  #fail(team: Team, pending: Pending, error: unknown): void {
    const mishap = error instanceof ComputeError && MISHAPS.has(error.code)
    if (mishap && !pending.settled && pending.attempts < ATTEMPTS && !this.#closed) {
      team.queue.unshift(pending)
      return
    }
    if (
      !pending.settled &&
      isKernelFault(error) &&
      pending.variant === undefined &&
      this.#mayRetry(pending)
    ) {
      this.#computing.queue.unshift(pending)
      this.#dispatch(this.#computing)
      return
    }
    pending.settled = true
    pending.reject(error)
  }

  /** A tuned variant that fails is given up, and the unit gets the default. */
  #mayRetry({ unit, check, attempts }: Pending): boolean {
    return check === undefined && attempts < ATTEMPTS && this.#tuner?.distrust(unit.skill) === true
  }

  async #sample(skill: string): Promise<EngineUnit> {
    const [lane = this.#addLane(this.#checking)] = this.#checking.lanes
    const { params, data, parts } = await lane.sample(skill)
    return { skill, params, data, parts: parts.map((bytes, i) => ({ hash: `sample/${skill}/${i}`, bytes })) }
  }

  /** On the CPU backend all workers share the load, so that a unit costs its part of the time of one. */
  async #measure(unit: EngineUnit, variant: string, signal: AbortSignal) {
    const isOnCpu = variant === ON_CPU
    const started = performance.now()
    const result = await this.#submit(isOnCpu ? this.#onCpu : this.#computing, { unit, variant }, { signal })
    const ms = (performance.now() - started) / (isOnCpu ? this.#onCpu.size : 1)
    return { result: result as Uint8Array, ms } // work without a check gives bytes
  }

  async #check(unit: EngineUnit, result: Uint8Array): Promise<boolean> {
    for (let round = 0; round < 4; round++) {
      const seed = crypto.getRandomValues(new Uint8Array(32))
      if ((await this.#submit(this.#checking, { unit, check: { result, seed } }, {})) !== true) {
        return false
      }
    }
    return true
  }

  #timeOut(team: Team, pending: Pending): void {
    const seconds = (this.#timeouts.get(pending.unit.skill) ?? 0) / 1_000
    const message = `The unit ran longer than the ${seconds} s that its skill allows.`
    this.#abandon(team, pending, new ComputeError('TIMEOUT', message, { details: { seconds } }))
  }

  /** The caller is told at once; the worker gets a moment to stop the unit, or is ended. */
  #abandon(team: Team, pending: Pending, reason: unknown): void {
    if (pending.settled) {
      return
    }
    pending.settled = true
    pending.reject(reason)
    const waiting = team.queue.indexOf(pending)
    if (waiting >= 0) {
      team.queue.splice(waiting, 1)
      return
    }
    const { lane } = pending
    if (lane === undefined) {
      return
    }
    lane.cancel(pending.id)
    this.#after(GRACE_MS, pending, () => this.#evict(team, lane))
  }

  /** Acts unless the unit leaves its worker before. Time counts from when the worker has started. */
  #after(ms: number, pending: Pending, act: () => void): void {
    const { lane } = pending
    const begin = () => {
      if (pending.lane === lane) {
        clearTimeout(pending.timer)
        pending.timer = setTimeout(act, ms)
      }
    }
    lane?.started.then(begin, () => {}) // a worker that does not start fails its units by itself
  }

  #evict(team: Team, lane: Lane): void {
    team.lanes.delete(lane)
    const message = 'The worker was ended because another unit did not stop.'
    lane.end(new ComputeError('WORKER_CRASHED', message, { retryable: true }))
    this.#dispatch(team)
  }
}

function newTeam(size: number, capacity: number, start: WorkerStart['backend']): Team {
  return { queue: [], lanes: new Set(), size, capacity, start }
}

/** What there is to choose: variants that the device can run, and the CPU where nobody forced the GPU. */
function tunables({ backend, skills }: WorkerInfo, deviceClass: string, mayUseCpu: boolean): Tunable[] {
  return skills.flatMap(({ name, kernel, variants }) => {
    const candidates = backend === 'webgpu' && mayUseCpu ? [...variants, ON_CPU] : variants
    const key = `${deviceClass}/${[...kernel].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
    return variants.length > 0 && candidates.length > 1 ? [{ skill: name, key, candidates }] : []
  })
}

/** The team that goes on with the lanes of the probe. */
function teamFor(info: WorkerInfo, workers: number, lanes: Set<Lane>): Team {
  return info.backend === 'webgpu'
    ? { ...newTeam(1, WEBGPU_UNITS, 'webgpu'), lanes }
    : { ...newTeam(workers, 1, 'cpu'), lanes }
}
