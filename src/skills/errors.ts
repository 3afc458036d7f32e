import { SwarmError } from '../wire/index.ts'

/**
 * `BAD_INPUT`: a job's input that the schema refuses. `BAD_UNIT`: a stranger's unit out of range.
 * `BAD_RESULT`: a result that the assembler cannot take. `INCOMPLETE`: units are missing.
 * `UNKNOWN_SKILL`: this build has no such skill.
 */
export type SkillErrorCode = 'BAD_INPUT' | 'BAD_UNIT' | 'BAD_RESULT' | 'INCOMPLETE' | 'UNKNOWN_SKILL'

export class SkillError extends SwarmError<SkillErrorCode> {
  override readonly name = 'SkillError'
}
