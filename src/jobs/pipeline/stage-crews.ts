import { medianSpeed } from '../../router/index.ts'
import type { MicroCredits } from '../../wire/index.ts'
import type { Channel } from '../channel.ts'
import { LOOK_INTERVAL } from '../constants.ts'
import { JobError } from '../errors.ts'
import type { Done, Lane } from './lane.ts'
import { lateOnes } from './late.ts'
import type { HashedPipeline } from './plan.ts'
import type { Terms } from './terms.ts'

export interface StageCrewsInit {
  readonly plan: HashedPipeline
  readonly lanes: readonly Lane[]
  readonly terms: Pick<Terms, 'canHave'>
  /** Work beside the lanes that is paid, or may come to be. */
  readonly beside: () => Iterable<Done>
}

/** The providers of a round by stage, and which of them is to have a lane next. */
export class StageCrews {
  private readonly init: StageCrewsInit
  private crews: ReadonlyArray<readonly Channel[]> = []

  constructor(init: StageCrewsInit) {
    this.init = init
  }

  hire(crews: ReadonlyArray<readonly Channel[]>): void {
    this.crews = crews
  }

  /** Until it is called off: gives up who takes far too long, where another can do it. */
  watch(): () => void {
    const look = () => {
      for (const channel of this.crews.flatMap((crew) => lateOnes(crew, performance.now()))) {
        channel.end(
          new JobError('UNIT_TIMEOUT', 'The provider took too long for a unit.', { retryable: true })
        )
      }
    }
    const timer = setInterval(look, LOOK_INTERVAL)
    return () => clearInterval(timer)
  }

  get all(): readonly Channel[] {
    return this.crews.flat()
  }

  skillOf(channel: Channel): string {
    const stage = this.crews.findIndex((crew) => crew.includes(channel))
    return this.init.plan.stages[stage]?.skill.manifest.name ?? ''
  }

  /** Who has least to do. A lane goes to who failed at it only where there is nobody else. */
  pick(lane: Lane, stage: number): Channel | undefined {
    const free = this.able(lane, stage).filter(
      (channel) => channel.hasRoom && this.init.terms.canHave(channel, lane, stage)
    )
    // who is new counts as fast as the others, and gets its turn: of equals, the one that has done least
    const typical = medianSpeed(free) ?? 1
    const load = ({ hands, speed = typical }: Channel) => (hands.pending + 1) / speed
    const past = ({ tally, unverified }: Channel) => tally.units + unverified
    return free.sort((a, b) => load(a) - load(b) || past(a) - past(b))[0]
  }

  /** A lane needs a stage at which nobody is left. */
  get isShort(): boolean {
    return this.init.lanes.some(
      (lane) =>
        !lane.isComplete &&
        this.crews.some((_, stage) => stage >= lane.stage && this.able(lane, stage).length === 0)
    )
  }

  private able(lane: Lane, stage: number): Channel[] {
    const pay = lane.plan.pays[stage] ?? 0n
    const live = (this.crews[stage] ?? []).filter(
      (channel) => channel.isLive && (lane.current === channel || this.promised(channel) + pay <= channel.max)
    )
    const willing = live.filter((channel) => !lane.avoid.has(channel))
    return willing.length > 0 ? willing : live
  }

  /** What a channel may come to be paid for lanes that it has had, or has. */
  private promised(channel: Channel): MicroCredits {
    let sum = 0n
    for (const done of this.init.beside()) {
      sum += done.channel === channel ? done.price : 0n
    }
    for (const lane of this.init.lanes) {
      for (const [stage, pay] of lane.plan.pays.entries()) {
        const isIts = lane.at(stage).some((done) => done.channel === channel)
        sum += isIts || (lane.stage === stage && lane.current === channel) ? pay : 0n
      }
    }
    return sum
  }
}
