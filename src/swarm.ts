import { type PrivateKey, TypedEventEmitter } from '@libp2p/interface'
import type {
  ContributeOptions,
  CreateSwarmInit,
  Job,
  JobQuote,
  LedgerExport,
  LedgerExportOptions,
  PauseReason,
  PeerInfo,
  PipelineJob,
  PipelineOptions,
  QuoteOptions,
  SubmitOptions,
  SwarmCore,
  SwarmEvents,
  SwarmState,
  SwarmStatus,
  UnitPicture
} from './api.ts'
import {
  checkObject,
  JobError,
  type JobHooks,
  namedAbort,
  Pipelines,
  Provider,
  Quoter,
  Requester,
  type StageOrder,
  Subtasks
} from './jobs/index.ts'
import { type RelayWatchdog, ticker, watchRelays } from './net/index.ts'
import { Specialism, type SwarmRouter } from './router/index.ts'
import { skillIn } from './skills/index.ts'
import type { Table } from './store/index.ts'
import { breathe } from './swarm/breathe.ts'
import { connectedPeers, stateOf } from './swarm/connected-peers.ts'
import { checkContribution } from './swarm/contribution.ts'
import { endAll } from './swarm/end-all.ts'
import { Engines } from './swarm/engines.ts'
import type { Fittings } from './swarm/fittings.ts'
import { keepWarm } from './swarm/keep-warm.ts'
import { Lookout } from './swarm/lookout.ts'
import { offeredSkills, skillList } from './swarm/offered-skills.ts'
import { OwnJobs } from './swarm/own-jobs.ts'
import { endParts, openParts, type Parts } from './swarm/parts.ts'
import { Prober } from './swarm/prober.ts'
import { RouterMemory } from './swarm/router-memory.ts'
import { tuningMemory } from './swarm/tuning-memory.ts'
import type { PeerIdString } from './wire/index.ts'

/** At most ten change events a second. */
const CHANGE_INTERVAL_MS = 100
/** How long `stop` lets open jobs close their books: withdrawal must stop everything within 500 ms. */
const STOP_GRACE_MS = 250

/** Builds a node and starts it: the composition root. */
export async function startSwarm(init: CreateSwarmInit = {}, fittings: Fittings = {}): Promise<RunningSwarm> {
  const { signal } = init
  const { parts, key } = await openParts(init, fittings).catch((error) => {
    throw namedAbort(error, signal, 'The start')
  })
  const { node } = parts
  let started: RunningSwarm | undefined
  try {
    await breathe()
    const swarm = new RunningSwarm(parts, key)
    await swarm.start()
    started = swarm
    await fittings.onNode?.(node)
    signal?.throwIfAborted()
    const note = (error: unknown) =>
      node.logger.forComponent('swarmharness:swarm')('not all closed - %e', error)
    signal?.addEventListener('abort', () => swarm.stop().catch(note), { once: true })
    return swarm
  } catch (error) {
    await (started?.stop() ?? endParts(parts)).catch(() => {}) // what went wrong first is what is told
    throw namedAbort(error, signal, 'The start')
  }
}

/** A node, and what the library on top of it needs besides. */
export class RunningSwarm extends TypedEventEmitter<SwarmEvents> implements SwarmCore {
  readonly peer: PeerIdString
  readonly skills: SwarmCore['skills']
  readonly router: SwarmRouter
  private readonly memory: RouterMemory
  private readonly parts: Parts
  private readonly provider: Provider
  private readonly requester: Requester
  private readonly pipelines: Pipelines
  private readonly quoter: Quoter
  private readonly ownJobs: OwnJobs
  private readonly startedAt = Date.now()
  private watchdog: RelayWatchdog | undefined
  private readonly engines: Engines
  private device: SwarmStatus['device']
  private balance = { settled: 0n, verified: 0n, pending: 0n, escrowed: 0n }
  private contributing = false
  /** Why it does not contribute, while it does not. */
  private idle: PauseReason = 'not-contributing'
  private power = 1
  private stopping: Promise<void> | undefined
  private readonly lookout: Lookout
  private readonly prober: Prober
  private readonly specialism: Specialism
  private changeTimer: ReturnType<typeof setTimeout> | undefined

  constructor(parts: Parts, key: PrivateKey) {
    super()
    this.parts = parts
    const { node, network, ledger, router, priorities, skills } = parts
    this.specialism = new Specialism(skills.keys())
    this.peer = ledger.peer
    this.router = router
    this.engines = new Engines({ create: parts.fittings.createEngine, worker: parts.init.worker, skills })
    const meta = parts.store.table('meta')
    this.memory = new RouterMemory(meta, router, this.specialism)
    this.skills = skillList(skills)
    this.provider = new Provider({
      node,
      network,
      key,
      ledger,
      skills,
      ticker,
      kept: meta,
      weightOf: (payer, escrow) => priorities.weightOf(payer, escrow),
      promises: priorities,
      onComputed: (skill) => this.specialism.performed(skill),
      onChange: () => this.changed()
    })
    const { registry } = node.services
    this.lookout = new Lookout({ registry, skills: [...skills.keys()], onFound: () => this.changed() })
    this.prober = this.newProber(meta)
    this.quoter = new Quoter({ registry, router, engine: () => this.engines.check() })
    const hiring = {
      subtasks: new Subtasks(),
      node,
      network,
      registry,
      router,
      ledger,
      engine: () => this.engines.check(),
      ticker,
      now: Date.now,
      onChecked: (worker: PeerIdString, cost: bigint) => this.owe(worker, cost)
    }
    this.requester = new Requester(hiring)
    this.pipelines = new Pipelines({ ...hiring, key, random: parts.fittings.random })
    this.ownJobs = new OwnJobs({
      onEvent: () => this.changed(),
      onEnd: () => {
        this.changed()
        this.memory.touch()
      }
    })
  }

  async start(): Promise<void> {
    const { node, ledger, relays } = this.parts
    this.watchdog = watchRelays(node, relays) // first: the dial takes longest
    await Promise.all([ledger.start(), this.memory.load(), this.parts.priorities.load()])
    await this.provider.start()
    await this.prober.start()
    for (const event of ['connection:open', 'connection:close', 'self:peer:update'] as const) {
      node.addEventListener(event, () => this.changed())
    }
    node.services.registry.addEventListener('advert', () => this.changed())
    ledger.onChange(() => this.changed())
    void this.lookout.start()
    this.balance = await this.readBalance()
  }

  get status(): SwarmStatus {
    const { units, running, verifiedUnits, busyMs } = this.provider.served
    return {
      peer: this.peer,
      network: this.parts.network.parameters.name,
      state: this.state,
      contributing: this.contributing,
      paused: this.contributing ? undefined : this.idle,
      power: this.power,
      device: this.device,
      peers: this.peers(),
      balance: this.balance,
      work: { units, running, verifiedUnits, busyMs, now: this.provider.now }
    }
  }

  lastPicture(): UnitPicture | undefined {
    return this.provider.picture
  }

  submit<Output = unknown>(skill: string, input: unknown, options: SubmitOptions = {}): Job<Output> {
    return this.hire(skill, input, options, {})
  }

  hire<Output>(skill: string, input: unknown, options: SubmitOptions, hooks: JobHooks): Job<Output> {
    const found = skillIn(this.parts.skills, skill)
    // the skill is known by name only here: its output type is the caller's word
    return this.ownJobs.add(this.requester.submit(found, input, options, hooks)) as Job<Output>
  }

  /** @param stages skills by name */
  pipeline(
    stages: ReadonlyArray<Omit<StageOrder, 'skill'> & { readonly skill: string }>,
    options: PipelineOptions,
    hooks: JobHooks
  ): PipelineJob {
    const orders = stages.map((stage) => ({ ...stage, skill: skillIn(this.parts.skills, stage.skill) }))
    return this.ownJobs.add(this.pipelines.submit(orders, options, hooks))
  }

  async quote(skill: string, input: unknown, options?: QuoteOptions): Promise<JobQuote> {
    this.refuseIfStopped()
    return this.quoter.quote(skillIn(this.parts.skills, skill), input, options)
  }

  jobs(): readonly Job[] {
    return this.ownJobs.list()
  }

  async contribute(options: ContributeOptions = {}): Promise<void> {
    this.refuseIfStopped()
    const { power, rate, strangers, served } = checkContribution(this.parts.skills, options)
    const { init, node } = this.parts
    this.power = power
    this.contributing = true
    this.provider.resume() // before anything is awaited: a finish would pause meanwhile
    const { backend, workers, profile = 'page' } = init
    const tuning = tuningMemory(this.parts.store.table('meta'))
    const starting = this.engines.serve({ backend, workers, power, tuning, profile })
    const [engine, skills] = await Promise.all([
      starting.catch((error) => this.noEngine(error)),
      offeredSkills(rate, served)
    ])
    engine.setPower(power)
    if (!this.contributing) {
      return // paused while the device started
    }
    this.device = engine.device
    this.provider.contribute(engine, { rate, strangers, serves: (skill) => served.has(skill) })
    void keepWarm(engine, this.specialism.order(skills))
    node.services.registry.offer(() => ({
      skills: this.specialism.order(skills),
      device: engine.device,
      load: this.provider.load,
      uptime: Math.floor((Date.now() - this.startedAt) / 1_000)
    }))
    this.changed()
  }

  async pause(): Promise<void> {
    this.contributing = false
    this.idle = 'paused'
    this.parts.node.services.registry.withdraw()
    this.provider.pause()
    this.changed()
  }

  async finish(): Promise<void> {
    this.parts.node.services.registry.withdraw()
    if (await this.provider.finish()) {
      await this.pause()
    }
  }

  async exportLedger(options: LedgerExportOptions = {}): Promise<LedgerExport> {
    checkObject(options)
    return this.parts.ledger.exportLedger(options)
  }

  async exportIdentity(): Promise<Uint8Array> {
    this.refuseIfStopped()
    const file = await this.parts.ledger.moveAway()
    await this.stop().catch(() => {}) // the chain is closed: without the file nobody could open it again
    return file
  }

  stop(): Promise<void> {
    this.stopping ??= this.stopAll()
    return this.stopping
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  private async stopAll(): Promise<void> {
    const { node, ledger, signatures, store, fittings } = this.parts
    this.contributing = false
    const quiet = async () => {
      await Promise.all([this.requester.stop(), this.pipelines.stop()])
      await fittings.onQuiet?.()
    }
    try {
      await endAll([
        () => node.services.registry.withdraw(),
        () => this.provider.pause('stopped'),
        () => Promise.race([quiet(), new Promise((resolve) => setTimeout(resolve, STOP_GRACE_MS))]),
        () => this.watchdog?.stop(),
        () => this.lookout.stop(),
        () => this.prober.stop(),
        () => this.engines.close(),
        () => this.provider.stop(),
        () => signatures.close(),
        () => ledger.stop(),
        () => node.stop(),
        () => this.memory.save(),
        () => store.close()
      ])
    } finally {
      clearTimeout(this.changeTimer)
      this.safeDispatchEvent('change', { detail: this.status })
    }
  }

  private newProber(meta: Table): Prober {
    const { network, node, priorities, skills } = this.parts
    return new Prober({
      meta,
      network: network.parameters,
      skills: [...skills.values()],
      isIdle: () => this.contributing && this.provider.served.running === 0,
      providersOf: (skill) =>
        this.peers()
          .filter(({ skills }) => skills.includes(skill))
          .map(({ peer }) => ({ peer, work: priorities.edges.get(peer)?.work ?? 0n })),
      hire: (skill, provider) => this.ownJobs.add(this.requester.probe(skill, provider)).result,
      now: Date.now,
      random: Math.random,
      log: (message, error) => node.logger.forComponent('swarmharness:swarm')(`${message} - %e`, error)
    })
  }

  private noEngine(error: unknown): never {
    this.contributing = false
    this.provider.pause()
    this.changed()
    throw error
  }

  private refuseIfStopped(): void {
    if (this.stopping !== undefined) {
      throw new JobError('STOPPED', 'This node has stopped: create a new swarm.')
    }
  }

  private get state(): SwarmState {
    if (this.stopping !== undefined) {
      return 'stopped'
    }
    return stateOf(this.peers(), this.watchdog?.reserved ?? 0, this.parts.relays.length)
  }

  private peers(): PeerInfo[] {
    return connectedPeers(this.parts.node, this.parts.relays)
  }

  /** Work for this node's own jobs: what it owes the worker from now on. */
  private owe(worker: PeerIdString, cost: bigint): void {
    const { node, priorities } = this.parts
    priorities
      .learnEdge(worker, { cost, inputBy: 'self', verdict: 'verified' })
      .catch((error) => node.logger.forComponent('swarmharness:swarm')('an edge was not kept - %e', error))
  }

  private async readBalance(): Promise<SwarmStatus['balance']> {
    const balance = await this.parts.ledger.balance()
    return { ...balance, pending: this.provider.served.pending }
  }

  private changed(): void {
    if (this.changeTimer !== undefined || this.stopping !== undefined) {
      return
    }
    this.changeTimer = setTimeout(() => {
      this.readBalance()
        .then((balance) => {
          this.balance = balance
        })
        .catch((error) => this.parts.node.logger.forComponent('swarmharness:swarm')('no balance - %e', error))
        .then(() => {
          this.changeTimer = undefined
          this.safeDispatchEvent('change', { detail: this.status })
        })
    }, CHANGE_INTERVAL_MS)
  }
}
