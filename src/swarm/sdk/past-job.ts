import type { Dispatch, Job, JobEvent, JobReceipt } from '../../api.ts'
import { JobError } from '../../jobs/index.ts'
import { SwarmError } from '../../wire/index.ts'
import type { JobRow } from './rows.ts'

export interface PastJobInit {
  readonly row: JobRow
  readonly readValue: () => Promise<unknown>
}

/** A job of an earlier life of this node: what is left of it. */
export class PastJob implements Job {
  readonly id: string
  readonly skill: string
  readonly state: Job['state']
  private readonly init: PastJobInit
  private outcome: Promise<{ value: unknown; receipt: JobReceipt }> | undefined

  constructor(init: PastJobInit) {
    const { row } = init
    this.init = init
    this.id = row.id
    this.skill = row.skill
    this.state = row.state === 'running' ? 'failed' : row.state
  }

  /** Read when it is asked for. */
  get result(): Promise<{ value: unknown; receipt: JobReceipt }> {
    if (this.outcome === undefined) {
      this.outcome = this.read()
      this.outcome.catch(() => {}) // rejects only for those who await it
    }
    return this.outcome
  }

  partial(): undefined {}

  why(): readonly Dispatch[] {
    return []
  }

  async cancel(): Promise<void> {} // over it is

  async *[Symbol.asyncIterator](): AsyncIterator<JobEvent> {
    const { receipt } = this.init.row
    if (receipt !== undefined) {
      yield { type: 'settled', receipt }
    }
    if (this.state === 'done') {
      yield { type: 'done' }
    } else if (this.state === 'cancelled') {
      yield { type: 'cancelled' }
    } else {
      yield { type: 'failed', error: this.error() }
    }
  }

  private async read(): Promise<{ value: unknown; receipt: JobReceipt }> {
    const { row, readValue } = this.init
    if (row.state !== 'done' || row.receipt === undefined) {
      throw this.error()
    }
    const value = row.hasValue ? await readValue() : undefined
    if (value === undefined) {
      throw new JobError(
        'RESULT_GONE',
        'The job is done and paid, but its value was not kept (it was above 4 MiB, or much came after it): ' +
          'submit it again without its key.',
        { details: { jobId: row.id, paid: `${row.receipt.paid}` } }
      )
    }
    return { value, receipt: row.receipt }
  }

  private error(): SwarmError {
    const { state, error } = this.init.row
    if (error !== undefined) {
      const { code, message, retryable, details } = error
      return new SwarmError(code, message, { retryable, details })
    }
    return state === 'cancelled'
      ? new JobError('CANCELLED', 'The job was cancelled.')
      : new JobError(
          'INTERRUPTED',
          'The program ended while the job ran. What was verified is paid, the rest refunded: submit it again.',
          { retryable: true }
        )
  }
}
