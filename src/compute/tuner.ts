import type { EngineUnit, TuningMemory } from './engine.ts'
import { ComputeError, isKernelFault } from './errors.ts'
import { chooseCandidate, finalists, type Trial, worthMeasuring } from './tuning.ts'

/** Rounds of the comparison, and of the second one, of those that came close in the first. */
const ROUNDS = 5
const FINAL_ROUNDS = 9
/** How long nothing may have been wanted before the next measurement. */
const QUIET_MS = 250

/** A skill of which there is something to choose. */
export interface Tunable {
  readonly skill: string
  /** Names the kernel on this device class: what the winner is kept under. */
  readonly key: string
  /** The default first. */
  readonly candidates: readonly string[]
}

export interface TunerInit {
  readonly memory: TuningMemory
  readonly skills: readonly Tunable[]
  /** A typical unit to compare on. */
  sample(skill: string): Promise<EngineUnit>
  /** Runs the unit with the candidate. Rejects with the signal's reason once it is aborted. */
  run(unit: EngineUnit, candidate: string, signal: AbortSignal): Promise<{ result: Uint8Array; ms: number }>
  /** The skill's own check. */
  verify(unit: EngineUnit, result: Uint8Array): Promise<boolean>
  /** @default 250 */
  readonly quietMs?: number
}

/**
 * Finds the best variant of each kernel that this node has served, when nothing else is wanted: it never stands in
 * the way of a unit, and gives up a measurement at once when one comes.
 */
export class Tuner {
  readonly #init: TunerInit
  readonly #choices = new Map<string, string>()
  /** Skills with a winner, kept or found: measured once. */
  readonly #known = new Set<string>()
  readonly #waiting: Tunable[] = []
  readonly #closed = new AbortController()
  #measuring: AbortController | undefined
  #wanted = 0
  #isQuiet = false
  #quiet = Promise.withResolvers<void>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #work: Promise<void> | undefined

  constructor(init: TunerInit) {
    this.#init = init
  }

  /** Reads the winners of earlier days. */
  async recall(): Promise<void> {
    const { memory, skills } = this.#init
    const winners = await Promise.all(
      skills.map(({ key }) => memory.read(key).catch(() => undefined)) // unreadable is unknown
    )
    for (const [i, { skill, candidates }] of skills.entries()) {
      const winner = winners[i]
      if (winner !== undefined && candidates.includes(winner)) {
        this.#known.add(skill)
        this.#choose(skill, winner, candidates)
      }
    }
  }

  /** What to run the skill with; undefined: the default. */
  choice(skill: string): string | undefined {
    return this.#choices.get(skill)
  }

  /** Work has come: what is being measured is given up. */
  begin(): void {
    this.#wanted++
    this.#isQuiet = false
    clearTimeout(this.#timer)
    this.#measuring?.abort()
  }

  /** Work has ended. `served`: the skill whose unit it computed. */
  end(served?: string): void {
    this.#wanted--
    const tunable = this.#init.skills.find(({ skill }) => skill === served)
    if (tunable !== undefined && !this.#known.has(tunable.skill)) {
      this.#known.add(tunable.skill)
      this.#waiting.push(tunable)
    }
    if (this.#wanted === 0) {
      this.#listen()
    }
  }

  /** The choice has failed in earnest: back to the default, for good. False if it was the default. */
  distrust(skill: string): boolean {
    const tunable = this.#init.skills.find((each) => each.skill === skill)
    if (tunable === undefined || !this.#choices.delete(skill)) {
      return false
    }
    void this.#remember(tunable, tunable.candidates[0] ?? '')
    return true
  }

  /** Resolves when there is nothing left to measure. */
  async settled(): Promise<void> {
    await this.#work
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#closed.abort()
    this.#measuring?.abort()
    this.#quiet.resolve()
  }

  #listen(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#isQuiet = true
      this.#quiet.resolve()
    }, this.#init.quietMs ?? QUIET_MS)
    if (this.#waiting.length > 0 && !this.#closed.signal.aborted) {
      this.#work ??= this.#tuneAll().finally(() => {
        this.#work = undefined
      })
    }
  }

  async #tuneAll(): Promise<void> {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.#closed.signal.aborted) {
        return
      }
      try {
        const winner = await this.#tune(next)
        this.#choose(next.skill, winner, next.candidates)
        await this.#remember(next, winner)
      } catch {
        this.#known.delete(next.skill) // the default serves as before; the next unit gives another chance
      }
      this.#waiting.shift()
    }
  }

  async #tune({ skill, candidates }: Tunable): Promise<string> {
    const preset = candidates[0] ?? ''
    const unit = await this.#init.sample(skill)
    const trials: Trial[] = []
    for (const candidate of candidates) {
      trials.push({ candidate, isRight: await this.#isRight(unit, candidate), ms: [] })
    }
    const first = await this.#compare(unit, trials, preset, ROUNDS)
    if (chooseCandidate(first, preset) === preset) {
      return preset
    }
    const names = finalists(first, preset)
    const close = trials.filter(({ candidate }) => names.includes(candidate))
    return chooseCandidate(await this.#compare(unit, close, preset, FINAL_ROUNDS), preset)
  }

  /** The first run compiles, uploads the parts, and is checked. */
  async #isRight(unit: EngineUnit, candidate: string): Promise<boolean> {
    try {
      const { result } = await this.#run(unit, candidate)
      return await this.#init.verify(unit, result)
    } catch (error) {
      if (isKernelFault(error) || (error instanceof ComputeError && error.code === 'OUT_OF_MEMORY')) {
        return false
      }
      throw error
    }
  }

  /** In turn, in the opposite order every other round, so that warming up and throttling hit all alike. */
  async #compare(
    unit: EngineUnit,
    trials: readonly Trial[],
    preset: string,
    rounds: number
  ): Promise<Trial[]> {
    let measured = [...trials]
    for (let round = 0; round < rounds; round++) {
      const worth = worthMeasuring(measured, preset)
      const turn = round % 2 === 0 ? worth : worth.toReversed()
      const times = new Map<string, number>()
      for (const candidate of turn) {
        times.set(candidate, (await this.#run(unit, candidate)).ms)
      }
      measured = measured.map((trial) => {
        const ms = times.get(trial.candidate)
        return ms === undefined ? trial : { ...trial, ms: [...trial.ms, ms] }
      })
    }
    return measured
  }

  /** Waits until nothing is wanted, and measures anew if something came in between. */
  async #run(unit: EngineUnit, candidate: string): Promise<{ result: Uint8Array; ms: number }> {
    for (;;) {
      await this.#untilQuiet()
      const measuring = new AbortController()
      this.#measuring = measuring
      try {
        const outcome = await this.#init.run(unit, candidate, measuring.signal)
        if (!measuring.signal.aborted) {
          return outcome
        }
      } catch (error) {
        if (!measuring.signal.aborted) {
          throw error
        }
      } finally {
        this.#measuring = undefined
      }
    }
  }

  async #untilQuiet(): Promise<void> {
    while (!this.#isQuiet && !this.#closed.signal.aborted) {
      this.#quiet = Promise.withResolvers()
      await this.#quiet.promise
    }
    if (this.#closed.signal.aborted) {
      throw new ComputeError('CLOSED', 'The engine was closed: start another one.')
    }
  }

  #choose(skill: string, winner: string, candidates: readonly string[]): void {
    if (winner === candidates[0]) {
      this.#choices.delete(skill)
    } else {
      this.#choices.set(skill, winner)
    }
  }

  async #remember({ key }: Tunable, winner: string): Promise<void> {
    await this.#init.memory.write(key, winner).catch(() => {}) // then it is found again in the next life
  }
}
