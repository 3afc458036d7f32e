import type { Engine } from '../../compute/index.ts'
import type { PeerIdString, Signed } from '../../wire/index.ts'
import type { Channel } from '../channel.ts'
import { JobError } from '../errors.ts'
import { hex } from '../plan.ts'
import type { PullSink } from '../pull.ts'
import { dataFrom } from '../steps.ts'
import type { Done } from './lane.ts'
import type { HashedPipeline } from './plan.ts'
import type { Terms } from './terms.ts'

export interface InspectorInit {
  readonly plan: HashedPipeline
  readonly terms: Terms
  /** Started where there is something to check. */
  readonly engine: () => Promise<Engine>
  readonly pull: (
    from: { readonly holder: PeerIdString; readonly ticket: Signed; readonly parts: readonly string[] },
    sink: PullSink
  ) => Promise<void>
  /** Bytes of intermediates came to this node. */
  readonly onPulled: (bytes: number) => void
}

/**
 * What this node finds when it looks at a result itself. `not shown`: nobody gives it out, not its author either.
 * `unknown`: what it was made of is not to be had any more.
 */
export type Finding = 'right' | 'wrong' | 'not shown' | 'unknown'

/** Pulls intermediates to this node and checks them: a few by lot, and wherever a provider calls another a liar. */
export class Inspector {
  private readonly init: InspectorInit

  constructor(init: InspectorInit) {
    this.init = init
  }

  /**
   * @param known bytes that were pulled before, by hash: more come to them
   * @param others who else may have what it was made of, and it
   */
  async inspect(
    done: Done,
    others: readonly Channel[] = [],
    known = new Map<string, Uint8Array>()
  ): Promise<Finding> {
    const { plan, terms, engine } = this.init
    const { lane, stage, unit, before } = done
    const { skill, chain } = plan.stages[stage] ?? {}
    const spec = lane.plan.units[stage]?.[unit]
    if (skill === undefined || chain === undefined || spec === undefined) {
      throw new TypeError(`There is no unit ${unit} in stage ${stage}.`) // cannot happen: it was given out
    }
    let result = done.bytes
    try {
      result ??= await this.bytes(done, [done.channel, ...others], known)
      const taken =
        before === undefined
          ? plan.inputs[lane.index]?.bytes
          : dataFrom(
              new Map(plan.stages.map((each) => [each.skill.manifest.name, each.skill])),
              skill,
              await this.bytes(before, [before.channel, done.channel, ...others], known),
              terms.via(lane, stage)
            )
      const work = {
        skill: skill.manifest.name,
        params: spec.params,
        data: taken ?? new Uint8Array(0),
        parts: terms.partsOf([spec], stage)
      }
      const challenge = crypto.getRandomValues(new Uint8Array(32))
      const isRight =
        result.byteLength === spec.resultSize && (await (await engine()).verify(work, result, challenge))
      return isRight ? 'right' : 'wrong'
    } catch (error) {
      if (error instanceof JobError && error.code === 'INPUT_GONE') {
        return result === undefined ? 'not shown' : 'unknown'
      }
      throw error
    }
  }

  /** @throws JobError `INPUT_GONE` */
  private async bytes(
    { hash, size }: Done,
    from: readonly Channel[],
    known: Map<string, Uint8Array>
  ): Promise<Uint8Array> {
    const name = hex(hash)
    const before = known.get(name)
    if (before !== undefined) {
      return before
    }
    let failure: unknown = new JobError('INPUT_GONE', 'Nobody who had that result is there any more.')
    for (const channel of new Set(from.filter(({ isLive }) => isLive))) {
      try {
        const ticket = await this.init.terms.own(channel, hash)
        await this.init.pull({ holder: channel.peer, ticket, parts: [name] }, sinkOf(known, size))
        const bytes = known.get(name) ?? new Uint8Array(0)
        this.init.onPulled(bytes.byteLength)
        return bytes
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }
}

function sinkOf(known: Map<string, Uint8Array>, size: number): PullSink {
  return {
    expect: (_, announced) => {
      if (announced !== size) {
        throw new JobError('INPUT_GONE', 'That part has another length than its author said.')
      }
    },
    keep: (hash, bytes) => known.set(hash, bytes),
    unexpect: () => {}
  }
}
