import type { SwarmCore, SwarmStatus } from '../api.ts'
import type { Share } from '../core.ts'
import { breathe } from './breathe.ts'
import type { Consent, ConsentMode } from './consent.ts'
import { Contributor } from './contributor.ts'
import { type Desk, type Order, parseDesk, parseOrder } from './desk.ts'
import { describeFailure, type Failure } from './failure.ts'
import { takeLock } from './lock.ts'
import { followOtherTab } from './other-tab.ts'
import type { RulesChange } from './pause-rules.ts'
import type { Phase, SessionInit } from './session-init.ts'

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
  /** Whether the browser has promised to keep what is stored. */
  promised: boolean | undefined

  /** What the address asks for, and an earlier consent says otherwise. */
  overruled: ReadonlyArray<'power' | 'network'> = []

  readonly contributor: Contributor
  readonly #init: SessionInit
  readonly #changed: () => void
  #abort = new AbortController()
  #starting: Promise<void> = Promise.resolve()
  #stopping: Promise<void> = Promise.resolve()
  #release: (() => void) | undefined
  #share: Share | undefined
  #hasAskedToKeep = false
  #finishes = 0

  constructor(init: SessionInit, changed: () => void) {
    this.#init = init
    this.#changed = () => {
      changed()
      this.#share?.tell()
    }
    this.contributor = new Contributor({
      store: init.rules,
      watch: init.watch,
      onChange: () => this.#changed(),
      onError: (error) => {
        this.failure = describeFailure(error)
        this.#changed()
      }
    })
  }

  /** The power to offer (percent). */
  get power(): number {
    return this.consent?.power ?? this.#init.options.power ?? DEFAULT_POWER
  }

  /** What is to be shown beside the node, here or where it runs. */
  get desk(): Desk {
    const { phase, power, finishing } = this
    const there = phase.kind === 'viewing' ? parseDesk(phase.swarm.note) : undefined
    const { resting, rules } = this.contributor
    return there ?? { mode: this.consent?.mode ?? 'hire', power, finishing, resting, rules }
  }

  /** Reads the consent record; starts only where an earlier visit agreed to it, and as it agreed: links come from strangers. */
  boot(): void {
    const stored = this.#init.consents.read()
    if (stored === undefined) {
      this.#enter({ kind: 'asking', paused: false })
      return
    }
    this.consent = stored
    const { power = stored.power } = this.#init.options
    if (power !== stored.power) this.overruled = ['power']
    if (stored.auto) void this.start()
    else this.#enter({ kind: 'asking', paused: true })
  }

  /** The click on a consent button. */
  async agree(mode: ConsentMode, power: number): Promise<void> {
    if (this.phase.kind === 'running' || this.phase.kind === 'viewing') {
      return this.#give({ act: 'agree', mode, power })
    }
    this.overruled = []
    this.consent = { mode, power, auto: true, network: this.#init.options.network ?? this.consent?.network }
    await this.start()
  }

  /** The node may run here now: with what was agreed to in whichever tab, last. */
  takeOver(): Promise<void> {
    this.consent = this.#init.consents.read() ?? this.consent
    return this.start()
  }

  start(): Promise<void> {
    const { consent, phase } = this
    const isUnderWay = phase.kind === 'starting' || phase.kind === 'running' || phase.kind === 'viewing'
    if (consent === undefined || isUnderWay) return this.#starting
    this.failure = undefined
    this.#abort.abort()
    this.#abort = new AbortController()
    this.#enter({ kind: 'starting' })
    this.#starting = this.#begin(consent, this.#abort.signal)
    return this.#starting
  }

  run(): Promise<void> {
    return this.#give({ act: 'run' })
  }

  pause(): Promise<void> {
    return this.#give({ act: 'pause' })
  }

  finish(): Promise<void> {
    return this.#give({ act: 'finish' })
  }

  setPower(power: number): Promise<void> {
    return this.#give({ act: 'setPower', power })
  }

  /** Contribute although a rule says to rest. */
  runAnyway(): Promise<void> {
    return this.#give({ act: 'runAnyway' })
  }

  changeRules(change: RulesChange): Promise<void> {
    return this.#give({ act: 'changeRules', change })
  }

  /** Forgets the consent and ends all within 500 ms, by a reload if it must. */
  async withdraw(): Promise<void> {
    this.#init.consents.forget()
    this.contributor.forget()
    this.consent = undefined
    this.overruled = []
    this.failure = undefined
    // A node that is only being built ends by the signal.
    const stopped = 'swarm' in this.phase ? this.phase.swarm.stop() : this.#starting
    this.#abort.abort()
    this.#enter({ kind: 'asking', paused: false })
    this.#stopping = this.#settleStop(stopped)
    await this.#stopping
  }

  /** The page goes away: say goodbye without waiting. */
  leave(): void {
    // Nobody is left to tell of a failure.
    if ('swarm' in this.phase) this.phase.swarm.stop().catch(() => {})
    this.#abort.abort()
  }

  dismissFailure(): void {
    this.failure = undefined
    this.#changed()
  }

  async #begin(consent: Consent, signal: AbortSignal): Promise<void> {
    let release: (() => void) | undefined
    try {
      await this.#stopping
      signal.throwIfAborted()
      release = await takeLock(this.#init.locks)
      if (release === undefined) {
        await this.#waitForOtherTab(consent, signal)
        return
      }
      this.#release = release
      signal.throwIfAborted()
      this.#remember()
      await this.#run(consent, signal)
    } catch (error) {
      // given up: the next start may have come so far that the lock is its own
      if (!signal.aborted || (release !== undefined && release === this.#release)) this.#letGo()
      if (!signal.aborted) this.#enter({ kind: 'stopped', failure: describeFailure(error) })
    }
  }

  async #run(consent: Consent, signal: AbortSignal): Promise<void> {
    const { backend, network: asked } = this.#init.options
    const { createSwarm, shareSwarm, defaultNetwork } = await this.#init.load()
    const { network = defaultNetwork() } = consent
    if (asked !== undefined && asked !== network)
      this.overruled = [...new Set([...this.overruled, 'network' as const])]
    await breathe() // all of that code was just run for the first time
    signal.throwIfAborted()
    const swarm = await createSwarm({
      ...(backend === undefined ? {} : { backend }),
      network,
      signal
    })
    await breathe() // the node has just started
    if (signal.aborted) await swarm.stop()
    signal.throwIfAborted()
    swarm.addEventListener('change', (event) => this.#onStatus(swarm, event.detail, signal))
    this.#init.publish(swarm)
    this.#enter({ kind: 'running', swarm, status: swarm.status })
    this.#learnPromise(this.#init.isKept())
    this.#share = shareSwarm({
      swarm,
      locks: this.#init.locks,
      note: () => this.desk,
      obey: (order) => this.#obeyOther(swarm, order)
    })
    await breathe() // and all of the live view drawn
    signal.throwIfAborted()
    // paused in another tab, before it closed: paused here
    if (consent.mode === 'contribute' && consent.auto) await this.#act(() => this.#contribute(swarm))
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
    this.#learnPromise(this.#init.keepStorage())
  }

  #learnPromise(promise: Promise<boolean>): void {
    promise
      .then((isKept) => {
        this.promised = isKept
        this.#changed()
      })
      .catch(() => {}) // no such thing here: stored as before
  }

  async #waitForOtherTab(consent: Consent, signal: AbortSignal): Promise<void> {
    const { locks, load, publish } = this.#init
    const enter = (phase: Phase) => {
      if (!signal.aborted) this.#enter(phase)
    }
    await followOtherTab({
      locks,
      load,
      signal,
      onWait: (free, differs) => enter({ kind: 'elsewhere', free, differs }),
      onView: (view) => {
        if (signal.aborted) return
        publish(view)
        if (view !== undefined) enter({ kind: 'viewing', swarm: view, status: view.status })
      }
    })
    enter({ kind: 'starting' })
    await this.#begin(consent, signal)
  }

  #contribute(swarm: SwarmCore): Promise<void> {
    return this.contributor.want(swarm, this.power / 100)
  }

  /** Does it, or has it done in the tab that runs the node. */
  #give(order: Order): Promise<void> {
    const { phase } = this
    switch (phase.kind) {
      case 'running':
        return this.#act(() => this.#obey(phase.swarm, order))
      case 'viewing':
        return this.#act(() => phase.swarm.order(order))
      default:
        return Promise.resolve()
    }
  }

  async #obeyOther(swarm: SwarmCore, given: unknown): Promise<boolean> {
    const order = parseOrder(given)
    if (order === undefined) return false
    await this.#obey(swarm, order)
    this.#changed()
    return true
  }

  async #obey(swarm: SwarmCore, order: Order): Promise<void> {
    switch (order.act) {
      case 'agree':
        this.consent = { ...this.consent, mode: order.mode, power: order.power, auto: true }
        this.#remember()
        return this.#contribute(swarm)
      case 'run':
        this.#update({ auto: true })
        this.finishing = false
        return this.#contribute(swarm)
      case 'pause':
        this.#update({ auto: false })
        this.contributor.unwant()
        return swarm.pause()
      case 'finish':
        return this.#finish(swarm)
      case 'runAnyway':
        return this.contributor.override()
      case 'setPower':
        this.#update({ power: order.power })
        if (this.finishing) return // it would contribute on
        if (swarm.status.contributing || this.contributor.resting !== undefined) await this.#contribute(swarm)
        return
      case 'changeRules':
        return this.contributor.change(order.change)
    }
  }

  async #finish(swarm: SwarmCore): Promise<void> {
    this.#update({ auto: false })
    this.contributor.unwant()
    this.finishing = true
    this.#finishes += 1
    const finish = this.#finishes
    this.#changed()
    try {
      await swarm.finish()
    } finally {
      // run meanwhile, and finished anew: that one is waited for
      if (finish === this.#finishes) this.finishing = false
    }
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
    this.#share?.stop()
    this.#share = undefined
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
