import type { Job } from '../api.ts'

/** Finished jobs that are still named: each holds its result. */
const FINISHED_REMEMBERED = 32

/** The jobs that a node has given away: those that run, and the last that ended. */
export class OwnJobs {
  private readonly jobs = new Map<string, Job>()
  /** Ids of finished ones, oldest first. */
  private readonly ended: string[] = []
  private readonly onEvent: () => void
  private readonly onEnd: () => void

  constructor({ onEvent, onEnd }: { readonly onEvent: () => void; readonly onEnd: () => void }) {
    this.onEvent = onEvent
    this.onEnd = onEnd
  }

  list(): readonly Job[] {
    return [...this.jobs.values()]
  }

  add<Added extends Job>(job: Added): Added {
    this.jobs.set(job.id, job)
    void this.follow(job)
    return job
  }

  /** Iterating a job never fails: a job that does says so in an event. */
  private async follow(job: Job): Promise<void> {
    for await (const _ of job) {
      this.onEvent()
    }
    this.onEnd()
    this.ended.push(job.id)
    if (this.ended.length > FINISHED_REMEMBERED) {
      this.jobs.delete(this.ended.shift() ?? '')
    }
  }
}
