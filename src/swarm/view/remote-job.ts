import type { Dispatch, Job, JobEvent, JobReceipt, JobState } from '../../api.ts'
import { JobError, JobHandle, typedError } from '../../jobs/index.ts'
import type { SwarmError } from '../../wire/index.ts'
import { badMessage } from './errors.ts'

/** What a job in another tab is asked through. */
export interface JobLink {
  follow(id: string): Promise<unknown>
  partial(id: string): Promise<unknown>
  result(id: string): Promise<{ value: unknown; receipt: JobReceipt }>
  cancel(id: string): Promise<unknown>
}

interface Heard {
  readonly event: JobEvent
  readonly dispatch: Dispatch | undefined
}

const isFinal = ({ type }: JobEvent) => type === 'done' || type === 'failed' || type === 'cancelled'

/** A job of the node in another tab. Its events and its value travel when somebody here asks for them. */
export class RemoteJob implements Job {
  readonly skill: string
  private readonly link: JobLink
  private readonly accepted: Promise<string>
  private readonly handle: JobHandle<unknown>
  private knownId = ''
  private isFollowed = false
  private isEnded = false
  private outcome: Promise<{ value: unknown; receipt: JobReceipt }> | undefined
  private receipt: JobReceipt | undefined
  private readonly waiting: Heard[] = []
  private isPumping = false
  private soFar: unknown

  /** @param accepted its id, once the node has taken it */
  constructor(skill: string, accepted: string | Promise<string>, link: JobLink) {
    this.skill = skill
    this.link = link
    this.handle = new JobHandle('', skill, async () => {})
    this.handle.watch(() => this.soFar)
    if (typeof accepted === 'string') {
      this.knownId = accepted
    }
    this.accepted = Promise.resolve(accepted).then((id) => {
      this.knownId = id
      return id
    })
    this.accepted.catch((error: unknown) => this.end(typedError(error)))
  }

  /** Empty until the node has taken it. */
  get id(): string {
    return this.knownId
  }

  get state(): JobState {
    return this.handle.state
  }

  get result(): Promise<{ value: unknown; receipt: JobReceipt }> {
    if (this.outcome === undefined) {
      this.outcome = this.accepted.then((id) => this.link.result(id))
      this.outcome.catch(() => {}) // rejects only for those who await it
    }
    return this.outcome
  }

  partial(): unknown {
    return this.handle.partial()
  }

  why(unit: number): readonly Dispatch[] {
    return this.handle.why(unit)
  }

  async cancel(): Promise<void> {
    await this.link.cancel(await this.accepted)
  }

  [Symbol.asyncIterator](): AsyncIterator<JobEvent> {
    if (!this.isFollowed) {
      this.isFollowed = true
      this.accepted.then((id) => this.link.follow(id)).catch((error: unknown) => this.end(typedError(error)))
    }
    return this.handle[Symbol.asyncIterator]()
  }

  /** As the node lists it. */
  enter(state: JobState): void {
    if (!this.isEnded) {
      this.handle.enter(state)
    }
  }

  hear(event: JobEvent, dispatch: Dispatch | undefined): void {
    this.waiting.push({ event, dispatch })
    if (!this.isPumping) {
      void this.pump()
    }
  }

  /** No more will come. */
  end(error: SwarmError): void {
    if (!this.isEnded) {
      this.isEnded = true
      this.handle.fail(error)
    }
  }

  /** A picture travels before the event that tells of it, but only for the newest of those that wait. */
  private async pump(): Promise<void> {
    this.isPumping = true
    for (let heard = this.waiting.shift(); heard !== undefined; heard = this.waiting.shift()) {
      const isSuperseded = this.waiting.some(({ event }) => event.type === 'verified' || isFinal(event))
      if (heard.event.type === 'verified' && !isSuperseded) {
        // whoever cannot be asked any more ends the job by itself
        this.soFar = await this.link.partial(this.knownId).catch(() => this.soFar)
      }
      this.tell(heard)
    }
    this.isPumping = false
  }

  private tell({ event, dispatch }: Heard): void {
    if (this.isEnded) {
      return
    }
    switch (event.type) {
      case 'done':
        if (this.receipt === undefined) {
          this.end(badMessage())
        } else {
          this.isEnded = true
          this.handle.succeed(undefined, this.receipt) // the value itself is fetched by `result`
        }
        return
      case 'failed':
        this.end(event.error)
        return
      case 'cancelled':
        this.end(new JobError('CANCELLED', 'The job was cancelled.'))
        return
      case 'settled':
        this.receipt = event.receipt
        break
      case 'assigned':
        if (dispatch !== undefined) {
          this.handle.note(event.unit, dispatch)
        }
        break
    }
    this.handle.emit(event)
  }
}
