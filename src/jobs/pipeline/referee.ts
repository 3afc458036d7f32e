import type { Channel } from '../channel.ts'
import { JobError } from '../errors.ts'
import type { Done, Lane } from './lane.ts'
import type { Verdicts } from './verdicts.ts'

export interface RefereeInit {
  readonly stages: number
  readonly verdicts: Pick<Verdicts, 'look' | 'accept' | 'blame'>
  /** All of a lane is right: results of the last stage by unit. */
  readonly onLane: (lane: Lane, results: readonly Uint8Array[]) => void
  /** A lane goes back to a stage; whose fault it was, and why. */
  readonly again: (lane: Lane, stage: number, channel: Channel, reason: string) => void
}

/** Where this node looks for itself: at lanes that are through, and when one provider accuses another. */
export class Referee {
  private readonly init: RefereeInit

  constructor(init: RefereeInit) {
    this.init = init
  }

  /** @param from the first stage that this node checks itself */
  async finish(lane: Lane, from: number): Promise<void> {
    const { stages, verdicts, onLane, again } = this.init
    const known = new Map<string, Uint8Array>()
    try {
      for (let stage = from; stage < stages; stage++) {
        for (const done of lane.at(stage)) {
          const later = lane.at(stage + 1).map(({ channel }) => channel)
          const finding = await verdicts.look(done, later, known)
          if (finding === 'wrong') {
            verdicts.blame(later)
          }
          if (finding !== 'right') {
            again(lane, Math.min(stage, Math.max(0, from - 1)), done.channel, 'WRONG_RESULT')
            return
          }
        }
      }
      const last = lane.at(stages - 1)
      for (const done of last) {
        verdicts.accept(done)
      }
      lane.isComplete = true
      onLane(
        lane,
        last.map(({ bytes }) => bytes ?? new Uint8Array(0))
      )
    } finally {
      lane.isHeld = false
    }
  }

  /** One provider calls another's result wrong: one of the two is. */
  async judge(accuser: Channel, accused: Done, lane: Lane): Promise<void> {
    const { verdicts, again } = this.init
    lane.isHeld = true
    const finding = await verdicts.look(accused, [accuser]).finally(() => {
      lane.isHeld = false
    })
    const isRight = finding === 'right'
    if (isRight) {
      verdicts.accept(accused)
      accuser.end(new JobError('WRONG_RESULT', 'The provider called a right result wrong.'))
    }
    again(lane, accused.stage + (isRight ? 1 : 0), isRight ? accuser : accused.channel, 'WRONG_INPUT')
  }
}
