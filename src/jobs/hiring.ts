import type { JobEvent, SubmitOptions } from '../api.ts'
import { type Contract, CreditError, type Ledger, type Channel as Share } from '../credit/index.ts'
import { connectDirect, framedStream, openStream, type SwarmNode, type Ticker } from '../net/index.ts'
import type { SwarmRegistry } from '../registry/index.ts'
import type { SwarmRouter, Task } from '../router/index.ts'
import {
  JOB_FRAME_MAX,
  jobResponseFrame,
  type MicroCredits,
  type Milliseconds,
  type Network,
  type PeerIdString,
  protocolId
} from '../wire/index.ts'
import { affordable, allocate } from './allocate.ts'
import { Channel } from './channel.ts'
import * as constants from './constants.ts'
import type { JobContext } from './job-context.ts'
import { min, priceAt } from './price.ts'
import { searchProviders } from './provider-search.ts'
import type { Place } from './subtasks.ts'
import { pastReseating } from './waiting.ts'

export interface HiringParts {
  readonly node: SwarmNode
  readonly network: Network
  readonly registry: SwarmRegistry
  readonly router: SwarmRouter
  readonly ledger: Ledger
  readonly ticker: Ticker
  readonly now: () => Milliseconds
}

export interface HiringInit {
  readonly parts: HiringParts
  readonly job: Pick<JobContext, 'jobId' | 'skill' | 'kernel' | 'plan' | 'copies' | 'excluded'> & {
    readonly outlay: Pick<JobContext['outlay'], 'rate'>
  }
  readonly options: SubmitOptions
  readonly onHired: (event: Extract<JobEvent, { type: 'hired' }>) => void
  /** The job's place among those that hire each other. @default nobody hires it, and it hires nobody */
  readonly place?: Pick<Place, 'parentEscrow' | 'opened'> | undefined
  readonly log: (format: string, ...details: unknown[]) => void
}

/** Whom to look for. */
export interface Opening {
  readonly count: number
  /** Peers that are not wanted. */
  readonly excluded: Task['excluded']
  /** How long to wait for the first. @default until the signal is aborted */
  readonly waitMs?: Milliseconds
  /** Between two searches. */
  readonly pauseMs: Milliseconds
  readonly signal: AbortSignal
}

/** What an escrow is for. */
export interface Terms {
  readonly units: readonly number[]
  /** The most that it may lock: budget and balance. */
  readonly limit: MicroCredits
  /** It may be for some of the units only, as many as the limit pays for. */
  readonly isPartial: boolean
  readonly signal: AbortSignal
}

/** Providers with an escrow that pays them. */
export interface Hired {
  readonly contract: Contract
  readonly channels: readonly Channel[]
}

/** Finds providers for one job, and makes the escrow that pays them. */
export class Hiring {
  private readonly init: HiringInit

  constructor(init: HiringInit) {
    this.init = init
  }

  /**
   * Waits for providers, and dials them. Empty where none could be reached: look again.
   *
   * @throws JobError `NO_PROVIDER`, or the signal's reason
   */
  async find({ count, excluded, waitMs, pauseMs, signal }: Opening): Promise<PeerIdString[]> {
    const { job, options, onHired } = this.init
    const { registry, router } = this.init.parts
    const { name, version } = job.skill.manifest
    const considered = await searchProviders({
      registry,
      router,
      task: { skill: name, version, kernel: job.kernel, rate: job.outlay.rate, excluded },
      only: options.providers,
      count,
      waitMs,
      pauseMs,
      signal
    })
    const candidates = considered.map(({ provider, score, chosen }) => ({
      peer: provider.advert.peer,
      score,
      chosen
    }))
    onHired({ type: 'hired', strategy: router.strategy, candidates })
    const reached = await Promise.all(
      candidates
        .filter(({ chosen }) => chosen !== undefined)
        .map(async ({ peer }) => ((await this.reach(peer, signal)) ? [peer] : []))
    )
    return reached.flat()
  }

  /**
   * Undefined where nobody certified the escrow, or the limit pays for no unit.
   *
   * @throws CreditError, or the signal's reason
   */
  async open(peers: readonly PeerIdString[], terms: Terms): Promise<Hired | undefined> {
    const { job } = this.init
    const { ledger } = this.init.parts
    const { settled } = await ledger.balance()
    const limit = min(terms.limit, settled)
    const all = terms.units.map((unit) => priceAt(job.plan.units[unit]?.cost ?? 0n, job.outlay.rate))
    const costs = terms.isPartial ? affordable(all, limit) : all
    if (peers.length === 0 || costs.length === 0) {
      return undefined
    }
    const contract = await this.contract(allocate(peers, costs, limit, job.copies), terms.signal)
    return contract && { contract, channels: this.channelsOf(contract, terms.signal) }
  }

  /**
   * The escrow alone. Payees that have not taken it are left alone for a while.
   *
   * @returns undefined where nobody certified it
   */
  async contract(channels: readonly Share[], signal: AbortSignal): Promise<Contract | undefined> {
    const { job, place } = this.init
    const { ledger, network, now } = this.init.parts
    const parent = await place?.parentEscrow(signal)
    const lifetime = (this.init.options.deadlineMs ?? constants.DEADLINE_DEFAULT) + constants.SETTLE_GRACE
    let contract: Contract | undefined
    try {
      const order = {
        jobId: job.jobId,
        channels,
        parent,
        inputRoot: job.plan.inputRoot,
        tClose: now() + Math.min(lifetime, network.parameters.escrowMaxMs),
        signal
      }
      contract = await pastReseating(() => ledger.openEscrow(order), signal)
    } catch (error) {
      // witnesses of another time are no better than silent ones: others may come
      if (!(error instanceof CreditError && (error.code === 'NO_VOTES' || error.code === 'CLOCK'))) {
        throw error
      }
      this.init.log('nobody certified the escrow - %e', error)
    }
    for (const { peer } of channels) {
      if (contract?.certifiedBy.includes(peer) !== true) {
        job.excluded.unheard(peer)
      }
    }
    if (contract !== undefined) {
      place?.opened(contract.escrow)
    }
    return contract
  }

  /** Dials a provider directly; one that cannot be reached is left out of the job. */
  private async reach(peer: PeerIdString, signal: AbortSignal): Promise<boolean> {
    const { node, registry } = this.init.parts
    try {
      await connectDirect(node, peer, { signal: withTimeout(signal) })
      return true
    } catch (error) {
      signal.throwIfAborted()
      this.init.log('no direct way to %s - %e', peer, error)
      this.init.job.excluded.unheard(peer)
      registry.setAside(peer)
      return false
    }
  }

  /**
   * Job streams to be opened to the payees that have taken it.
   *
   * @param only of those, these
   */
  channelsOf(
    { escrow, channels, certifiedBy }: Contract,
    signal: AbortSignal,
    only: readonly PeerIdString[] = certifiedBy
  ): Channel[] {
    const { node, network, ticker } = this.init.parts
    const { skill, outlay } = this.init.job
    return channels.flatMap(({ peer, max }, payeeIndex) => {
      const connect = async () => {
        const timed = withTimeout(signal)
        const connection = await connectDirect(node, peer, { signal: timed })
        const protocol = protocolId(network.parameters, 'job')
        const stream = await openStream(connection, protocol, { signal: timed })
        const schema = jobResponseFrame
        return framedStream({ stream, peer, connection, schema, maxFrame: JOB_FRAME_MAX, ticker })
      }
      const unitTimeout = skill.manifest.timeout_secs * 1_000
      const channel = { peer, max, payeeIndex, escrow, rate: outlay.rate, unitTimeout, connect }
      return certifiedBy.includes(peer) && only.includes(peer) ? [new Channel(channel)] : []
    })
  }
}

function withTimeout(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(constants.CONNECT_TIMEOUT)])
}
