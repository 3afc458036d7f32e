import { asError } from '../../net/index.ts'
import type { ErrorDetails, PeerIdString, Signed } from '../../wire/index.ts'
import type { Channel, ChannelHandler, UnitFailure, UnitResult } from '../channel.ts'
import { PROVIDER_FAILURES, UNIT_ATTEMPTS } from '../constants.ts'
import { JobError } from '../errors.ts'
import { causeOf, detailsOf, reasonOf } from '../failure.ts'
import { busyFor, isProvidersFault } from '../faults.ts'
import { orAborted } from '../waiting.ts'
import { lanesOf, seedOf } from './ending.ts'
import { Lane } from './lane.ts'
import { readResult } from './read-result.ts'
import { Referee } from './referee.ts'
import type { PipelineEnding, PipelineRoundInit, Task } from './round-init.ts'
import { StageCrews } from './stage-crews.ts'
import { Tasks } from './tasks.ts'
import { Verdicts } from './verdicts.ts'

/** Share of the lanes whose intermediates this node pulls and checks itself (credit.md section 6). */
const PULLED = 0.05

/**
 * A pipeline under one escrow: lanes of rows walk through the stages, each stage at providers of its own. What a stage
 * computes stays at its provider until the next one has fetched it; that one checks it first, and vouches for it with
 * its own signature. The last stage's results are checked by who has what they were made of, and by lot this node checks
 * all of a lane.
 */
export class PipelineRound implements ChannelHandler {
  private readonly init: PipelineRoundInit
  private readonly lanes: readonly Lane[]
  private readonly crews: StageCrews
  private readonly verdicts: Verdicts
  private readonly referee: Referee
  private readonly tasks: Tasks
  private readonly failures = new Map<Channel, number>()
  private readonly over = Promise.withResolvers<void>()
  private isOver = false

  constructor(init: PipelineRoundInit) {
    this.init = init
    this.lanes = init.lanes.flatMap((index) => {
      const plan = init.plan.lanes[index]
      return plan === undefined ? [] : [new Lane(index, plan)]
    })
    const { plan, ledger, router, terms, inspector, onChecked } = init
    this.tasks = new Tasks(router)
    this.verdicts = new Verdicts({
      ledger,
      router,
      inspector,
      skillOf: (channel) => this.crews.skillOf(channel),
      onVerified: ({ lane, stage, channel }) => init.onVerified(this.numberOf(lane, stage), channel.peer),
      onChecked,
      onError: (error) => this.over.reject(error),
      onDecided: () => this.goOn()
    })
    this.referee = new Referee({
      stages: plan.stages.length,
      verdicts: this.verdicts,
      onLane: (lane, results) => init.onLane(lane.index, results),
      again: (lane, stage, channel, code) => this.again(lane, stage, channel, code, { code })
    })
    const beside = () => [...this.verdicts.orphans, ...this.verdicts.dropped]
    this.crews = new StageCrews({ plan, terms, lanes: this.lanes, beside })
    this.over.promise.catch(() => {}) // whoever runs the round hears of it
  }

  /** @param crews by stage; each has somebody */
  hire(crews: ReadonlyArray<readonly Channel[]>): void {
    const { jobId, plan } = this.init
    this.crews.hire(crews)
    for (const [stage, channels] of crews.entries()) {
      const { skill, kernel, plan: asked } = plan.stages[stage] ?? {}
      for (const channel of channels) {
        if (skill !== undefined && kernel !== undefined && asked !== undefined) {
          const opening = { jobId, skill: skill.manifest.name, kernel, plan: asked }
          channel.open(this, opening).catch((error) => channel.end(asError(error)))
        }
      }
    }
  }

  /** Resolves when the round can do no more. Rejects only if the job as a whole has failed, or is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const callOff = this.crews.watch()
    this.goOn()
    try {
      await orAborted(this.over.promise, signal)
    } finally {
      callOff()
      this.isOver = true
      for (const channel of this.crews.all) {
        for (const [index, { isAnswered }] of [...channel.sent]) {
          if (!isAnswered) {
            this.init.router.returned(channel.peer)
            channel.takeBack(index)
          }
        }
      }
    }
  }

  /** Checks what was delivered and belongs to no lane, receipts everything that is right, collects releases. */
  async close(): Promise<PipelineEnding> {
    await this.verdicts.settled()
    const left = this.lanes.flatMap((lane) => (lane.isComplete ? [] : lane.dropFrom(0)))
    this.verdicts.drop(left)
    await this.verdicts.settled()
    const releases = new Map<PeerIdString, Signed>()
    await Promise.all(
      this.crews.all.map(async (channel) => {
        await this.verdicts.receipt(channel)
        const release = await channel.finish()
        if (release !== undefined) {
          releases.set(channel.peer, release)
        }
      })
    )
    await this.verdicts.settled()
    const completed = this.lanes.filter(({ isComplete }) => isComplete)
    const lanes = lanesOf(completed, this.verdicts.orphans)
    return { lanes, seed: await seedOf(completed), releases }
  }

  async hangUp(): Promise<void> {
    await Promise.all(this.crews.all.map((channel) => channel.close()))
  }

  onProgress(): void {} // what counts is which steps were verified

  onRoom(channel: Channel): void {
    this.init.onLoad(channel.peer, channel.load)
    this.goOn()
  }

  onResult(channel: Channel, result: UnitResult): void {
    this.verdicts.track(
      this.take(channel, result).catch((error: unknown) => {
        if (isProvidersFault(error)) {
          channel.end(error)
        } else {
          this.over.reject(error)
        }
      })
    )
  }

  onFailed(channel: Channel, index: number, failure: UnitFailure): void {
    const task = this.tasks.end(channel, index)
    if (task === undefined || task.epoch !== task.lane.epoch) {
      this.goOn()
      return
    }
    const { lane, stage } = task
    const accused = task.of ?? task.before
    if (failure.code === 'BUSY' && task.of === undefined) {
      this.verdicts.drop(lane.dropFrom(stage))
      channel.end(
        new JobError('BUSY', `The provider failed: ${failure.message}`, { details: { retryAfterMs: 0 } })
      )
    } else if (failure.code === 'WRONG_INPUT' && accused !== undefined) {
      this.verdicts.track(this.referee.judge(channel, accused, lane))
    } else if (task.of !== undefined) {
      lane.avoid.add(channel) // this node looks for itself then
      this.goOn()
    } else if (failure.code === 'INPUT_GONE') {
      lane.avoid.add(channel) // perhaps the two cannot reach each other
      this.again(lane, Math.max(0, stage - 1), channel, `INPUT_GONE: ${failure.message}`, detailsOf(failure))
    } else {
      this.fail(channel, failure)
      lane.avoid.add(channel)
      this.again(lane, stage, channel, `${failure.code}: ${failure.message}`, detailsOf(failure))
    }
  }

  onDropped(channel: Channel, index: number): void {
    this.tasks.end(channel, index)
    this.goOn()
  }

  onEnded(channel: Channel, error: Error): void {
    const { excluded, router } = this.init
    const isLie = isProvidersFault(error)
    const busyMs = busyFor(error)
    const had = [...channel.sent.keys(), ...channel.hands.withdrawn.keys()]
    if (busyMs !== undefined) {
      excluded.busy(channel.peer, busyMs)
    } else if (isLie || had.length > 0 || channel.tally.units === 0) {
      channel.rejected += isLie ? 1 : 0
      excluded[isLie ? 'lied' : 'lost'](channel.peer)
      router.learn(channel.peer, this.crews.skillOf(channel), isLie ? 'wrong' : 'missed')
    }
    for (const index of had) {
      const task = this.tasks.end(channel, index)
      if (task !== undefined && task.of === undefined && task.epoch === task.lane.epoch) {
        this.again(task.lane, task.stage, channel, reasonOf(error), causeOf(error))
      }
    }
    for (const lane of this.lanes) {
      const lost = lane.isHeld ? -1 : lane.lostWith(channel, isLie)
      if (lost >= 0) {
        this.again(lane, lost, channel, reasonOf(error), causeOf(error))
      }
    }
    this.goOn()
  }

  private get stages(): number {
    return this.init.plan.stages.length
  }

  /** Hands out what can be handed out now: those first that have come furthest. */
  private goOn(): void {
    if (this.isOver) {
      return
    }
    for (const lane of [...this.lanes].sort((a, b) => b.stage - a.stage)) {
      if (lane.isComplete || lane.isHeld) {
        continue
      }
      if (lane.stage === this.stages) {
        this.checkLast(lane)
      } else {
        this.advance(lane)
      }
    }
    this.checkOver()
  }

  private advance(lane: Lane): void {
    const { stage } = lane
    lane.current ??= lane.out === 0 ? this.crews.pick(lane, stage) : undefined
    const { current } = lane
    for (const unit of lane.plan.units[stage]?.keys() ?? []) {
      if (current?.hasRoom === true && !lane.given.has(unit)) {
        lane.given.add(unit)
        const [before] = stage === 0 ? [] : lane.at(stage - 1)
        this.init.terms.promise(current, lane, stage)
        this.give(current, { lane, epoch: lane.epoch, stage, unit, before, of: undefined })
      }
    }
  }

  private give(channel: Channel, task: Task): void {
    const { plan, terms, onAssigned } = this.init
    const { lane, stage, unit, of } = task
    const spec = lane.plan.units[stage]?.[unit]
    const index = this.tasks.begin(channel, task)
    const work = {
      params: [],
      parts: [],
      data: new Uint8Array(0),
      cost: of === undefined ? (spec?.cost ?? 0n) : 0n
    }
    if (of !== undefined) {
      channel.giveStep(index, work, { size: 0, isKept: true }, () => terms.check(channel, of))
      return
    }
    onAssigned(this.numberOf(lane, stage), { provider: channel.peer, reason: 'next', candidates: [] })
    const result = { size: spec?.resultSize ?? 0, isKept: stage < plan.stages.length - 1 }
    channel.giveStep(index, work, result, () => terms.step(channel, lane, stage, unit))
  }

  private numberOf({ index }: Lane, stage: number): number {
    return index * this.stages + stage
  }

  private async take(channel: Channel, result: UnitResult): Promise<void> {
    const { index } = result
    const task = this.tasks.get(index)
    if (task === undefined) {
      return // its channel was lost meanwhile
    }
    const done = await readResult(this.init.plan, task, channel, result)
    const { lane, stage, unit, before, of } = task
    if (this.tasks.end(channel, index) === undefined) {
      return // lost while it was looked at
    }
    if (of !== undefined) {
      if (task.epoch === lane.epoch) {
        lane.checked.add(unit)
      }
      return
    }
    channel.unverified += 1
    this.init.terms.learn(done)
    if (before !== undefined) {
      this.verdicts.accept(before) // whoever computes from it has checked it, and signed so
    }
    if (task.epoch !== lane.epoch || this.isOver) {
      this.verdicts.drop([done])
      return
    }
    const units = lane.done[stage]
    if (units !== undefined) {
      units[unit] = done
    }
    if (lane.stage > stage) {
      lane.current = undefined
      lane.given.clear()
    }
  }

  /** A lane is through: by lot this node checks all of it, else who computed the stage before checks the last. */
  private checkLast(lane: Lane): void {
    const last = lane.at(this.stages - 1)
    const [before] = lane.at(this.stages - 2)
    if (lane.checked.size === last.length) {
      lane.isHeld = true
      this.verdicts.track(this.referee.finish(lane, this.init.random() < PULLED ? 0 : this.stages))
      return
    }
    const canAsk =
      before?.channel.isLive === true &&
      !lane.avoid.has(before.channel) &&
      last.every(({ channel }) => channel.isLive)
    if (!canAsk) {
      lane.isHeld = lane.out === 0
      if (lane.isHeld) {
        this.verdicts.track(this.referee.finish(lane, this.stages - 1))
      }
      return
    }
    for (const done of last) {
      if (!lane.checking.has(done.unit)) {
        lane.checking.add(done.unit)
        const { stage, unit } = done
        this.give(before.channel, { lane, epoch: lane.epoch, stage, unit, before: undefined, of: done })
      }
    }
  }

  /** A lane goes back to a stage, or its job has failed. */
  private again(lane: Lane, stage: number, { peer }: Channel, reason: string, cause: ErrorDetails): void {
    if (lane.isComplete) {
      return
    }
    this.verdicts.drop(lane.dropFrom(stage))
    const attempts = (this.init.attempts.get(lane.index) ?? 0) + 1
    this.init.attempts.set(lane.index, attempts)
    const unit = this.numberOf(lane, stage)
    this.init.onRetried(unit, peer, reason)
    if (attempts >= UNIT_ATTEMPTS * this.stages) {
      this.over.reject(this.failed(lane, stage, reason, { ...cause, unit, attempts }))
    }
    this.goOn()
  }

  private failed(
    { index: lane, plan }: Lane,
    stage: number,
    reason: string,
    details: ErrorDetails
  ): JobError {
    const skill = this.init.plan.stages[stage]?.skill.manifest.name ?? ''
    return new JobError(
      'UNIT_FAILED',
      `Rows ${plan.first} to ${plan.end} failed ${details.attempts} times, last as unit ${details.unit}, at stage ${stage} (${skill}); the reason was: ${reason}.`,
      { details: { ...details, lane, stage, skill } }
    )
  }

  private fail(channel: Channel, failure: UnitFailure): void {
    const { code, message, retryable } = failure
    const failures = (this.failures.get(channel) ?? 0) + 1
    this.failures.set(channel, failures)
    this.init.router.learn(channel.peer, this.crews.skillOf(channel), 'missed')
    if (!retryable || failures >= PROVIDER_FAILURES) {
      const reason = `The provider failed: ${code}: ${message}`
      channel.end(new JobError('REFUSED', reason, { retryable: true, details: detailsOf(failure) }))
    }
  }

  /** All lanes are through; or one needs a stage at which nobody is left. */
  private checkOver(): void {
    const isDone = this.lanes.every(({ isComplete }) => isComplete)
    if (!this.verdicts.isWorking && (isDone || (this.tasks.size === 0 && this.crews.isShort))) {
      this.over.resolve()
    }
  }
}
