import type { CreateSwarmInit, SwarmCore } from '../api.ts'
import type { LeftIdentity } from '../core.ts'
import type { BrowserData } from './browser-data.ts'
import { type ClockWatchInit, watchClock } from './clock-watch.ts'
import type { ConditionsWatch } from './conditions.ts'
import { describeFailure, type Failure, PageError } from './failure.ts'
import { takeLock } from './lock.ts'
import type { OfflineCopy } from './offline-copy.ts'
import type { Session } from './session.ts'
import { texts } from './texts/index.ts'

export interface KeeperInit {
  readonly data: BrowserData
  readonly offline: OfflineCopy
  /** Calls back once, after so many ms. @default setTimeout @returns what ends it */
  readonly after?: (ms: number, act: () => void) => () => void
  readonly hostTime: ClockWatchInit['hostTime']
  readonly locks: LockManager
}

/** What of the public API it needs; loaded after consent. */
export interface KeeperModule {
  createSwarm(init: CreateSwarmInit): Promise<SwarmCore>
  /** `local` or `main`, by the page's address. */
  defaultNetwork(): 'local' | 'main'
  /** Rejects where the host names no relay of that network. */
  findRelays(given: undefined, network: string): Promise<unknown>
  sealerOf(passphrase: string): Promise<(file: Uint8Array) => Promise<Uint8Array<ArrayBuffer>>>
  leftIdentity(network: string): Promise<LeftIdentity | undefined>
}

export type Kept =
  | { readonly kind: 'here' }
  /** The identity has left this browser by its file; `isSafe`: somebody has said so. */
  | { readonly kind: 'moved'; readonly file: Blob; readonly name: string; readonly isSafe: boolean }
  | { readonly kind: 'erased' }

/** Witnesses refuse a timestamp that is further from their own clock. */
const CLOCK_OFF_MS = 120_000
/** A host whose relay does not answer is asked again after so long, then after twice as long, up to the most. */
const ASK_FIRST_MS = 2_000
const ASK_MOST_MS = 60_000
type WatchConditions = (changed: () => void) => ConditionsWatch

const OVER: ReadonlySet<string> = new Set(['done', 'failed', 'cancelled'])

/** What this browser keeps of its node: the identity that comes and goes, the page's own files, and the end of it all. */
export class Keeper {
  kept: Kept = { kind: 'here' }
  /** The node runs without a network: no relay answered when it started. It is asked for again and again. */
  isOffline = false
  /** How far this device's clock is off by the host's (ms), where that is too far for adverts and votes to be taken. */
  clockOff: number | undefined
  /** What the erasing, the change of versions or the way back to the network failed with. */
  failure: Failure | undefined
  readonly #init: KeeperInit
  readonly #load: () => Promise<KeeperModule>
  readonly #session: () => Session | undefined
  readonly #changed: () => void
  /** It ends the work, and waits for the own jobs, to change over to another version. */
  isUpdating = false
  /** The identity was closed here earlier, and nobody has said that its file is kept. */
  hasLeft = false
  #network = ''
  #endClock: (() => void) | undefined
  #onClock: (() => void) | undefined
  #endAsking: (() => void) | undefined
  #arriving: Uint8Array | undefined
  #apply: (() => void) | undefined

  constructor(
    init: KeeperInit & { readonly load: () => Promise<KeeperModule> },
    session: () => Session | undefined,
    changed: () => void
  ) {
    this.#init = init
    this.#load = init.load
    this.#session = session
    this.#changed = changed
  }

  /** The API as the session gets it: its nodes take up an identity that waits, and start offline too. */
  fit<Module extends KeeperModule>(load: () => Promise<Module>): () => Promise<Module> {
    return async () => {
      const module = await load()
      return { ...module, createSwarm: (init: CreateSwarmInit) => this.#create(module, init) }
    }
  }

  /** What the device tells, as the session gets it: a clock that is wrong, too. */
  fitWatch(watch: WatchConditions): WatchConditions {
    return (changed) => {
      const watched = watch(changed)
      this.#onClock = changed
      const isClockOff = () => this.clockOff !== undefined
      return {
        get now() {
          return { ...watched.now, clockOff: isClockOff() }
        },
        stop: () => watched.stop()
      }
    }
  }

  /** Another version of the page lies ready. */
  get hasUpdate(): boolean {
    return this.#apply !== undefined
  }

  /** Ends the work for others, waits for the own jobs, and changes over to the new version. */
  update(): Promise<void> {
    return this.#act(async () => {
      const swarm = this.#running()
      this.isUpdating = true
      this.#changed()
      try {
        await swarm?.finish()
        await Promise.allSettled(swarm?.jobs().map(({ result }) => result) ?? [])
        this.#apply?.()
      } finally {
        this.isUpdating = false
        this.#changed()
      }
    })
  }

  /** How many own jobs are not over. */
  get openJobs(): number {
    return (this.#running()?.jobs() ?? []).filter(({ state }) => !OVER.has(state)).length
  }

  /**
   * Closes the identity here, unless it was closed before, and keeps its file, sealed, until the page is left. It can be
   * made again in later visits, until `fileIsSafe` was called.
   *
   * @throws SwarmError while own jobs run
   */
  async moveAway(passphrase: string): Promise<void> {
    const swarm = this.#running()
    const { sealerOf, leftIdentity } = await this.#load()
    const seal = await sealerOf(passphrase) // first: it may fail
    if (swarm !== undefined) refuseJobs(swarm)
    const left = swarm
      ? { peer: swarm.peer, file: await swarm.exportIdentity() }
      : await leftIdentity(this.#network)
    if (left === undefined) return
    const file = new Blob([await seal(left.file)])
    this.kept = {
      kind: 'moved',
      file,
      name: `${left.peer.slice(-8)}-${this.#network}.identity`,
      isSafe: false
    }
    this.#changed()
  }

  /** Somebody has the file: this browser forgets what opens it. */
  async fileIsSafe(): Promise<void> {
    const { leftIdentity } = await this.#load()
    await (await leftIdentity(this.#network))?.forget()
    if (this.kept.kind === 'moved') this.kept = { ...this.kept, isSafe: true }
    this.#changed()
  }

  /** Erases the identity that is here, and starts with this one: `openIdentity` has looked at it. */
  async takeUp(identity: Uint8Array): Promise<void> {
    const swarm = this.#running()
    if (swarm !== undefined) refuseJobs(swarm)
    this.#arriving = identity
    await swarm?.stop()
    await this.#session()?.start()
  }

  /** Ends everything and erases all that this page keeps in this browser. */
  async erase(): Promise<void> {
    const session = this.#session()
    const swarm = this.#running()
    await swarm?.finish()
    await Promise.all(swarm?.jobs().map((job) => (OVER.has(job.state) ? undefined : job.cancel())) ?? [])
    await swarm?.stop()
    await session?.withdraw()
    try {
      await this.#eraseAll()
      this.kept = { kind: 'erased' }
    } catch (error) {
      this.failure = describeFailure(error)
    }
    this.#changed()
  }

  /** The consent is gone, and with it the page's copy. */
  forget(): void {
    this.#apply = undefined
    this.#endClock?.()
    this.#endAsking?.()
    this.#init.offline.drop().catch(() => {}) // where nothing can be kept nothing is there
  }

  /** The network is back, or may be: where a relay answers now the node starts anew, with it. */
  async online(): Promise<void> {
    if (this.isOffline) await this.#ask(0)
  }

  async #ask(tries: number): Promise<void> {
    this.#endAsking?.()
    const asking = this.#load().then(({ findRelays }) => findRelays(undefined, this.#network))
    const isThere = await asking.then(
      () => true,
      () => false
    )
    const session = this.#session()
    if (!this.isOffline || session?.phase.kind !== 'running') return
    if (!isThere) return this.#askLater(tries)
    const { swarm } = session.phase
    await this.#act(async () => {
      await swarm.stop()
      await session.start()
    })
  }

  #askLater(tries: number): void {
    const { after = onTimeout } = this.#init
    this.#endAsking?.()
    this.#endAsking = after(Math.min(ASK_MOST_MS, ASK_FIRST_MS * 2 ** tries), () => void this.#ask(tries + 1))
  }

  /** What nobody waits for: its failure is shown. */
  async #act(act: () => Promise<void>): Promise<void> {
    this.failure = undefined
    try {
      await act()
    } catch (error) {
      this.failure = describeFailure(error)
      this.#changed()
    }
  }

  async #create(module: KeeperModule, init: CreateSwarmInit): Promise<SwarmCore> {
    const identity = this.#arriving
    this.#arriving = undefined
    this.hasLeft = false
    this.#network = init.network ?? module.defaultNetwork()
    if (identity !== undefined) await this.#init.data.eraseNode(this.#network)
    const whole = identity === undefined ? init : { ...init, identity }
    try {
      this.isOffline = false
      return await module.createSwarm(whole)
    } catch (error) {
      if (codeOf(error) === 'MOVED') this.hasLeft = (await module.leftIdentity(this.#network)) !== undefined
      if (codeOf(error) !== 'NO_RELAY') throw error
      const swarm = await module.createSwarm({ ...whole, relays: [] })
      this.isOffline = true
      this.#askLater(0)
      return swarm
    } finally {
      this.#keepCopy()
      this.#endClock?.()
      this.#endClock = watchClock({
        hostTime: this.#init.hostTime,
        onCompared: (off) => {
          this.clockOff = off > CLOCK_OFF_MS ? off : undefined
          this.#onClock?.()
          this.#changed()
        }
      })
    }
  }

  async #eraseAll(): Promise<void> {
    const release = await takeLock(this.#init.locks)
    if (release === undefined) throw new PageError(texts.elsewhere.title)
    try {
      await this.#init.data.eraseAll()
    } finally {
      release()
    }
  }

  #keepCopy(): void {
    if (this.#session()?.remembered !== true) return
    this.#init.offline.keep((apply) => {
      this.#apply = apply
      this.#changed()
    })
  }

  #running(): SwarmCore | undefined {
    const phase = this.#session()?.phase
    return phase?.kind === 'running' ? phase.swarm : undefined
  }
}

function refuseJobs(swarm: SwarmCore): void {
  if (swarm.jobs().some(({ state }) => !OVER.has(state))) throw new PageError(texts.identity.busy)
}

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? error.code : undefined)

function onTimeout(ms: number, act: () => void): () => void {
  const timer = setTimeout(act, ms)
  return () => clearTimeout(timer)
}
