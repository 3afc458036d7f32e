import { chooseProbed, isProbeSize, nextProbeAt, type ProbeCandidate } from '../credit/index.ts'
import { priceOf, RATE_DEFAULT } from '../jobs/index.ts'
import type { Skill } from '../skills/index.ts'
import type { Table } from '../store/index.ts'
import type { MicroCredits, Milliseconds, NetworkParameters, PeerIdString } from '../wire/index.ts'

const KEY = 'probed'
/** The longest delay that a timer takes. */
const TIMER_MAX: Milliseconds = 2 ** 31 - 1
const HOUR: Milliseconds = 3_600_000

export interface ProberInit {
  readonly meta: Table
  readonly network: NetworkParameters
  readonly skills: readonly Skill[]
  /** This node contributes, and nobody has work for it. */
  readonly isIdle: () => boolean
  /** Providers of a skill that are known now, with the work of theirs that this node has checked. */
  readonly providersOf: (skill: string) => readonly ProbeCandidate[]
  /** Has a provider do a unit of the skill that it cannot know, checks it and pays. */
  readonly hire: (skill: Skill, provider: PeerIdString) => Promise<unknown>
  readonly now: () => Milliseconds
  readonly random: () => number
  readonly log: (message: string, error?: unknown) => void
}

/**
 * What a canary of a skill costs (µcr), but for one that is a unit of an earlier job.
 *
 * @returns undefined: nobody is sent one, since an example anybody can have the answer to
 */
export function canaryPrice(skill: Skill): MicroCredits | undefined {
  const input = skill.sample?.()
  return input === undefined ? undefined : priceOf(skill.plan(input, { units: 1 }).units, RATE_DEFAULT)
}

/**
 * Buys a canary of another provider now and then while this one is idle (credit.md section 3): a small job on an
 * input of its own. So pure providers, too, come to know whose work is good.
 */
export class Prober {
  private readonly init: ProberInit
  private timer: ReturnType<typeof setTimeout> | undefined
  private isStopped = false

  constructor(init: ProberInit) {
    this.init = init
  }

  /** The first canary of a life is due an interval after the last one, or after the start if there was none. */
  async start(): Promise<void> {
    const kept = await this.init.meta.get(KEY)
    const last = kept === undefined ? Number.NaN : Number(new TextDecoder().decode(kept))
    this.wait(Number.isFinite(last) ? Math.min(last, this.init.now()) : this.init.now())
  }

  stop(): void {
    this.isStopped = true
    clearTimeout(this.timer)
  }

  /** Exposed for its tests: one canary, if there is anyone to buy it of. */
  async probe(): Promise<PeerIdString | undefined> {
    const { skills, network, providersOf, random, hire } = this.init
    const small = skills.flatMap((skill) => {
      const candidates = providersOf(skill.manifest.name)
      const price = candidates.length > 0 ? canaryPrice(skill) : undefined
      return price !== undefined && isProbeSize(price, network) ? [{ skill, candidates, price }] : []
    })
    const canary = small[Math.floor(random() * small.length)]
    const probed = canary && chooseProbed(canary.candidates, random(), canary.price)
    if (canary !== undefined && probed !== undefined) {
      await hire(canary.skill, probed)
    }
    return probed
  }

  private wait(last: Milliseconds): void {
    const { network, now, random } = this.init
    const due = nextProbeAt(last, random(), network) - now()
    this.timer = setTimeout(() => void this.due(), Math.min(TIMER_MAX, Math.max(0, due)))
    if (typeof this.timer === 'object' && 'unref' in this.timer) {
      this.timer.unref() // a program that has nothing else to do may end
    }
  }

  private async due(): Promise<void> {
    const { meta, isIdle, now, log } = this.init
    if (!isIdle()) {
      this.wait(now() - (this.init.network.probeIntervalHours - 1) * HOUR) // busy: sooner than after a whole interval
      return
    }
    try {
      await meta.put(KEY, new TextEncoder().encode(String(now())), { relaxed: true })
      await this.probe()
    } catch (error) {
      log('a canary failed', error)
    }
    if (!this.isStopped) {
      this.wait(now())
    }
  }
}
