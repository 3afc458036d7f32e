import { defineSkill } from '../../src/own-skills.ts' // for you: 'swarmharness/skills'
import { smallestFactors } from '../smallest-factor/skill.ts'

/** A skill by whose value jobs are submitted. */
export const factors = defineSkill(smallestFactors)
