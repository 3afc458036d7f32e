import type { PrivateKey } from '@libp2p/interface'
import type { PipelineJob, PipelineOptions } from '../../api.ts'
import type { Channel as Share } from '../../credit/index.ts'
import type { ChainAssembler } from '../../skills/index.ts'
import type { MicroCredits, PeerIdString } from '../../wire/index.ts'
import { allocate } from '../allocate.ts'
import * as constants from '../constants.ts'
import { type Begun, JobDesk } from '../desk.ts'
import { JobError } from '../errors.ts'
import { Exclusions } from '../exclusions.ts'
import { Hiring } from '../hiring.ts'
import { JobHandle } from '../job.ts'
import { checkOptions } from '../options.ts'
import { min, RATE_DEFAULT } from '../price.ts'
import { pullParts } from '../pull.ts'
import type { JobHooks, RequesterInit } from '../requester.ts'
import { Subtasks } from '../subtasks.ts'
import { pastReseating, paused } from '../waiting.ts'
import { assignCrews } from './crews.ts'
import { Inspector } from './inspector.ts'
import {
  type HashedPipeline,
  hashPipeline,
  type PipelinePlan,
  planPipeline,
  type StageOrder
} from './plan.ts'
import { PipelineRound } from './round.ts'
import { Terms } from './terms.ts'

export interface PipelinesInit extends RequesterInit {
  /** Signs leave to fetch parts. */
  readonly key: PrivateKey
}

interface Run extends Begun<PipelineHandle> {
  readonly plan: HashedPipeline
  readonly options: PipelineOptions
  readonly excluded: Exclusions
  readonly missing: Set<number>
  readonly attempts: Map<number, number>
  readonly assembler: ChainAssembler<unknown>
}

/** A pipeline as its requester holds it. */
export class PipelineHandle extends JobHandle<unknown> implements PipelineJob {
  pulledBytes = 0
}

/** The paying side of pipelines: from plan to settled receipt. */
export class Pipelines {
  private readonly init: PipelinesInit
  private readonly desk: JobDesk

  constructor(init: PipelinesInit) {
    this.init = init
    this.desk = new JobDesk(init.subtasks ?? new Subtasks())
  }

  /**
   * Plans and prices at once, runs by itself.
   *
   * @throws SkillError `BAD_INPUT`, JobError `BAD_OPTION`, `BUDGET_TOO_SMALL` or `STOPPED`
   */
  submit(orders: readonly StageOrder[], options: PipelineOptions = {}, hooks: JobHooks = {}): PipelineHandle {
    checkOptions(options)
    if ('redundancy' in options && options.redundancy !== undefined) {
      throw new JobError('BAD_OPTION', 'A pipeline takes no redundancy: each stage checks the one before.')
    }
    this.desk.refuseIfStopped()
    const plan = planPipeline(orders, options.rate ?? RATE_DEFAULT, options.units)
    return this.desk.begin<unknown, PipelineHandle>({
      skill: plan.stages.map(({ skill }) => skill.manifest.name).join('+'),
      price: plan.price,
      units: plan.lanes.length * plan.stages.length,
      options,
      split: 'pipeline',
      handle: (id, name, cancel) => new PipelineHandle(id, name, cancel),
      work: (begun) => this.work(plan, options, hooks, begun)
    })
  }

  /** Cancels all and waits until their books are closed. */
  stop(): Promise<void> {
    return this.desk.stop()
  }

  private async work(
    plan: PipelinePlan,
    options: PipelineOptions,
    hooks: JobHooks,
    begun: Begun<PipelineHandle>
  ): Promise<() => unknown> {
    const [hashed] = await Promise.all([hashPipeline(plan), hooks.begin?.(begun.handle.id)])
    const run: Run = {
      ...begun,
      options,
      plan: hashed,
      excluded: new Exclusions(this.init.now),
      missing: new Set(plan.lanes.keys()),
      attempts: new Map(),
      assembler: plan.assembler()
    }
    while (run.missing.size > 0) {
      await this.runRound(run)
    }
    return () => run.assembler.finish()
  }

  /** Providers for each stage, one escrow for all of them, worked off, settled. */
  private async runRound(run: Run): Promise<void> {
    const { plan, signal, missing, budget, book } = run
    const hirings = plan.stages.map((stage) => this.hiring(run, stage))
    const crews = await this.findCrews(run, hirings)
    const { settled } = await this.init.ledger.balance()
    const channels = shareOut(plan, [...missing], crews, min(budget - book.paid, settled))
    const contract = await hirings[0]?.contract(channels, signal)
    if (contract === undefined) {
      return // those that did not answer are excluded now: look again
    }
    const round = this.round(run)
    const hired = hirings.map((hiring, stage) => hiring.channelsOf(contract, signal, crews[stage]))
    run.handle.enter('running')
    round.hire(hired)
    try {
      await round.run(signal)
    } finally {
      run.handle.enter('settling')
      const { lanes, seed, releases } = await round.close()
      const settlement = await pastReseating(() =>
        this.init.ledger.settle(contract.escrow, [], { lanes, seed, releases })
      )
      book.add(contract, settlement, hired.flat())
      await round.hangUp()
    }
  }

  private hiring(
    { jobId, options, excluded, handle, place }: Run,
    stage: HashedPipeline['stages'][number]
  ): Hiring {
    const { skill, kernel, plan } = stage
    const outlay = { rate: options.rate ?? RATE_DEFAULT }
    const job = { jobId, skill, kernel, plan, outlay, excluded }
    const log = (format: string, ...details: unknown[]) =>
      this.init.node.logger.forComponent('swarmharness:pipelines')(format, ...details)
    return new Hiring({ parts: this.init, job, options, onHired: handle.emit.bind(handle), log, place })
  }

  /**
   * Waits until each stage has somebody of its own.
   *
   * @throws JobError `NO_PROVIDER`, or the signal's reason
   */
  private async findCrews(
    { plan, options, excluded, signal }: Run,
    hirings: readonly Hiring[]
  ): Promise<PeerIdString[][]> {
    const stages = plan.stages.length
    const wanted = Math.max(stages, options.maxProviders ?? Math.max(constants.PROVIDERS_DEFAULT, stages))
    const waitMs = options.providerWaitMs ?? constants.PROVIDER_WAIT_DEFAULT
    const until = this.init.now() + waitMs
    const shares = plan.stages.map((_, stage) =>
      plan.lanes.reduce((sum, { prices }) => sum + Number(prices[stage] ?? 0n), 0)
    )
    for (;;) {
      const left = Math.max(1, until - this.init.now())
      const found = await Promise.all(
        hirings.map((hiring) =>
          hiring.find({ count: wanted, excluded, waitMs: left, pauseMs: constants.SEARCH_INTERVAL, signal })
        )
      )
      const crews = assignCrews(found, wanted, shares)
      if (crews !== undefined) {
        return crews
      }
      if (this.init.now() >= until) {
        const message = `A pipeline of ${stages} stages needs as many providers, each with its stage's skill; within ${waitMs} ms there were not.`
        throw new JobError('NO_PROVIDER', message, { retryable: true, details: { stages, waitedMs: waitMs } })
      }
      await paused(constants.SEARCH_INTERVAL, signal)
    }
  }

  private round({ plan, jobId, excluded, missing, attempts, handle, assembler }: Run): PipelineRound {
    const { init } = this
    const { key, network, ledger, router, registry } = init
    const terms = new Terms({ plan, key, network, self: ledger.peer, now: init.now })
    const total = plan.lanes.length
    const never = new AbortController().signal
    return new PipelineRound({
      jobId,
      plan,
      ledger,
      router,
      terms,
      inspector: new Inspector({
        plan,
        terms,
        engine: init.engine,
        pull: (from, sink) => pullParts(init, from, sink, never), // it has a limit of its own
        onPulled: (bytes) => {
          handle.pulledBytes += bytes
        }
      }),
      excluded,
      lanes: [...missing],
      attempts,
      random: init.random ?? Math.random,
      onAssigned: (unit, dispatch) => {
        handle.note(unit, dispatch)
        handle.emit({ type: 'assigned', unit, provider: dispatch.provider })
      },
      onVerified: (unit, provider) => handle.emit({ type: 'verified', unit, provider }),
      onRetried: (unit, provider, reason) => handle.emit({ type: 'retried', unit, provider, reason }),
      onChecked: (provider, cost) => init.onChecked?.(provider, cost),
      onLane: (lane, results) => {
        for (const [unit, result] of results.entries()) {
          assembler.accept(lane, unit, result)
        }
        missing.delete(lane)
        handle.emit({ type: 'progress', done: total - missing.size, of: total })
      },
      onLoad: (peer, load) => registry.learnLoad(peer, load)
    })
  }
}

/** The channels of one escrow: each stage's share of the limit, shared out among those that do it. */
function shareOut(
  { lanes }: HashedPipeline,
  missing: readonly number[],
  crews: ReadonlyArray<readonly PeerIdString[]>,
  limit: MicroCredits
): Share[] {
  const pays = crews.map((_, stage) => missing.map((lane) => lanes[lane]?.pays[stage] ?? 0n))
  const sums = pays.map((some) => some.reduce((sum, pay) => sum + pay, 0n))
  const total = sums.reduce((sum, each) => sum + each, 0n)
  if (total > limit) {
    throw new JobError(
      'BUDGET_TOO_SMALL',
      `What is left to do costs ${total} µcr; there are ${limit} µcr for it.`,
      {
        details: { price: total.toString(), budget: limit.toString() }
      }
    )
  }
  return crews.flatMap((peers, stage) =>
    allocate(peers, pays[stage] ?? [], (limit * (sums[stage] ?? 0n)) / (total === 0n ? 1n : total))
  )
}
