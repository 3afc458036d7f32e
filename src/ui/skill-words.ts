import type { SkillInfo } from '../api.ts'
import { texts } from './texts/index.ts'

interface Words {
  readonly title: string
  readonly text: string
}

function knownWords(skill: string): Words | undefined {
  const known: Readonly<Record<string, Words>> = texts.hire.skills
  return Object.hasOwn(known, skill) ? known[skill] : undefined
}

/** In the page's language; a skill that it has no words for is shown by its own. */
export const wordsOf = ({ name, description }: SkillInfo): Words =>
  knownWords(name) ?? { title: name, text: description }

/** A stranger may have named the skill: bounded. */
export const skillTitle = (skill: string): string => knownWords(skill)?.title ?? skill.slice(0, 64)
