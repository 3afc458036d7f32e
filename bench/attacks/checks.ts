import { SKILLS } from '../../src/skills/index.ts'
import { CHEATS } from '../verify/cheats.ts'
import { cpuTwins } from '../verify/honest.ts'
import { hasJobs, isFloat, seeded, unitsOf } from '../verify/jobs.ts'

/** Results of each skill that are tried; `npm run bench -- verify` tries a thousand. */
const TRIES = 40

/**
 * What the product's own checks see of results that were not computed: the share of the skill that sees least.
 * Skills whose check is weak are replicated, and tried elsewhere.
 *
 * @param cheats names in `bench/verify/cheats.ts`
 * @throws Error where a right result is refused: whoever refuses all of them sees all cheats, too
 */
export async function seenBy(cheats: readonly string[], seed: number): Promise<number> {
  const shares: number[] = []
  for (const skill of SKILLS.values()) {
    const { name, check } = skill.manifest
    if (!hasJobs(name) || check === 'weak') {
      continue
    }
    const { fast, verify } = await cpuTwins(skill)
    const [units, before] = [unitsOf(skill, seed), unitsOf(skill, seed + 1)]
    const [results, earlier] = [units.map(fast), before.map(fast)]
    const random = seeded(seed)
    for (const cheat of cheats) {
      let [seen, done] = [0, 0]
      for (let i = 0; i < TRIES; i++) {
        const at = i % units.length
        const [unit, right, other, old] = [
          units[at],
          results[at],
          results[(at + 1) % units.length],
          earlier[at]
        ]
        if (!unit || !right || !other || !old || !verify(unit, right, random)) {
          throw new Error(`${name}: a right result was refused.`)
        }
        const forged =
          CHEATS[cheat]?.({ right, other, earlier: old, isFloat: isFloat(name), random }) ?? right
        if (Buffer.compare(forged, right) !== 0) {
          seen += verify(unit, forged, random) ? 0 : 1
          done += 1
        }
      }
      shares.push(done === 0 ? 1 : seen / done)
    }
  }
  return Math.min(...shares)
}
