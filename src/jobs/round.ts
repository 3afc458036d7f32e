import type { Engine } from '../compute/index.ts'
import type { Ledger } from '../credit/index.ts'
import { asError } from '../net/index.ts'
import type { SwarmRouter } from '../router/index.ts'
import type { Skill } from '../skills/index.ts'
import {
  type MicroCredits,
  type PeerIdString,
  type Signed,
  SwarmError,
  sha256,
  type UnitGroup
} from '../wire/index.ts'
import type { Channel, ChannelHandler, UnitResult } from './channel.ts'
import { PROVIDER_FAILURES, UNIT_ATTEMPTS } from './constants.ts'
import { JobError } from './errors.ts'
import type { Exclusions } from './exclusions.ts'
import type { HashedPlan } from './plan.ts'
import { checkResultSignature } from './result.ts'
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
  onAssigned(unit: number, peer: PeerIdString): void
  onVerified(unit: number, peer: PeerIdString, result: Uint8Array): void
  onRetried(unit: number, peer: PeerIdString, reason: string): void
  onProgress(partlyDone: number): void
}

/**
 * One escrow's worth of a job: its channels work until every unit is verified, or until none of them can take
 * what is left. What a lost or lying provider had goes to the others.
 */
export class Round implements ChannelHandler {
  private readonly job: JobContext
  private readonly channels: readonly Channel[]
  private readonly queue: number[]
  private readonly over = Promise.withResolvers<void>()
  private readonly receipting = new Map<Channel, Promise<void>>()
  private readonly failures = new Map<PeerIdString, number>()
  private isClosing = false

  constructor(job: JobContext, channels: readonly Channel[]) {
    this.job = job
    this.channels = channels
    this.queue = [...job.missing]
  }

  /** Resolves when the round can do no more. Rejects only if the job as a whole has failed, or is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    for (const channel of this.channels) {
      void channel.read(this)
      void this.feed(channel)
    }
    this.checkOver()
    try {
      await orAborted(this.over.promise, signal)
    } finally {
      this.isClosing = true // the last receipts open windows: no unit goes out for that
      for (const channel of this.channels) {
        channel.cancelUnits()
      }
    }
  }

  /** Receipts what was verified, collects releases, closes the channels. Returns what the settle needs. */
  async close(): Promise<{ groups: UnitGroup[]; seed: Uint8Array; releases: Map<PeerIdString, Signed> }> {
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
      .filter((channel) => channel.verifiedAmount > 0n)
      .map((channel) => ({ weight: channel.verifiedAmount, payees: [channel.payeeIndex], quorum: 1 }))
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
        this.checkOver()
      })
  }

  onFailed(channel: Channel, index: number, reason: string, retryable: boolean): void {
    channel.failedUnits.add(index)
    const failures = (this.failures.get(channel.peer) ?? 0) + 1
    this.failures.set(channel.peer, failures)
    this.job.router.learn(channel.peer, this.job.skill.manifest.name, 'missed')
    this.giveBack(channel, index, reason)
    if (!retryable || failures >= PROVIDER_FAILURES) {
      channel.end(new JobError('REFUSED', `The provider failed: ${reason}`, { retryable: true }))
    }
    this.checkOver()
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
    this.accept(channel, result.index, sent.spec.cost, hash, result.bytes)
  }

  private accept(
    channel: Channel,
    index: number,
    cost: MicroCredits,
    hash: Uint8Array,
    bytes: Uint8Array
  ): void {
    if (!channel.sent.delete(index) || !this.job.missing.delete(index)) {
      return // cancelled while it was checked
    }
    channel.verifiedAmount += cost
    channel.verifiedUnits += 1
    this.job.resultHashes.set(index, hash)
    this.job.router.learn(channel.peer, this.job.skill.manifest.name, 'verified')
    this.job.onVerified(index, channel.peer, bytes)
    this.onProgress()
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
    while (channel.receiptedUnits < channel.verifiedUnits) {
      const units = channel.verifiedUnits
      const receipt = await this.job.ledger.receipt(channel.escrow, channel.peer, channel.verifiedAmount)
      if (!channel.isLive) {
        return // stored: the settle pays it, and the payee asks for the settle
      }
      await channel.sendReceipt(receipt, units)
    }
  }

  private async feed(channel: Channel): Promise<void> {
    const { job } = this
    try {
      await channel.open({
        jobId: job.jobId,
        skill: job.skill.manifest.name,
        kernel: job.kernel,
        plan: job.plan
      })
      while (channel.isLive) {
        const awake = channel.wake.wait()
        const index = channel.hasRoom ? this.take(channel) : undefined
        const spec = index === undefined ? undefined : job.plan.units[index]
        if (index === undefined || spec === undefined) {
          this.checkOver()
          await awake
          continue
        }
        const { resultSize } = job.skill.checkUnit({
          params: spec.params,
          dataSize: spec.data.byteLength,
          partSizes: spec.parts.map((part) => job.plan.parts[part]?.byteLength ?? 0)
        })
        job.onAssigned(index, channel.peer)
        await channel.sendUnit(index, spec, resultSize, job.plan)
      }
    } catch (error) {
      channel.end(asError(error))
    }
  }

  private take(channel: Channel): number | undefined {
    if (this.isClosing) {
      return undefined
    }
    const at = this.queue.findIndex((index) => this.fits(channel, index))
    return at < 0 ? undefined : this.queue.splice(at, 1)[0]
  }

  private fits(channel: Channel, index: number): boolean {
    const cost = this.job.plan.units[index]?.cost ?? 0n
    return !channel.failedUnits.has(index) && channel.committed + cost <= channel.max
  }

  private giveBack(channel: Channel, index: number, reason: string): void {
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
    this.queue.unshift(index)
    this.wakeAll()
  }

  onEnded(channel: Channel, error: Error): void {
    const { job } = this
    const isLie = isProvidersFault(error)
    if (isLie) {
      channel.rejected += 1
    }
    if (isLie || channel.sent.size > 0 || channel.verifiedUnits === 0) {
      if (isLie) {
        job.excluded.lied(channel.peer)
      } else {
        job.excluded.lost(channel.peer)
      }
      job.router.learn(channel.peer, job.skill.manifest.name, isLie ? 'wrong' : 'missed')
    }
    for (const index of [...channel.sent.keys()]) {
      channel.sent.delete(index)
      this.giveBack(channel, index, error.message)
    }
    this.checkOver()
  }

  private checkOver(): void {
    const isBusy = this.channels.some((channel) => channel.checking > 0 || channel.sent.size > 0)
    const canGoOn = this.channels.some(
      (channel) => channel.isLive && this.queue.some((index) => this.fits(channel, index))
    )
    if (this.job.missing.size === 0 || (!isBusy && !canGoOn)) {
      this.over.resolve()
    }
  }

  private wakeAll(): void {
    for (const channel of this.channels) {
      channel.wake.notify()
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
