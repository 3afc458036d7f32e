import type { SwarmCore } from '../api.ts'
import type { Offer } from '../registry/index.ts'
import { inputFields, inputIssues, kernelHash, SKILLS } from '../skills/index.ts'

/** @param rate the least that units are computed for, in thousandths of their published cost */
export async function offeredSkills(rate: number): Promise<Offer['skills']> {
  return Promise.all(
    [...SKILLS.values()].map(async (skill) => ({
      name: skill.manifest.name,
      version: skill.manifest.version,
      kernel: await kernelHash(skill),
      rate
    }))
  )
}

export function skillList(): SwarmCore['skills'] {
  return [...SKILLS.values()].map((skill) => {
    const { name, version, description } = skill.manifest
    return {
      name,
      version,
      description,
      example: skill.example,
      fields: inputFields(skill),
      check: (input) => inputIssues(skill, input)
    }
  })
}
