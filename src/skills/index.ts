import { SkillError } from './errors.ts'
import { knnI8 } from './knn-i8/skill.ts'
import { mandelbrot } from './mandelbrot/skill.ts'
import { matmulF32 } from './matmul-f32/skill.ts'
import { matmulI8 } from './matmul-i8/skill.ts'
import { checkSkill } from './own-skill.ts'
import { renderTile } from './render-tile/skill.ts'
import type { Skill } from './skill.ts'

export {
  type Chain,
  type ChainAssembler,
  type ChainPlan,
  type ChainSource,
  type ChainUnit,
  type Rows,
  SCALE_ONE,
  type Via
} from './chain.ts'
export { SkillError, type SkillErrorCode } from './errors.ts'
export { type InputField, type InputIssue, inputFields, inputIssues } from './input-fields.ts'
export { kernelHash } from './kernel-hash.ts'
export type { KnnInput, KnnOutput } from './knn-i8/plan.ts'
export type { MandelbrotInput, MandelbrotOutput } from './mandelbrot/skill.ts'
export type { MatmulF32Input, MatmulF32Output } from './matmul-f32/skill.ts'
export type { MatmulInput, MatmulOutput } from './matmul-i8/skill.ts'
export type { Material, RenderInput, RenderOutput, Scene, Vector } from './render-tile/skill.ts'
export type * from './skill.ts'

/** All skills of this build, by name. */
export const SKILLS: ReadonlyMap<string, Skill> = new Map<string, Skill>([
  // as Skill: what `input` accepts is checked by `plan` before use
  [matmulI8.manifest.name, matmulI8 as Skill],
  [matmulF32.manifest.name, matmulF32 as Skill],
  [knnI8.manifest.name, knnI8 as Skill],
  [mandelbrot.manifest.name, mandelbrot as Skill],
  [renderTile.manifest.name, renderTile as Skill]
])

/**
 * All skills of this build, and a program's own.
 *
 * @throws SkillError `BAD_SKILL`
 */
export function skillsWith(own: readonly unknown[]): ReadonlyMap<string, Skill> {
  const all = new Map(SKILLS)
  for (const each of own) {
    const skill = checkSkill(each)
    if (all.has(skill.manifest.name)) {
      throw new SkillError(
        'BAD_SKILL',
        `There is a skill ${skill.manifest.name} already: choose another name.`
      )
    }
    all.set(skill.manifest.name, skill)
  }
  return all
}

/** @throws SkillError `UNKNOWN_SKILL` */
export const skillByName = (name: string): Skill => skillIn(SKILLS, name)

/** @throws SkillError `UNKNOWN_SKILL` */
export function skillIn(skills: ReadonlyMap<string, Skill>, name: string): Skill {
  const skill = skills.get(name)
  if (skill === undefined) {
    const known = [...skills.keys()].join(', ')
    throw new SkillError('UNKNOWN_SKILL', `There is no skill of this name here. Known: ${known}.`)
  }
  return skill
}
