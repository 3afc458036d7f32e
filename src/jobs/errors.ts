import { SwarmError } from '../wire/index.ts'

export type JobErrorCode =
  | 'BAD_OPTION'
  | 'UNKNOWN_SKILL'
  | 'BUDGET_TOO_SMALL'
  | 'NO_PROVIDER'
  | 'DEADLINE'
  | 'CANCELLED'
  | 'STOPPED'
  | 'UNIT_FAILED'
  | 'REFUSED'
  | 'PROTOCOL'
  | 'UNIT_TIMEOUT'
  | 'WRONG_RESULT'
  | 'BUSY'
  /** The result of the stage before is wrong, as its next provider says. */
  | 'WRONG_INPUT'
  /** Who has it does not have it any more, or cannot be reached. */
  | 'INPUT_GONE'
  | 'KEY_REUSED'
  | 'INTERRUPTED'
  | 'RESULT_GONE'

/** What ends a job, or one provider's part in it. Thrown by `submit`, rejects `job.result`. */
export class JobError extends SwarmError<JobErrorCode> {
  override readonly name = 'JobError'
}
