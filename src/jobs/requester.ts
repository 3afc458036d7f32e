import type { SubmitOptions } from '../api.ts'
import type { Engine } from '../compute/index.ts'
import { isProbeSize, type Ledger } from '../credit/index.ts'
import type { SwarmNode, Ticker } from '../net/index.ts'
import type { SwarmRegistry } from '../registry/index.ts'
import type { SwarmRouter } from '../router/index.ts'
import { type Assembler, kernelHash, type Plan, type Skill, type UnitSpec } from '../skills/index.ts'
import type { MicroCredits, Network, PeerIdString } from '../wire/index.ts'
import * as constants from './constants.ts'
import { type Begun, JobDesk } from './desk.ts'
import { Exclusions } from './exclusions.ts'
import { type Hired, Hiring } from './hiring.ts'
import { JobHandle } from './job.ts'
import type { JobContext, PieceReader } from './job-context.ts'
import { KnownAnswers } from './known-answers.ts'
import { checkOptions } from './options.ts'
import { Outlay } from './outlay.ts'
import { untilRoom } from './output-flow.ts'
import { hashPlan } from './plan.ts'
import { priceAt, priceOf, RATE_DEFAULT } from './price.ts'
import type { ReceiptBook } from './receipt-book.ts'
import { reinforce } from './reinforcements.ts'
import { Round } from './round.ts'
import { type Place, Subtasks } from './subtasks.ts'
import { pastReseating } from './waiting.ts'

export interface RequesterInit {
  readonly node: SwarmNode
  readonly network: Network
  readonly registry: SwarmRegistry
  readonly router: SwarmRouter
  readonly ledger: Ledger
  /** Checks results; started with the first job. */
  readonly engine: () => Promise<Engine>
  readonly ticker: Ticker
  readonly now: () => number
  /** A unit of this node's own was checked and found right: its worker, and what it cost. @default nobody listens */
  readonly onChecked?: (worker: PeerIdString, cost: MicroCredits) => void
  /** What jobs hire others. @default of this part's jobs alone */
  readonly subtasks?: Subtasks
  /** In [0, 1). @default Math.random */
  readonly random?: (() => number) | undefined
}

/** What a caller of this part may hang on to a job. */
export interface JobHooks {
  /** Before anything is paid, with the job's id: the job waits, and fails if this does. */
  readonly begin?: (id: string) => Promise<void>
  /** Takes each verified unit in the place of the output, of which nothing is put together then. */
  readonly reader?: PieceReader | undefined
}

interface Submission {
  readonly options: SubmitOptions
  readonly signal: AbortSignal
  readonly place: Place
}

/** The paying side: walks a job from plan to settled receipt. */
export class Requester {
  private readonly init: RequesterInit
  private readonly desk: JobDesk
  private readonly known = new KnownAnswers()

  constructor(init: RequesterInit) {
    this.init = init
    this.desk = new JobDesk(init.subtasks ?? new Subtasks())
  }

  /**
   * Plans and prices at once, runs by itself.
   *
   * @throws SkillError for a bad input, JobError `BAD_OPTION`, `BUDGET_TOO_SMALL` or `STOPPED`
   */
  submit<Input, Output>(
    skill: Skill<Input, Output>,
    input: Input,
    options: SubmitOptions = {},
    hooks: JobHooks = {}
  ): JobHandle<Output> {
    checkOptions(options)
    this.desk.refuseIfStopped()
    const plan = skill.plan(input, options.units === undefined ? {} : { units: options.units })
    return this.begin(skill, plan, options, hooks)
  }

  /**
   * A canary of one unit at one provider: a unit of an earlier job that it has not computed, which it cannot tell from
   * work; where there is none the skill's sample of a random seed, which nobody has computed.
   *
   * @throws as `submit`
   */
  probe(skill: Skill, provider: PeerIdString): JobHandle<unknown> {
    const { network, random = Math.random } = this.init
    const options = { units: 1, providers: [provider] }
    const isSmall = ({ cost }: UnitSpec) => isProbeSize(priceAt(cost, RATE_DEFAULT), network.parameters)
    const past = this.known.take(skill.manifest.name, { partRefs: [] }, provider, random(), isSmall)
    if (past === undefined) {
      const input = skill.sample?.(Math.floor(random() * 2 ** 32)) ?? skill.example()
      return this.submit(skill, input, options)
    }
    this.desk.refuseIfStopped()
    const plan = {
      parts: [],
      units: [past.spec],
      assembler: () => ({ accept() {}, finish: () => undefined })
    }
    return this.begin(skill, plan, options, {}) // nobody wants the output
  }

  private begin<Input, Output>(
    skill: Skill<Input, Output>,
    plan: Plan<Output>,
    options: SubmitOptions,
    hooks: JobHooks
  ): JobHandle<Output> {
    const copies = typeof options.redundancy === 'number' ? options.redundancy : undefined
    return this.desk.begin<Output, JobHandle<Output>>({
      skill: skill.manifest.name,
      price: priceOf(plan.units, options.rate ?? RATE_DEFAULT) * BigInt(copies ?? 1),
      units: plan.units.length,
      options,
      split: 'units',
      handle: (id, name, cancel) => new JobHandle(id, name, cancel),
      work: (begun) => this.work(skill, plan, { copies, options, hooks }, begun)
    })
  }

  /** Cancels all jobs and waits until their books are closed. */
  stop(): Promise<void> {
    return this.desk.stop()
  }

  private async work<Input, Output>(
    skill: Skill<Input, Output>,
    plan: Plan<Output>,
    { copies, options, hooks }: { copies: number | undefined; options: SubmitOptions; hooks: JobHooks },
    { jobId, handle, book, place, budget, signal }: Begun<JobHandle<Output>>
  ): Promise<() => Output> {
    const [hashed, kernel, engine] = await Promise.all([
      hashPlan(plan),
      kernelHash(skill),
      this.init.engine(),
      hooks.begin?.(handle.id)
    ])
    const { reader } = hooks
    const assembler = reader === undefined ? plan.assembler() : handOver(plan, reader)
    handle.watch(assembler.soFar?.bind(assembler))
    const total = plan.units.length
    const job: JobContext = {
      jobId,
      // rounds see bytes only: plan and assembler keep the types together
      skill: skill as unknown as Skill,
      kernel,
      plan: hashed,
      engine,
      ledger: this.init.ledger,
      router: this.init.router,
      copies,
      reader,
      missing: new Set(plan.units.keys()),
      attempts: new Map(),
      excluded: new Exclusions(this.init.now),
      resultHashes: new Map(),
      outlay: new Outlay({ units: plan.units, rate: options.rate ?? RATE_DEFAULT, budget }),
      known: this.known,
      random: this.init.random ?? Math.random,
      onAssigned: (unit, dispatch) => {
        handle.note(unit, dispatch)
        handle.emit({ type: 'assigned', unit, provider: dispatch.provider })
      },
      onVerified: (unit, provider, result) => {
        assembler.accept(unit, result)
        this.init.onChecked?.(provider, plan.units[unit]?.cost ?? 0n)
        handle.emit({ type: 'verified', unit, provider })
      },
      onLoad: (peer, load) => this.init.registry.learnLoad(peer, load),
      onRetried: (unit, provider, reason) => handle.emit({ type: 'retried', unit, provider, reason }),
      onProgress: (partlyDone) =>
        handle.emit({ type: 'progress', done: total - job.missing.size + partlyDone, of: total })
    }
    while (job.missing.size > 0) {
      await untilRoom(job, signal)
      await this.runRound(handle, job, { options, signal, place }, book)
    }
    return () => assembler.finish()
  }

  /** Providers found, an escrow opened, worked off, settled. Whatever is still missing goes into the next round. */
  private async runRound(
    handle: Pick<JobHandle<unknown>, 'enter' | 'emit'>,
    job: JobContext,
    { options, signal, place }: Submission,
    book: ReceiptBook
  ): Promise<void> {
    const log = (format: string, ...details: unknown[]) => this.log(format, ...details)
    const onHired = handle.emit.bind(handle)
    const hiring = new Hiring({ parts: this.init, job, options, onHired, log, place })
    const wanted = () => wantedOf(options, job)
    const peers = await hiring.find({
      count: wanted(),
      excluded: job.excluded,
      waitMs: options.providerWaitMs ?? constants.PROVIDER_WAIT_DEFAULT,
      pauseMs: constants.SEARCH_INTERVAL,
      signal
    })
    const limit = job.outlay.left(0n)
    const first = await hiring.open(peers, { units: [...job.missing], limit, isPartial: false, signal })
    if (first === undefined) {
      return // those that did not answer are excluded now: look again
    }
    handle.enter('running')
    const round = new Round(job)
    const hired = [first]
    round.hire(first.contract.escrow, first.channels)
    const over = new AbortController()
    const reinforcing = reinforce({
      job,
      round,
      hiring,
      wanted,
      log,
      onHired: (more) => hired.push(more),
      signal: AbortSignal.any([signal, over.signal])
    })
    try {
      await round.run(signal)
    } finally {
      over.abort()
      await reinforcing
      handle.enter('settling')
      await this.settle(round, hired, book)
      job.outlay.settled = book.paid
    }
  }

  /** Every escrow of the round, even if one of them cannot be settled now. */
  private async settle(round: Round, hired: readonly Hired[], book: ReceiptBook): Promise<void> {
    const failures: unknown[] = []
    for (const { escrow, channels, groups, seed, releases } of await round.close()) {
      const contract = hired.find((each) => each.contract.escrow.equals(escrow))?.contract
      try {
        const settlement = await pastReseating(() =>
          this.init.ledger.settle(escrow, groups, { seed, releases })
        )
        if (contract !== undefined) {
          book.add(contract, settlement, channels)
        }
      } catch (error) {
        failures.push(error)
      }
    }
    await round.hangUp()
    if (failures.length > 0) {
      throw failures[0]
    }
  }

  private log(format: string, ...details: unknown[]): void {
    this.init.node.logger.forComponent('swarmharness:jobs')(format, ...details)
  }
}

/** As many providers as the job may have now. */
function wantedOf({ maxProviders, providers }: SubmitOptions, { copies = 1, missing }: JobContext): number {
  return Math.min(
    maxProviders ?? Math.max(constants.PROVIDERS_DEFAULT, copies),
    providers?.length ?? Number.POSITIVE_INFINITY,
    Math.max(missing.size, copies)
  )
}

/** In the place of an assembler: nothing is put together. */
function handOver<Output>({ units }: Plan<Output>, reader: PieceReader): Assembler<Output> {
  return {
    accept: (unit, bytes) => {
      const { params = [], place = {} }: Partial<UnitSpec> = units[unit] ?? {}
      reader.accept({ unit, of: units.length, place, params, bytes })
    },
    finish: () => undefined as Output // who takes the pieces is told of no output
  }
}
