import type { CreateSwarmInit, SwarmCore } from '../api.ts'
import type { BrowserData } from './browser-data.ts'
import { describeFailure, type Failure, PageError } from './failure.ts'
import { takeLock } from './lock.ts'
import type { OfflineCopy } from './offline-copy.ts'
import type { Session } from './session.ts'
import { texts } from './texts/index.ts'

export interface KeeperInit {
  readonly data: BrowserData
  readonly offline: OfflineCopy
  readonly isOnline: () => boolean
  /** By the clock of the host that the page came from, in ms since 1970; undefined: it does not say. */
  readonly hostTime: () => Promise<number | undefined>
  readonly locks: LockManager
}

/** What of the public API it needs; loaded after consent. */
export interface KeeperModule {
  createSwarm(init: CreateSwarmInit): Promise<SwarmCore>
  /** `local` or `main`, by the page's address. */
  defaultNetwork(): 'local' | 'main'
  sealerOf(passphrase: string): Promise<(file: Uint8Array) => Promise<Uint8Array<ArrayBuffer>>>
}

export type Kept =
  | { readonly kind: 'here' }
  /** The identity has left this browser: its one file, which nothing else keeps. */
  | { readonly kind: 'moved'; readonly file: Blob; readonly name: string }
  | { readonly kind: 'erased' }

/** Witnesses refuse a timestamp that is further from their own clock. */
const CLOCK_OFF_MS = 120_000
const OVER: ReadonlySet<string> = new Set(['done', 'failed', 'cancelled'])

/** What this browser keeps of its node: the identity that comes and goes, the page's own files, and the end of it all. */
export class Keeper {
  kept: Kept = { kind: 'here' }
  /** The node runs without a network: it was started offline. */
  isOffline = false
  /** How far this device's clock is off by the host's (ms), where that is too far for adverts and votes to be taken. */
  clockOff: number | undefined
  /** What the erasing failed with, when the page shows no node any more. */
  failure: Failure | undefined
  readonly #init: KeeperInit
  readonly #load: () => Promise<KeeperModule>
  readonly #session: () => Session | undefined
  readonly #changed: () => void
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

  /** Another version of the page lies ready. */
  get hasUpdate(): boolean {
    return this.#apply !== undefined
  }

  /** Ends the work for others, waits for the own jobs, and changes over to the new version. */
  async update(): Promise<void> {
    const swarm = this.#running()
    await swarm?.finish()
    await Promise.allSettled(swarm?.jobs().map(({ result }) => result) ?? [])
    this.#apply?.()
  }

  /**
   * Closes the identity here and keeps its file, sealed, until the page is left.
   *
   * @throws SwarmError while own jobs run
   */
  async moveAway(passphrase: string): Promise<void> {
    const swarm = this.#running()
    if (swarm === undefined) return
    refuseJobs(swarm)
    const { sealerOf } = await this.#load()
    const seal = await sealerOf(passphrase) // first: afterwards the file is all that is left
    const { peer, status } = swarm
    const file = new Blob([await seal(await swarm.exportIdentity())])
    this.kept = { kind: 'moved', file, name: `${peer.slice(-8)}-${status.network}.identity` }
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
    this.#init.offline.drop().catch(() => {}) // where nothing can be kept nothing is there
  }

  /** The network is back. */
  async online(): Promise<void> {
    const session = this.#session()
    if (!this.isOffline || session?.phase.kind !== 'running') return
    await session.phase.swarm.stop()
    await session.start()
  }

  async #create(module: KeeperModule, init: CreateSwarmInit): Promise<SwarmCore> {
    const identity = this.#arriving
    this.#arriving = undefined
    if (identity !== undefined) await this.#init.data.eraseNode(init.network ?? module.defaultNetwork())
    const whole = identity === undefined ? init : { ...init, identity }
    try {
      this.isOffline = false
      return await module.createSwarm(whole)
    } catch (error) {
      if (this.#init.isOnline() || !isNoRelay(error)) throw error
      this.isOffline = true
      return await module.createSwarm({ ...whole, relays: [] })
    } finally {
      this.#keepCopy()
      void this.#compareClocks()
    }
  }

  async #compareClocks(): Promise<void> {
    const theirs = await this.#init.hostTime().catch(() => undefined) // offline
    const off = theirs === undefined ? 0 : Math.abs(theirs - Date.now())
    this.clockOff = off > CLOCK_OFF_MS ? off : undefined
    this.#changed()
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

const isNoRelay = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'NO_RELAY'
