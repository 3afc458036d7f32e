import { SkillError } from './errors.ts'
import type { Skill } from './skill.ts'

const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/
const METHODS = ['example', 'plan', 'checkUnit', 'cpu', 'gpu', 'verify'] as const

/**
 * What the type checker of a TypeScript program would have said of its skill.
 *
 * @throws SkillError `BAD_SKILL`
 */
export function checkSkill(given: unknown): Skill {
  const skill: Partial<Skill> = Object(given)
  const { name, version, timeout_secs: seconds, check }: Partial<Skill['manifest']> = Object(skill.manifest)
  const refuse = (what: string): never => {
    throw new SkillError('BAD_SKILL', `The skill ${String(name)} ${what}: docs/SKILLS.md shows a whole one.`)
  }
  if (typeof name !== 'string' || !NAME.test(name)) {
    refuse('needs a manifest with a name of at most 64 lower-case letters, digits and hyphens')
  }
  if (typeof version !== 'string' || (check !== 'strong' && check !== 'weak')) {
    refuse("needs a version, and a check that is 'strong' or 'weak', in its manifest")
  }
  if (!(Number.isSafeInteger(seconds) && Number(seconds) > 0)) {
    refuse('needs a timeout_secs, a whole number of seconds, in its manifest')
  }
  if (!Array.isArray(skill.variants) || typeof skill.input?.safeParse !== 'function') {
    refuse('needs variants (a list), and an input schema of zod/mini')
  }
  const missing = METHODS.find((method) => typeof skill[method] !== 'function')
  if (missing !== undefined) {
    refuse(`has no method ${missing}`)
  }
  return given as Skill // all of it was looked at above
}
