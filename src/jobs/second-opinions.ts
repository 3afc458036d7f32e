import { equals } from 'uint8arrays/equals'
import type { UnitSpec } from '../skills/index.ts'
import { accepted, credibility } from '../trust/index.ts'
import type { PeerIdString } from '../wire/index.ts'
import type { Channel } from './channel.ts'
import type { Dispatcher } from './dispatcher.ts'
import { JobError } from './errors.ts'
import type { Sent } from './hands.ts'
import type { JobContext } from './job-context.ts'

/** One provider's result of a unit, which has passed the skill's own check. */
export interface Opinion {
  readonly channel: Channel
  readonly index: number
  readonly sent: Sent
  readonly hash: Uint8Array
  readonly bytes: Uint8Array
}

export interface SecondOpinionsInit {
  readonly job: JobContext
  readonly dispatcher: Dispatcher
  /** The result is believed. `wasCompared`: because another computation agrees. */
  readonly onBelieved: (opinion: Opinion, wasCompared: boolean) => void
  /** Its result is right: others have computed the same, or this node has. `peers`: all that have computed it. */
  readonly onKnown: (opinion: Opinion, peers: readonly PeerIdString[]) => void
  readonly onWrong: (channel: Channel, error: JobError) => void
}

/**
 * For skills whose own check is weak (credit.md section 5): a result of a provider that has not earned belief is
 * computed once more by another, drawn by lot, until the credibility of those that agree is enough; where there is
 * nobody else, by this node itself, whose word is final.
 */
export class SecondOpinions {
  private readonly init: SecondOpinionsInit
  private readonly held = new Map<number, Opinion[]>()

  constructor(init: SecondOpinionsInit) {
    this.init = init
  }

  /** A result has passed the skill's check. */
  add(opinion: Opinion): void {
    const { job, onBelieved } = this.init
    const skill = job.skill.manifest.name
    const others = this.held.get(opinion.index)
    if (
      others === undefined &&
      job.copies === undefined &&
      !job.router.mustReplicate(opinion.channel.peer, skill)
    ) {
      onBelieved(opinion, false)
      return
    }
    this.held.set(opinion.index, [...(others ?? []), opinion])
    this.decide(opinion.index)
  }

  /** A provider with a replica is gone, or has failed at it. */
  lost(index: number): void {
    if (this.held.has(index)) {
      this.decide(index)
    }
  }

  private decide(index: number): void {
    const { dispatcher } = this.init
    const groups = this.groups(index)
    const winner = this.winner(groups)
    if (winner !== undefined) {
      this.end(index, (opinion) => winner.includes(opinion))
    } else if (groups.length === 0) {
      this.held.delete(index) // all that had it are gone: it goes out anew
    } else if (
      !dispatcher.isElsewhere(
        index,
        groups.flat().map(({ channel }) => channel)
      )
    ) {
      dispatcher.replicate(index)
    }
  }

  /**
   * As many as were asked for agree; or, where nobody asked, enough to be believed: never one alone, however credible,
   * since the lot has fallen on this unit to see whether it still deserves that.
   */
  private winner(groups: Opinion[][]): Opinion[] | undefined {
    const { copies } = this.init.job
    if (copies !== undefined) {
      return groups.find(({ length }) => length >= copies)
    }
    const believed = accepted(groups.map((group) => group.map((each) => this.credibility(each))))
    return groups.find(({ length }, index) => index === believed && length > 1)
  }

  /** Equal results together. Only of those that are still there to be paid. */
  private groups(index: number): Opinion[][] {
    const { job } = this.init
    const groups: Opinion[][] = []
    for (const opinion of this.held.get(index) ?? []) {
      if (opinion.channel.hands.get(index) !== undefined) {
        const group = groups.find(
          ([first]) => first !== undefined && agree(job, opinion.sent.spec, first.bytes, opinion.bytes)
        )
        if (group === undefined) {
          groups.push([opinion])
        } else {
          group.push(opinion)
        }
      }
    }
    return groups
  }

  /** Nobody else can: this node computes the unit itself. */
  async computeHere(index: number): Promise<void> {
    const { job } = this.init
    const spec = job.plan.units[index]
    if (spec === undefined) {
      return
    }
    const own = await computeOwn(job, spec)
    this.end(index, ({ bytes }) => agree(job, spec, own, bytes))
  }

  private end(index: number, isRight: (opinion: Opinion) => boolean): void {
    const opinions = this.groups(index).flat()
    this.held.delete(index)
    const right = opinions.find(isRight)
    if (right !== undefined) {
      this.init.onKnown(
        right,
        opinions.map(({ channel }) => channel.peer)
      )
    }
    for (const opinion of opinions) {
      if (isRight(opinion)) {
        this.init.onBelieved(opinion, true)
      }
    }
    for (const opinion of opinions) {
      if (!isRight(opinion)) {
        this.init.onWrong(
          opinion.channel,
          new JobError('WRONG_RESULT', `The result of unit ${index} is not what others computed.`)
        )
      }
    }
  }

  private credibility({ channel }: Opinion): number {
    return credibility(this.init.job.router.checksPassed(channel.peer, this.init.job.skill.manifest.name))
  }
}

/** This node's own result of a unit. */
export function computeOwn({ engine, skill, plan }: JobContext, spec: UnitSpec): Promise<Uint8Array> {
  return engine.run({
    skill: skill.manifest.name,
    params: spec.params,
    data: spec.data,
    parts: spec.parts.flatMap((part) => plan.partRefs[part] ?? [])
  })
}

/** Two honest nodes could have computed both, as results of one unit. */
export function agree({ skill, plan }: JobContext, spec: UnitSpec, a: Uint8Array, b: Uint8Array): boolean {
  const { params, data } = spec
  const parts = spec.parts.flatMap((part) => plan.parts[part] ?? [])
  return skill.agrees?.({ params, data, parts }, a, b) ?? equals(a, b)
}
