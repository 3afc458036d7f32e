import type { SwarmCore } from '../api.ts'
import { JobError, priceOf, RATE_DEFAULT } from '../jobs/index.ts'
import type { Offer } from '../registry/index.ts'
import { inputFields, inputIssues, kernelHash, SKILLS, type Skill, skillIn } from '../skills/index.ts'

/**
 * @param all that the node knows
 * @param wanted names; undefined: all
 * @throws SkillError `UNKNOWN_SKILL`, JobError `BAD_OPTION` for none
 */
export function servedSkills(
  all: ReadonlyMap<string, Skill>,
  wanted: readonly string[] | undefined
): ReadonlyMap<string, Skill> {
  if (wanted === undefined) {
    return all
  }
  if (!Array.isArray(wanted) || wanted.length === 0) {
    throw new JobError('BAD_OPTION', 'skills is a list of at least one name: to serve none, pause().')
  }
  return new Map(wanted.map((name) => [name, skillIn(all, name)]))
}

/** @param rate the least that units are computed for, in thousandths of their published cost */
export async function offeredSkills(
  rate: number,
  served: ReadonlyMap<string, Skill>
): Promise<Offer['skills']> {
  return Promise.all(
    [...served.values()].map(async (skill) => ({
      name: skill.manifest.name,
      version: skill.manifest.version,
      kernel: await kernelHash(skill),
      rate
    }))
  )
}

export function skillList(all: ReadonlyMap<string, Skill> = SKILLS): SwarmCore['skills'] {
  return [...all.values()].map((skill) => {
    const { name, version, description } = skill.manifest
    return {
      name,
      version,
      description,
      example: skill.example,
      fields: inputFields(skill),
      check: (input) => inputIssues(skill, input),
      price: (input) => priceOf(skill.plan(input).units, RATE_DEFAULT)
    }
  })
}
