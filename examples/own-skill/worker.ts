import { serveSkills } from '../../src/own-skills.ts' // for you: 'swarmharness/skills'
import { factors } from './skill.ts'

// The whole of a worker's file: `createSwarm({ skills: [factors], worker })` names it.
serveSkills([factors])
