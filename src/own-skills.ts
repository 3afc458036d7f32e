/**
 * `swarmharness/skills`: for skills of your own, which peers that run the same code compute for each other. The skill
 * is a module of yours; the worker that computes it is another, of two lines.
 *
 * @example
 *
 * ```ts
 * // factors.ts
 * export const factors = defineSkill({ manifest, input, plan, checkUnit, cpu, gpu, verify, variants, example })
 * // factors-worker.ts
 * serveSkills([factors])
 * // the program
 * const worker = () => new Worker(new URL('./factors-worker.ts', import.meta.url), { type: 'module' })
 * const swarm = await createSwarm({ relays, skills: [factors], worker })
 * ```
 *
 * @packageDocumentation
 */
import { serve } from '#worker-platform'
import type { OwnSkill } from './api-sdk.ts'
import type { Skill } from './skills/index.ts'

export type { OwnSkill, TypedSkill } from './api-sdk.ts'
export type {
  Assembler,
  GpuBinding,
  GpuDispatch,
  GpuProgram,
  KernelVariant,
  Manifest,
  Plan,
  PlanOptions,
  Skill,
  UnitInput,
  UnitSpec
} from './skills/index.ts'
export { SkillError, type SkillErrorCode } from './skills/index.ts'

/** A skill by whose value jobs are submitted, with the types of its input and output. */
export function defineSkill<Input, Output>(skill: Skill<Input, Output>): DefinedSkill<Input, Output> {
  return { ...skill, name: skill.manifest.name }
}

/** A skill, and how jobs name it. */
export type DefinedSkill<Input, Output> = Skill<Input, Output> & OwnSkill<Input, Output>

/**
 * The whole of a worker's file: serves these skills, and those of this build, to the program that made the worker.
 *
 * @throws SkillError `BAD_SKILL`
 */
export function serveSkills(own: readonly OwnSkill[]): void {
  serve(own)
}
