import type { ContributeOptions } from '../api.ts'
import { checkObject, checkRate, JobError, RATE_DEFAULT, shown } from '../jobs/index.ts'
import type { Skill } from '../skills/index.ts'
import { servedSkills } from './offered-skills.ts'

/** What a node contributes. */
export interface Contribution {
  /** Share of the device's time, .05 to 1. */
  readonly power: number
  /** The least that is paid, in thousandths of the published cost. */
  readonly rate: number
  /** Share of the compute time, 0 to 1. Undefined: as the network says. */
  readonly strangers: number | undefined
  readonly served: ReadonlyMap<string, Skill>
}

/**
 * @param all skills that the node knows
 * @throws SkillError `UNKNOWN_SKILL`, JobError `BAD_OPTION`
 */
export function checkContribution(all: ReadonlyMap<string, Skill>, options: ContributeOptions): Contribution {
  checkObject(options)
  const { power = 1, rate = RATE_DEFAULT, strangers, skills } = options
  if (!isShare(power, 0.05)) {
    throw new JobError(
      'BAD_OPTION',
      `power is a share of the device's time, .05 to 1; it is ${shown(power)}.`
    )
  }
  checkRate(rate)
  if (strangers !== undefined && !isShare(strangers, 0)) {
    throw new JobError(
      'BAD_OPTION',
      `strangers is their share of the compute time, 0 to 1; it is ${shown(strangers)}.`
    )
  }
  return { power, rate, strangers, served: servedSkills(all, skills) }
}

const isShare = (value: unknown, least: number) => typeof value === 'number' && value >= least && value <= 1
