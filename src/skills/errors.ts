import { SwarmError } from '../wire/index.ts'

/**
 * `BAD_INPUT`: a job's input that the schema refuses. `BAD_UNIT`: a stranger's unit out of range.
 * `BAD_RESULT`: a result that the assembler cannot take. `INCOMPLETE`: units are missing.
 * `UNKNOWN_SKILL`: this build has no such skill. `BAD_MODULE`: WebAssembly that is not what its twin expects.
 * `NO_MEMORY`: the host has no room for a unit. `BAD_SKILL`: a skill of a program's own lacks something, or its name is taken.
 */
export type SkillErrorCode =
  | 'BAD_INPUT'
  | 'BAD_UNIT'
  | 'BAD_RESULT'
  | 'INCOMPLETE'
  | 'UNKNOWN_SKILL'
  | 'BAD_MODULE'
  | 'NO_MEMORY'
  | 'BAD_SKILL'

export class SkillError extends SwarmError<SkillErrorCode> {
  override readonly name = 'SkillError'
}
