import type { CreateSwarmInit, SwarmCore, SwarmStatus } from '../api.ts'
import type { ConditionsWatch } from './conditions.ts'
import type { Consent, ConsentMode, ConsentStore } from './consent.ts'
import { Contributor, type RulesStore } from './contributor.ts'
import { describeFailure, type Failure } from './failure.ts'
import { lockFreed, takeLock } from './lock.ts'
import type { ContributeRules } from './pause-rules.ts'
import type { QueryOptions } from './query.ts'

/** What the page needs of the world around it; tests give their own. */
export interface SessionInit {
  /** Loads the public API. Called after consent only. */
  readonly load: () => Promise<{ createSwarm(init: CreateSwarmInit): Promise<SwarmCore> }>
  readonly consents: ConsentStore
  /** When to rest, which skills to serve, at what price. Read after consent only. */
  readonly rules: RulesStore
  /** What the device tells of battery, network and heat. Called after consent only. */
  readonly watch: (changed: () => void) => ConditionsWatch
  readonly locks: LockManager
  readonly options: QueryOptions
  /** Makes the running swarm known to the console and to tests; undefined takes it back. */
  readonly publish: (swarm: SwarmCore | undefined) => void
  /** The last resort of a withdrawal: a reload ends whatever would not stop. */
  readonly reload: () => void
  /** Asks the browser not to clear what is stored here when space runs out. Firefox asks the person. */
  readonly keepStorage: () => Promise<boolean>
}

export type Phase =
  | { readonly kind: 'asking'; readonly paused: boolean }
  /** Another tab holds the lock, or held it until now. */
  | { readonly kind: 'elsewhere'; readonly free: boolean }
  | { readonly kind: 'starting' }
  | { readonly kind: 'running'; readonly swarm: SwarmCore; readonly status: SwarmStatus }
  | { readonly kind: 'stopped'; readonly failure: Failure | undefined }

const WITHDRAW_MS = 400
const DEFAULT_POWER = 60

/** The life of the node in this page: consent, lock, start, pause, withdrawal. */
export class Session {
  phase: Phase = { kind: 'asking', paused: false }
  consent: Consent | undefined
  /** What the last button press failed with. */
  failure: Failure | undefined
  finishing = false
  remembered = true

  readonly contributor: Contributor
  readonly #init: SessionInit
  readonly #changed: () => void
  #abort = new AbortController()
  #starting: Promise<void> = Promise.resolve()
  #stopping: Promise<void> = Promise.resolve()
  #release: (() => void) | undefined
  #hasAskedToKeep = false

  constructor(init: SessionInit, changed: () => void) {
    this.#init = init
    this.#changed = changed
    this.contributor = new Contributor({
      store: init.rules,
      watch: init.watch,
      onChange: changed,
      onError: (error) => {
        this.failure = describeFailure(error)
        changed()
      }
    })
  }

  /** The power to offer (percent). */
  get power(): number {
    return this.consent?.power ?? this.#init.options.power ?? DEFAULT_POWER
  }

  /** Reads the consent record; starts only where an earlier visit agreed to it. */
  boot(): void {
    const stored = this.#init.consents.read()
    if (stored === undefined) {
      this.#enter({ kind: 'asking', paused: false })
      return
    }
    this.consent = { ...stored, power: this.#init.options.power ?? stored.power }
    if (stored.auto) void this.start()
    else this.#enter({ kind: 'asking', paused: true })
  }

  /** The click on a consent button. */
  async agree(mode: ConsentMode, power: number): Promise<void> {
    this.consent = { mode, power, auto: true }
    const { phase } = this
    if (phase.kind === 'running') {
      this.#remember()
      await this.#act(() => this.#contribute(phase.swarm))
    } else await this.start()
  }

  start(): Promise<void> {
    const { consent } = this
    if (consent === undefined || this.phase.kind === 'starting' || this.phase.kind === 'running') {
      return this.#starting
    }
    this.failure = undefined
    this.#abort.abort()
    this.#abort = new AbortController()
    this.#enter({ kind: 'starting' })
    this.#starting = this.#begin(consent, this.#abort.signal)
    return this.#starting
  }

  run(): Promise<void> {
    return this.#withSwarm((swarm) => {
      this.#update({ auto: true })
      return this.#contribute(swarm)
    })
  }

  pause(): Promise<void> {
    return this.#withSwarm((swarm) => {
      this.#update({ auto: false })
      this.contributor.unwant()
      return swarm.pause()
    })
  }

  finish(): Promise<void> {
    return this.#withSwarm(async (swarm) => {
      this.#update({ auto: false })
      this.contributor.unwant()
      this.finishing = true
      this.#changed()
      try {
        await swarm.finish()
      } finally {
        this.finishing = false
      }
    })
  }

  setPower(power: number): Promise<void> {
    this.#update({ power })
    return this.#withSwarm(async (swarm) => {
      if (swarm.status.contributing || this.contributor.resting !== undefined) await this.#contribute(swarm)
    })
  }

  /** Contribute although a rule says to rest. */
  runAnyway(): Promise<void> {
    return this.#act(() => this.contributor.override())
  }

  setRules(rules: ContributeRules): Promise<void> {
    return this.#act(() => this.contributor.change(rules))
  }

  /** Forgets the consent and ends all within 500 ms, by a reload if it must. */
  async withdraw(): Promise<void> {
    this.#init.consents.forget()
    this.contributor.forget()
    this.consent = undefined
    this.failure = undefined
    // A node that is only being built ends by the signal.
    const stopped = this.phase.kind === 'running' ? this.phase.swarm.stop() : this.#starting
    this.#abort.abort()
    this.#enter({ kind: 'asking', paused: false })
    this.#stopping = this.#settleStop(stopped)
    await this.#stopping
  }

  /** The page goes away: say goodbye without waiting. */
  leave(): void {
    // Nobody is left to tell of a failure.
    if (this.phase.kind === 'running') this.phase.swarm.stop().catch(() => {})
    this.#abort.abort()
  }

  dismissFailure(): void {
    this.failure = undefined
    this.#changed()
  }

  async #begin(consent: Consent, signal: AbortSignal): Promise<void> {
    try {
      await this.#stopping
      signal.throwIfAborted()
      const release = await takeLock(this.#init.locks)
      if (release === undefined) {
        await this.#waitForOtherTab(signal)
        return
      }
      this.#release = release
      signal.throwIfAborted()
      this.#remember()
      await this.#run(consent, signal)
    } catch (error) {
      this.#letGo()
      if (!signal.aborted) this.#enter({ kind: 'stopped', failure: describeFailure(error) })
    }
  }

  async #run(consent: Consent, signal: AbortSignal): Promise<void> {
    const { backend, network } = this.#init.options
    const { createSwarm } = await this.#init.load()
    signal.throwIfAborted()
    const swarm = await createSwarm({
      ...(backend === undefined ? {} : { backend }),
      ...(network === undefined ? {} : { network }),
      signal
    })
    if (signal.aborted) {
      await swarm.stop()
      signal.throwIfAborted()
    }
    swarm.addEventListener('change', (event) => this.#onStatus(swarm, event.detail, signal))
    this.#init.publish(swarm)
    this.#enter({ kind: 'running', swarm, status: swarm.status })
    if (consent.mode === 'contribute') await this.#act(() => this.#contribute(swarm))
  }

  #onStatus(swarm: SwarmCore, status: SwarmStatus, signal: AbortSignal): void {
    if (signal.aborted) return
    if (status.state !== 'stopped') {
      this.#keepWhatIsEarned(status)
      this.#enter({ kind: 'running', swarm, status })
      return
    }
    this.#letGo()
    this.#enter({ kind: 'stopped', failure: undefined })
  }

  /** At the first earned credit; nobody waits for the answer, since a person may have to give it. */
  #keepWhatIsEarned({ work }: SwarmStatus): void {
    if (this.#hasAskedToKeep || work.verifiedUnits === 0) return
    this.#hasAskedToKeep = true
    this.#init.keepStorage().catch(() => {}) // no such thing here: stored as before
  }

  async #waitForOtherTab(signal: AbortSignal): Promise<void> {
    this.#enter({ kind: 'elsewhere', free: false })
    await lockFreed(this.#init.locks, signal)
    this.#enter({ kind: 'elsewhere', free: true })
  }

  #contribute(swarm: SwarmCore): Promise<void> {
    return this.contributor.want(swarm, this.power / 100)
  }

  #withSwarm(act: (swarm: SwarmCore) => Promise<void>): Promise<void> {
    const { phase } = this
    return phase.kind === 'running' ? this.#act(() => act(phase.swarm)) : Promise.resolve()
  }

  async #act(act: () => Promise<void>): Promise<void> {
    const { signal } = this.#abort
    this.failure = undefined
    try {
      await act()
    } catch (error) {
      if (!signal.aborted) this.failure = describeFailure(error)
    }
    this.#changed()
  }

  async #settleStop(stopped: Promise<void>): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), WITHDRAW_MS)
    })
    // A stop that fails has not stopped: the reload does it.
    const inTime = await Promise.race([stopped.then(() => true).catch(() => false), late])
    clearTimeout(timer)
    this.#letGo()
    if (!inTime) this.#init.reload()
  }

  #letGo(): void {
    this.contributor.unwant()
    this.#init.publish(undefined)
    this.#release?.()
    this.#release = undefined
    this.finishing = false
  }

  #update(change: Partial<Consent>): void {
    if (this.consent === undefined) return
    this.consent = { ...this.consent, ...change }
    this.#remember()
  }

  #remember(): void {
    if (this.consent === undefined) return
    this.remembered = this.#init.consents.write(this.consent)
  }

  #enter(phase: Phase): void {
    this.phase = phase
    this.#changed()
  }
}
