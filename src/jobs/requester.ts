import type { JobReceipt, SubmitOptions } from '../api.ts'
import type { Engine } from '../compute/index.ts'
import { type Contract, CreditError, type Ledger } from '../credit/index.ts'
import { connectDirect, framedStream, openStream, type SwarmNode, type Ticker } from '../net/index.ts'
import type { SwarmRegistry } from '../registry/index.ts'
import type { SwarmRouter } from '../router/index.ts'
import { kernelHash, type Plan, type Skill } from '../skills/index.ts'
import {
  JOB_FRAME_MAX,
  jobResponseFrame,
  type MicroCredits,
  type Network,
  type PeerIdString,
  protocolId
} from '../wire/index.ts'
import { allocate } from './allocate.ts'
import { Channel } from './channel.ts'
import * as constants from './constants.ts'
import { JobError } from './errors.ts'
import { Exclusions } from './exclusions.ts'
import { JobHandle } from './job.ts'
import { checkOptions, deadlineSignal, typedError } from './options.ts'
import { hashPlan, hex } from './plan.ts'
import { priceAt, priceOf, RATE_DEFAULT } from './price.ts'
import { searchProviders } from './provider-search.ts'
import { ReceiptBook } from './receipt-book.ts'
import { type JobContext, Round } from './round.ts'

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
}

interface Submission {
  readonly jobId: Uint8Array
  readonly options: SubmitOptions
  readonly rate: number
  readonly price: MicroCredits
  readonly budget: MicroCredits
  readonly signal: AbortSignal
}

/** The paying side: walks a job from plan to settled receipt. */
export class Requester {
  private readonly init: RequesterInit
  private readonly running = new Map<string, Promise<void>>()
  private readonly stopped = new AbortController()

  constructor(init: RequesterInit) {
    this.init = init
  }

  /**
   * Plans and prices at once, runs by itself.
   *
   * @throws SkillError for a bad input, JobError `BAD_OPTION`, `BUDGET_TOO_SMALL` or `STOPPED`
   */
  submit<Input, Output>(
    skill: Skill<Input, Output>,
    input: Input,
    options: SubmitOptions = {}
  ): JobHandle<Output> {
    checkOptions(options)
    this.stopped.signal.throwIfAborted()
    const plan = skill.plan(input, options.units === undefined ? {} : { units: options.units })
    const rate = options.rate ?? RATE_DEFAULT
    const price = priceOf(plan.units, rate)
    const budget = options.budget ?? 2n * price
    if (budget < price) {
      throw new JobError('BUDGET_TOO_SMALL', `The job costs ${price} µcr; the budget is ${budget} µcr.`, {
        details: { price: price.toString(), budget: budget.toString() }
      })
    }
    const jobId = crypto.getRandomValues(new Uint8Array(16))
    const id = hex(jobId)
    const cancel = new AbortController()
    const deadline = deadlineSignal(options.deadlineMs ?? constants.DEADLINE_DEFAULT)
    const signal = AbortSignal.any([
      cancel.signal,
      this.stopped.signal,
      deadline.signal,
      ...(options.signal ? [options.signal] : [])
    ])
    const handle = new JobHandle<Output>(id, skill.manifest.name, async () => {
      cancel.abort(new JobError('CANCELLED', 'The job was cancelled.'))
      await this.running.get(id)
    })
    handle.emit({ type: 'queued', price, units: plan.units.length })
    const run = this.run(handle, skill, plan, { jobId, options, rate, price, budget, signal })
      .catch((error: unknown) => handle.fail(typedError(error, options.signal)))
      .finally(() => {
        deadline.clear()
        this.running.delete(id)
      })
    this.running.set(id, run)
    return handle
  }

  /** Cancels all jobs and waits until their books are closed. */
  async stop(): Promise<void> {
    this.stopped.abort(new JobError('STOPPED', 'This node has stopped: create a new swarm.'))
    await Promise.all(this.running.values())
  }

  private async run<Input, Output>(
    handle: JobHandle<Output>,
    skill: Skill<Input, Output>,
    plan: Plan<Output>,
    submission: Submission
  ): Promise<void> {
    const { jobId, price, signal } = submission
    const [hashed, kernel, engine] = await Promise.all([
      hashPlan(plan),
      kernelHash(skill),
      this.init.engine()
    ])
    const assembler = plan.assembler()
    handle.watch(assembler.soFar?.bind(assembler))
    const book = new ReceiptBook(handle.id, skill.manifest.name, price)
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
      missing: new Set(plan.units.keys()),
      attempts: new Map(),
      excluded: new Exclusions(this.init.now),
      resultHashes: new Map(),
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
    try {
      while (job.missing.size > 0) {
        await this.runRound(handle, job, submission, book)
      }
    } catch (error) {
      if (book.hasSettled) {
        handle.emit({ type: 'settled', receipt: book.receipt() })
      }
      throw signal.aborted ? signal.reason : error
    }
    const receipt: JobReceipt = book.receipt()
    handle.emit({ type: 'settled', receipt })
    handle.succeed(assembler.finish(), receipt)
  }

  /** One escrow: found, opened, worked off, settled. Whatever is still missing goes into the next round. */
  private async runRound(
    handle: Pick<JobHandle<unknown>, 'enter' | 'emit'>,
    job: JobContext,
    submission: Submission,
    book: ReceiptBook
  ): Promise<void> {
    const { options, signal } = submission
    const { name, version } = job.skill.manifest
    const considered = await searchProviders({
      registry: this.init.registry,
      router: this.init.router,
      task: { skill: name, version, kernel: job.kernel, rate: submission.rate, excluded: job.excluded },
      only: options.providers,
      count: Math.min(
        options.maxProviders ?? constants.PROVIDERS_DEFAULT,
        options.providers?.length ?? Number.POSITIVE_INFINITY,
        job.missing.size
      ),
      waitMs: options.providerWaitMs ?? constants.PROVIDER_WAIT_DEFAULT,
      signal
    })
    const candidates = considered.map(({ provider, score, chosen }) => ({
      peer: provider.advert.peer,
      score,
      chosen
    }))
    handle.emit({ type: 'hired', strategy: this.init.router.strategy, candidates })
    const reached = await Promise.all(
      candidates
        .filter(({ chosen }) => chosen !== undefined)
        .map(async ({ peer }) => ((await this.reach(job, peer, signal)) ? [peer] : []))
    )
    const contract = await this.openContract(job, reached.flat(), submission, submission.budget - book.paid)
    if (contract === undefined) {
      return // those that did not answer are excluded now: look again
    }
    handle.enter('running')
    const channels = contract.channels.flatMap((channel, payeeIndex) =>
      contract.certifiedBy.includes(channel.peer)
        ? [this.channel(job, contract, { ...channel, payeeIndex, rate: submission.rate }, signal)]
        : []
    )
    const round = new Round(job, channels)
    try {
      await round.run(signal)
    } finally {
      handle.enter('settling')
      const { groups, seed, releases } = await round.close()
      book.add(contract, await this.init.ledger.settle(contract.escrow, groups, { seed, releases }), channels)
      await round.hangUp()
    }
  }

  /** Dials a provider directly; one that cannot be reached is left out of the job. */
  private async reach(job: JobContext, peer: PeerIdString, signal: AbortSignal): Promise<boolean> {
    try {
      await connectDirect(this.init.node, peer, { signal: withTimeout(signal) })
      return true
    } catch (error) {
      signal.throwIfAborted()
      this.log('no direct way to %s - %e', peer, error)
      job.excluded.lost(peer)
      this.init.registry.setAside(peer)
      return false
    }
  }

  private async openContract(
    job: JobContext,
    peers: readonly PeerIdString[],
    { options, rate, signal }: Submission,
    budget: MicroCredits
  ): Promise<Contract | undefined> {
    if (peers.length === 0) {
      return undefined
    }
    const { ledger, network, now } = this.init
    const costs = [...job.missing].map((unit) => priceAt(job.plan.units[unit]?.cost ?? 0n, rate))
    const { settled } = await ledger.balance()
    const channels = allocate(peers, costs, budget < settled ? budget : settled)
    const lifetime = (options.deadlineMs ?? constants.DEADLINE_DEFAULT) + constants.SETTLE_GRACE
    let contract: Contract | undefined
    try {
      contract = await ledger.openEscrow({
        jobId: job.jobId,
        channels,
        inputRoot: job.plan.inputRoot,
        tClose: now() + Math.min(lifetime, network.parameters.escrowMaxMs),
        signal
      })
    } catch (error) {
      if (!(error instanceof CreditError && error.code === 'NO_VOTES')) {
        throw error
      }
      this.log('nobody certified the escrow - %e', error)
    }
    for (const { peer } of channels) {
      if (contract?.certifiedBy.includes(peer) !== true) {
        job.excluded.lost(peer)
      }
    }
    return contract
  }

  private channel(
    job: JobContext,
    { escrow }: Contract,
    channel: { peer: PeerIdString; max: MicroCredits; rate: number; payeeIndex: number },
    signal: AbortSignal
  ): Channel {
    const { peer } = channel
    return new Channel({
      ...channel,
      escrow,
      unitTimeout: job.skill.manifest.timeout_secs * 1_000,
      connect: async () => {
        const timed = withTimeout(signal)
        const connection = await connectDirect(this.init.node, peer, { signal: timed })
        const stream = await openStream(connection, protocolId(this.init.network.parameters, 'job'), {
          signal: timed
        })
        return framedStream({
          stream,
          peer,
          connection,
          schema: jobResponseFrame,
          maxFrame: JOB_FRAME_MAX,
          ticker: this.init.ticker
        })
      }
    })
  }

  private log(format: string, ...details: unknown[]): void {
    this.init.node.logger.forComponent('swarmharness:jobs')(format, ...details)
  }
}

function withTimeout(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(constants.CONNECT_TIMEOUT)])
}
