import type { Dispatch } from '../api.ts'
import type { Engine } from '../compute/index.ts'
import type { Ledger } from '../credit/index.ts'
import { asError } from '../net/index.ts'
import type { SwarmRouter } from '../router/index.ts'
import type { Skill } from '../skills/index.ts'
import { holdback } from '../trust/index.ts'
import { type PeerIdString, type Signed, SwarmError, sha256, type UnitGroup } from '../wire/index.ts'
import {
  type Channel,
  type ChannelHandler,
  operationsOf,
  type UnitFailure,
  type UnitResult
} from './channel.ts'
import { PROVIDER_FAILURES, UNIT_ATTEMPTS } from './constants.ts'
import { Dispatcher } from './dispatcher.ts'
import { JobError } from './errors.ts'
import type { Exclusions } from './exclusions.ts'
import type { HashedPlan } from './plan.ts'
import { priceAt } from './price.ts'
import { checkResultSignature } from './result.ts'
import { type Opinion, SecondOpinions } from './second-opinions.ts'
import { orAborted } from './waiting.ts'

/** What the rounds of one job share. */
export interface JobContext {
  readonly jobId: Uint8Array
  readonly skill: Skill
  readonly kernel: Uint8Array
  readonly plan: HashedPlan<unknown>
  readonly engine: Engine
  readonly ledger: Ledger
  readonly router: SwarmRouter
  /** Units without a verified result. */
  readonly missing: Set<number>
  readonly attempts: Map<number, number>
  /** Peers that lied or failed in this job. */
  readonly excluded: Exclusions
  readonly resultHashes: Map<number, Uint8Array>
  onAssigned(unit: number, dispatch: Dispatch): void
  onVerified(unit: number, peer: PeerIdString, result: Uint8Array): void
  onRetried(unit: number, peer: PeerIdString, reason: string): void
  onProgress(partlyDone: number): void
  /** @param load 0 (idle) to 100 (full), by the provider's word */
  onLoad(peer: PeerIdString, load: number): void
}

/**
 * One escrow's worth of a job: its channels work until every unit is verified, or until none of them can take
 * what is left. What a lost or lying provider had goes to the others.
 */
export class Round implements ChannelHandler {
  private readonly job: JobContext
  private readonly channels: readonly Channel[]
  private readonly dispatcher: Dispatcher
  private readonly opinions: SecondOpinions
  private readonly over = Promise.withResolvers<void>()
  private readonly receipting = new Map<Channel, Promise<void>>()
  private readonly failures = new Map<PeerIdString, number>()
  private isClosing = false

  constructor(job: JobContext, channels: readonly Channel[]) {
    this.job = job
    this.channels = channels
    this.dispatcher = new Dispatcher(job, channels, (index) => {
      this.opinions.computeHere(index).catch(this.over.reject)
    })
    this.opinions = new SecondOpinions({
      job,
      dispatcher: this.dispatcher,
      onBelieved: (opinion, wasCompared) => this.accept(opinion, wasCompared),
      onWrong: (channel, error) => channel.end(error)
    })
  }

  /** Resolves when the round can do no more. Rejects only if the job as a whole has failed, or is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    for (const channel of this.channels) {
      void this.open(channel)
    }
    this.checkOver()
    try {
      await orAborted(this.over.promise, signal)
    } finally {
      this.dispatcher.stop() // the last receipts open windows: no unit goes out for that
    }
  }

  /** Receipts what was verified, collects releases, closes the channels. Returns what the settle needs. */
  async close(): Promise<{ groups: UnitGroup[]; seed: Uint8Array; releases: Map<PeerIdString, Signed> }> {
    this.isClosing = true
    const releases = new Map<PeerIdString, Signed>()
    await Promise.all(
      this.channels.map(async (channel) => {
        // a stream that breaks now keeps nobody from the settle: it pays what is verified
        await this.receipt(channel).catch((error) => channel.end(asError(error)))
        const release = await channel.finish()
        if (release !== undefined) {
          releases.set(channel.peer, release)
        }
      })
    )
    const groups = this.channels
      .filter((channel) => channel.tally.amount > 0n)
      .map((channel) => ({ weight: channel.tally.amount, payees: [channel.payeeIndex], quorum: 1 }))
    return { groups, seed: await this.seed(), releases }
  }

  async hangUp(): Promise<void> {
    await Promise.all(this.channels.map((channel) => channel.close()))
  }

  onProgress(): void {
    this.job.onProgress(this.channels.reduce((sum, channel) => sum + channel.partlyDone, 0))
  }

  onResult(channel: Channel, result: UnitResult): void {
    channel.checking += 1
    this.check(channel, result)
      .catch((error: unknown) => {
        if (isProvidersFault(error)) {
          channel.end(error)
        } else {
          this.over.reject(error) // this node could not check: no word against the provider
        }
      })
      .finally(() => {
        channel.checking -= 1
        this.goOn()
      })
  }

  onRoom(channel: Channel): void {
    this.job.onLoad(channel.peer, channel.load)
    this.goOn()
  }

  onFailed(channel: Channel, index: number, failure: UnitFailure): void {
    const reason = `${failure.code}: ${failure.message}`
    this.dispatcher.remove(channel, index)
    if (failure.code === 'BUSY') {
      this.dispatcher.giveBack(index)
      channel.end(new JobError('BUSY', `The provider failed: ${reason}`, { details: { retryAfterMs: 0 } }))
      return
    }
    channel.failedUnits.add(index)
    const failures = (this.failures.get(channel.peer) ?? 0) + 1
    this.failures.set(channel.peer, failures)
    this.job.router.learn(channel.peer, this.job.skill.manifest.name, 'missed')
    this.giveBack(channel, index, reason)
    this.opinions.lost(index)
    if (!failure.retryable || failures >= PROVIDER_FAILURES) {
      channel.end(new JobError('REFUSED', `The provider failed: ${reason}`, { retryable: true }))
    }
    this.goOn()
  }

  private async check(channel: Channel, result: UnitResult): Promise<void> {
    const { job } = this
    const sent = channel.sent.get(result.index)
    if (sent === undefined) {
      return // cancelled meanwhile
    }
    const unit = {
      skill: job.skill.manifest.name,
      params: sent.spec.params,
      data: sent.spec.data,
      parts: sent.spec.parts.flatMap((part) => job.plan.partRefs[part] ?? [])
    }
    // drawn after the signed result has come; so the three checks need not wait for each other
    const challenge = crypto.getRandomValues(new Uint8Array(32))
    const of = { escrow: channel.escrow, index: result.index, author: channel.peer }
    const [hash, isRight] = await Promise.all([
      sha256(result.bytes),
      job.engine.verify(unit, result.bytes, challenge),
      checkResultSignature(of, result.hash, result.signature)
    ])
    if (hash.some((byte, i) => byte !== result.hash[i])) {
      throw new JobError('WRONG_RESULT', `The result of unit ${result.index} does not match its hash.`)
    }
    if (!isRight) {
      throw new JobError('WRONG_RESULT', `The result of unit ${result.index} is wrong.`)
    }
    const opinion = { channel, index: result.index, sent, hash, bytes: result.bytes }
    if (job.skill.manifest.check === 'weak') {
      this.opinions.add(opinion)
    } else {
      this.accept(opinion, false)
    }
  }

  private accept({ channel, index, sent, hash, bytes }: Opinion, wasCompared: boolean): void {
    const { job } = this
    if (!this.dispatcher.remove(channel, index)) {
      return // taken back while it was checked
    }
    // a copy whose result came beside another's is work too
    channel.tally.add(priceAt(sent.spec.cost, channel.rate))
    const time = { operations: operationsOf(sent.spec), tookMs: sent.tookMs, pending: sent.unitsAhead }
    job.router.learn(channel.peer, job.skill.manifest.name, 'verified', time, wasCompared)
    if (job.missing.delete(index)) {
      this.dispatcher.done(index)
      job.resultHashes.set(index, hash)
      job.onVerified(index, channel.peer, bytes)
      this.onProgress()
    }
    this.receipt(channel).catch((error) => channel.end(error))
  }

  /** One receipt at a time; what is verified meanwhile goes into the next, cumulative one. */
  private receipt(channel: Channel): Promise<void> {
    const running = this.receipting.get(channel)
    if (running !== undefined) {
      return running
    }
    const task = this.receiptAll(channel).finally(() => this.receipting.delete(channel))
    this.receipting.set(channel, task)
    return task
  }

  private async receiptAll(channel: Channel): Promise<void> {
    while (channel.tally.receiptedUnits < channel.tally.units - this.heldBack(channel)) {
      const units = channel.tally.units - this.heldBack(channel)
      const receipt = await this.job.ledger.receipt(
        channel.escrow,
        channel.peer,
        channel.tally.amountOf(units)
      )
      if (!channel.isLive) {
        return // stored: the settle pays it, and the payee asks for the settle
      }
      await channel.sendReceipt(receipt, units)
    }
  }

  /** Units at the end of a job whose receipts wait for the settle: a cheat that is found out loses them. */
  private heldBack(channel: Channel): number {
    const { job } = this
    if (job.skill.manifest.check === 'strong' || this.isClosing || this.dispatcher.isWaiting) {
      return 0
    }
    const valid = job.router.checksPassed(channel.peer, job.skill.manifest.name)
    return Math.floor(holdback({ valid }, channel.tally.units))
  }

  private async open(channel: Channel): Promise<void> {
    const { job } = this
    try {
      await channel.open(this, {
        jobId: job.jobId,
        skill: job.skill.manifest.name,
        kernel: job.kernel,
        plan: job.plan
      })
    } catch (error) {
      channel.end(asError(error))
    }
  }

  /** Room at a channel, a unit back, or one more done. */
  private goOn(): void {
    this.dispatcher.next()
    this.checkOver()
  }

  private giveBack(channel: Channel, index: number, reason: string): void {
    if (!this.job.missing.has(index)) {
      return // a copy: it is done elsewhere
    }
    const attempts = (this.job.attempts.get(index) ?? 0) + 1
    this.job.attempts.set(index, attempts)
    this.job.onRetried(index, channel.peer, reason)
    if (attempts >= UNIT_ATTEMPTS) {
      this.over.reject(
        new JobError(
          'UNIT_FAILED',
          `Unit ${index} failed ${attempts} times; the last reason was: ${reason}.`,
          {
            details: { unit: index, attempts }
          }
        )
      )
      return
    }
    this.dispatcher.giveBack(index)
  }

  onEnded(channel: Channel, error: Error): void {
    const { job } = this
    const isLie = isProvidersFault(error)
    const busyMs = busyFor(error)
    if (isLie) {
      channel.rejected += 1
      if (job.skill.manifest.check === 'weak') {
        channel.tally.forfeit()
      }
    }
    if (busyMs !== undefined) {
      job.excluded.busy(channel.peer, busyMs) // it said so before it had anything: no word against it
    } else if (isLie || channel.sent.size > 0 || channel.tally.units === 0) {
      if (isLie) {
        job.excluded.lied(channel.peer)
      } else {
        job.excluded.lost(channel.peer)
      }
      job.router.learn(channel.peer, job.skill.manifest.name, isLie ? 'wrong' : 'missed')
    }
    for (const index of [...channel.sent.keys()]) {
      this.dispatcher.remove(channel, index)
      this.giveBack(channel, index, error.message)
      this.opinions.lost(index)
    }
    this.goOn()
  }

  private checkOver(): void {
    const isChecking = this.channels.some(({ checking }) => checking > 0)
    const isBusy = isChecking || this.channels.some(({ sent }) => sent.size > 0)
    const isDone = this.job.missing.size === 0 && !isChecking
    if (isDone || (!isBusy && !this.dispatcher.canGoOn)) {
      this.over.resolve()
    }
  }

  /** Hash over the results in unit order; the ledger mixes the escrow's nonce in (credit.md section 4). */
  private async seed(): Promise<Uint8Array> {
    const ordered = [...this.job.resultHashes].sort(([a], [b]) => a - b).map(([, hash]) => hash)
    const all = new Uint8Array(ordered.length * 32)
    ordered.forEach((hash, i) => {
      all.set(hash, i * 32)
    })
    return sha256(all)
  }
}

const FAULTS = new Set<string>([
  'WRONG_RESULT',
  'PROTOCOL',
  'BAD_SIGNATURE',
  'MALFORMED',
  'NOT_CANONICAL',
  'TOO_LARGE'
])

/** Wrong, forged or malformed: not bad luck. */
function isProvidersFault(error: unknown): error is SwarmError {
  return error instanceof SwarmError && FAULTS.has(error.code)
}

/** Undefined: not because it is busy. */
function busyFor(error: Error): number | undefined {
  if (!(error instanceof JobError)) {
    return undefined
  }
  const { code, retryAfterMs } = error.details
  const isBusy = error.code === 'BUSY' || code === 'BUSY'
  return isBusy && typeof retryAfterMs === 'number' ? retryAfterMs : undefined
}
