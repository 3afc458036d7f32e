import type { CID } from 'multiformats/cid'
import { asError } from '../net/index.ts'
import type { Crew } from '../router/index.ts'
import type { UnitSpec } from '../skills/index.ts'
import { holdback } from '../trust/index.ts'
import type { ErrorDetails, PeerIdString, Signed } from '../wire/index.ts'
import type { Channel, ChannelHandler, UnitFailure, UnitResult } from './channel.ts'
import { checkResult } from './check-result.ts'
import { PROVIDER_FAILURES, UNIT_ATTEMPTS } from './constants.ts'
import { crewOf } from './crew.ts'
import { Dispatcher } from './dispatcher.ts'
import { type Ending, endingOf, seedOf } from './ending.ts'
import { JobError } from './errors.ts'
import { causeOf, detailsOf, reasonOf } from './failure.ts'
import { busyFor, isProvidersFault } from './faults.ts'
import { operationsOf } from './hands.ts'
import type { JobContext } from './job-context.ts'
import { priceAt } from './price.ts'
import { Receipting } from './receipting.ts'
import { agree, computeOwn, type Opinion, SecondOpinions } from './second-opinions.ts'
import { orAborted } from './waiting.ts'

/**
 * A job as long as somebody works at it: the channels of an escrow, and of further ones for providers that come later,
 * work until every unit is verified, or until none of them can take what is left. What a lost or lying provider had
 * goes to the others.
 */
export class Round implements ChannelHandler {
  private readonly job: JobContext
  private readonly channels: Channel[] = []
  private readonly escrows: Array<{ readonly escrow: CID; readonly channels: readonly Channel[] }> = []
  private readonly dispatcher: Dispatcher
  private readonly opinions: SecondOpinions
  private readonly receipting: Receipting
  private readonly over = Promise.withResolvers<void>()
  private readonly checks = new Set<Promise<void>>()
  private readonly failures = new Map<PeerIdString, number>()
  /** When the last provider was hired (`performance.now()`). */
  private hiredAt = 0
  /** Escrows that are being made for more of them. */
  private expected = 0
  private isClosing = false

  constructor(job: JobContext) {
    this.job = job
    this.dispatcher = new Dispatcher(job, this.channels, (index) => {
      this.opinions.computeHere(index).then(() => this.goOn(), this.over.reject)
    })
    this.opinions = new SecondOpinions({
      job,
      dispatcher: this.dispatcher,
      onBelieved: (opinion, wasCompared) => this.accept(opinion, wasCompared),
      onKnown: ({ sent, bytes }, peers) => this.keep(sent.spec, bytes, peers),
      onWrong: (channel, error) => channel.end(error)
    })
    this.receipting = new Receipting({ ledger: job.ledger, heldBack: (channel) => this.heldBack(channel) })
  }

  /** Providers that an escrow pays begin to work. */
  hire(escrow: CID, channels: readonly Channel[]): void {
    this.hiredAt = performance.now()
    this.escrows.push({ escrow, channels })
    this.channels.push(...channels)
    for (const channel of channels) {
      void this.open(channel)
    }
  }

  /** Waits for an escrow that is being made, though nobody may be left to go on meanwhile. */
  async expect(hire: () => Promise<void>): Promise<void> {
    this.expected += 1
    try {
      await hire()
    } finally {
      this.expected -= 1
      this.checkOver()
    }
  }

  /** Whether it has a channel of its own now. */
  employs(peer: PeerIdString): boolean {
    return this.channels.some((channel) => channel.peer === peer && channel.isLive)
  }

  /** @param wanted as many providers as the job may have */
  crew(wanted: number): Crew {
    const { job, channels, waiting, dispatcher } = this
    return crewOf({
      job,
      channels,
      wanted,
      waiting: dispatcher.isHeldBack ? 0 : waiting.length,
      sinceMs: performance.now() - this.hiredAt
    })
  }

  /** Units that nobody who works has: what a further escrow would be for. */
  get waiting(): number[] {
    const lagging = this.channels.filter(({ isLagging }) => isLagging)
    return [...this.dispatcher.waiting, ...lagging.flatMap(({ sent }) => [...sent.keys()])]
  }

  /** What all its providers may come to be paid for (µcr). */
  get committed(): bigint {
    return this.dispatcher.committed
  }

  /** Resolves when the round can do no more. Rejects only if the job as a whole has failed, or is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    this.checkOver()
    const callOff = this.job.reader?.onRead(() => this.goOn())
    try {
      await orAborted(this.over.promise, signal)
    } finally {
      callOff?.()
      this.dispatcher.stop() // the last receipts open windows: no unit goes out for that
    }
  }

  /**
   * Waits for what is under way, receipts what was verified, collects releases. A provider gives none as long as
   * anything that it delivered is not receipted.
   *
   * @returns what the settle of each escrow needs
   */
  async close(): Promise<Ending[]> {
    this.isClosing = true
    const releases = new Map<Channel, Signed>()
    await Promise.all(
      this.channels.map(async (channel) => {
        // a stream that breaks now keeps nobody from the settle: it pays what is verified
        await this.receipting.receipt(channel).catch((error) => channel.end(asError(error)))
        const release = await channel.finish()
        if (release !== undefined) {
          releases.set(channel, release)
        }
      })
    )
    await Promise.all(this.checks)
    const seed = await seedOf(this.job.resultHashes)
    return this.escrows.map((each) => endingOf(each, seed, releases))
  }

  async hangUp(): Promise<void> {
    await Promise.all(this.channels.map((channel) => channel.close()))
  }

  onProgress(): void {
    this.job.onProgress(this.channels.reduce((sum, channel) => sum + channel.hands.partlyDone, 0))
  }

  onResult(channel: Channel, result: UnitResult): void {
    channel.checking += 1
    const check = this.check(channel, result)
      .catch((error: unknown) => {
        if (isProvidersFault(error)) {
          channel.end(error)
        } else {
          this.over.reject(error) // this node could not check: no word against the provider
        }
      })
      .finally(() => {
        channel.checking -= 1
        this.checks.delete(check)
        this.goOn()
      })
    this.checks.add(check)
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
    const details = detailsOf(failure)
    this.giveBack(channel, index, reason, details)
    this.opinions.lost(index)
    if (!failure.retryable || failures >= PROVIDER_FAILURES) {
      channel.end(new JobError('REFUSED', `The provider failed: ${reason}`, { retryable: true, details }))
    }
    this.goOn()
  }

  onDropped(_channel: Channel, index: number): void {
    this.dispatcher.giveBack(index)
    this.goOn()
  }

  private async check(channel: Channel, result: UnitResult): Promise<void> {
    const { job } = this
    const { sent } = result
    const hash = await checkResult(job, channel, result)
    const opinion = { channel, index: result.index, sent, hash, bytes: result.bytes }
    const isDoubted = job.copies === undefined ? job.skill.manifest.check === 'weak' : job.copies > 1
    if (sent.known !== undefined) {
      await this.judgeCanary(opinion, sent.known)
    } else if (!isDoubted && sent.spec.check === 'weak' && this.mustCompare(channel)) {
      await this.compare(opinion)
    } else if (isDoubted && job.missing.has(result.index)) {
      this.opinions.add(opinion)
    } else {
      this.accept(opinion, false)
    }
  }

  /** Its right result is known, or so it was believed: before anybody is accused this node computes it itself. */
  private async judgeCanary(opinion: Opinion, known: Uint8Array): Promise<void> {
    const { job } = this
    if (agree(job, opinion.sent.spec, known, opinion.bytes)) {
      this.accept(opinion, true)
    } else {
      await this.compare(opinion)
      job.known.forget(known) // those who confirmed it were all wrong
    }
  }

  private mustCompare({ peer }: Channel): boolean {
    return this.job.router.mustReplicate(peer, this.job.skill.manifest.name)
  }

  /** Accepts what this node computes too: of units so small that this is the cheapest second opinion. */
  private async compare(opinion: Opinion): Promise<void> {
    const { spec } = opinion.sent
    if (!agree(this.job, spec, await computeOwn(this.job, spec), opinion.bytes)) {
      throw new JobError(
        'WRONG_RESULT',
        `The result of unit ${opinion.index} is not what this node computed.`
      )
    }
    this.accept(opinion, true)
  }

  private accept({ channel, index, sent, hash, bytes }: Opinion, wasCompared: boolean): void {
    const { job } = this
    if (!this.dispatcher.remove(channel, index)) {
      return // the provider was lost while it was checked
    }
    // a copy whose result came beside another's is work too, and so is a canary
    channel.tally.add(priceAt(sent.spec.cost, channel.rate))
    const time = { operations: operationsOf(sent.spec), tookMs: sent.tookMs, pending: sent.unitsAhead }
    job.router.learn(channel.peer, job.skill.manifest.name, 'verified', time, wasCompared)
    if (job.missing.delete(index)) {
      this.dispatcher.done(index)
      if (job.skill.manifest.check === 'strong' && job.resultHashes.size === 0) {
        this.keep(sent.spec, bytes, [channel.peer]) // one of a job: for canaries of idle peers
      }
      job.resultHashes.set(index, hash)
      job.onVerified(index, channel.peer, bytes)
      this.onProgress()
    }
    this.receipting.receipt(channel).catch((error) => channel.end(asError(error)))
  }

  /** For canaries. */
  private keep(spec: UnitSpec, result: Uint8Array, seenBy: readonly PeerIdString[]): void {
    this.job.known.add(this.job.skill.manifest.name, this.job.plan, { spec, result }, seenBy)
  }

  /** Units at the end of a job whose receipts wait for the settle: a cheat that is found out loses them. */
  private heldBack(channel: Channel): number {
    const { job } = this
    if (job.skill.manifest.check === 'strong' || this.isClosing || this.dispatcher.waiting.length > 0) {
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

  private giveBack(channel: Channel, index: number, reason: string, details: ErrorDetails = {}): void {
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
            details: { ...details, unit: index, attempts }
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
    } else if (isLie || channel.hands.size > 0 || channel.tally.units === 0) {
      if (isLie) {
        job.excluded.lied(channel.peer)
      } else {
        job.excluded.lost(channel.peer)
      }
      job.router.learn(channel.peer, job.skill.manifest.name, isLie ? 'wrong' : 'missed')
    }
    for (const index of [...channel.sent.keys()]) {
      this.dispatcher.remove(channel, index)
      this.giveBack(channel, index, reasonOf(error), causeOf(error))
      this.opinions.lost(index)
    }
    for (const index of [...channel.hands.withdrawn.keys()]) {
      this.dispatcher.remove(channel, index)
      this.dispatcher.giveBack(index)
    }
    this.goOn()
  }

  private checkOver(): void {
    const isChecking = this.channels.some(({ checking }) => checking > 0)
    const isBusy = isChecking || this.expected > 0 || this.channels.some(({ hands }) => hands.size > 0)
    const isDone = this.job.missing.size === 0 && !isChecking
    if (isDone || (!isBusy && !this.dispatcher.canGoOn)) {
      this.over.resolve()
    }
  }
}
