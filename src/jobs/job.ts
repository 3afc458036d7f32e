import type { Dispatch, Job, JobEvent, JobReceipt, JobState } from '../api.ts'
import type { SwarmError } from '../wire/index.ts'

type Progress = Extract<JobEvent, { type: 'progress' }>
type Retried = Extract<JobEvent, { type: 'retried' }>

/**
 * A submitted job as its requester holds it: a state, events, one result. Each iterator first gets what has
 * happened so far, then what happens; progress is coalesced, nothing else is dropped.
 */
export class JobHandle<Output> implements Job<Output> {
  readonly id: string
  readonly skill: string
  readonly result: Promise<{ value: Output; receipt: JobReceipt }>
  private current: JobState = 'queued'
  private readonly outcome = Promise.withResolvers<{ value: Output; receipt: JobReceipt }>()
  private readonly history: JobEvent[] = []
  private progress: Progress | undefined
  private readonly listeners = new Set<EventQueue>()
  private soFar: (() => Output) | undefined
  private readonly dispatches = new Map<number, Dispatch[]>()
  private readonly requestCancel: () => Promise<void>

  constructor(id: string, skill: string, cancel: () => Promise<void>) {
    this.id = id
    this.skill = skill
    this.requestCancel = cancel
    this.result = this.outcome.promise
    this.result.catch(() => {}) // rejects only for those who await it
  }

  get state(): JobState {
    return this.current
  }

  cancel(): Promise<void> {
    return this.requestCancel()
  }

  emit(event: JobEvent): void {
    if (event.type === 'progress') {
      this.progress = event
    } else {
      this.history.push(event)
    }
    for (const listener of this.listeners) {
      listener.push(event)
    }
  }

  partial(): Output | undefined {
    return this.soFar?.()
  }

  /** Where `partial` looks from now on. */
  watch(soFar: (() => Output) | undefined): void {
    this.soFar = soFar
  }

  why(unit: number): readonly Dispatch[] {
    return this.dispatches.get(unit) ?? []
  }

  /** The last unit that a provider failed at, and why. */
  get lastFailure(): Retried | undefined {
    return this.history.findLast((event) => event.type === 'retried')
  }

  /** A unit was handed to a provider. */
  note(unit: number, dispatch: Dispatch): void {
    this.dispatches.set(unit, [...this.why(unit), dispatch])
  }

  enter(state: JobState): void {
    this.current = state
  }

  succeed(value: Output, receipt: JobReceipt): void {
    this.current = 'done'
    this.outcome.resolve({ value, receipt })
    this.end({ type: 'done' })
  }

  fail(error: SwarmError): void {
    this.current = error.code === 'CANCELLED' ? 'cancelled' : 'failed'
    this.outcome.reject(error)
    this.end(this.current === 'cancelled' ? { type: 'cancelled' } : { type: 'failed', error })
  }

  async *[Symbol.asyncIterator](): AsyncIterator<JobEvent> {
    const queue = new EventQueue([...this.history, ...(this.progress ? [this.progress] : [])])
    if (isFinal(this.history.at(-1))) {
      queue.close()
    } else {
      this.listeners.add(queue)
    }
    try {
      yield* queue
    } finally {
      this.listeners.delete(queue)
    }
  }

  private end(event: JobEvent): void {
    this.emit(event)
    for (const listener of this.listeners) {
      listener.close()
    }
  }
}

const isFinal = (event: JobEvent | undefined) =>
  event?.type === 'done' || event?.type === 'failed' || event?.type === 'cancelled'

/** Events that wait for one reader; of consecutive progress events only the last waits. */
class EventQueue implements AsyncIterable<JobEvent> {
  private waiting: JobEvent[]
  private closed = false
  private wake = Promise.withResolvers<void>()

  constructor(initial: JobEvent[]) {
    this.waiting = initial
  }

  push(event: JobEvent): void {
    if (event.type === 'progress' && this.waiting.at(-1)?.type === 'progress') {
      this.waiting.pop()
    }
    this.waiting.push(event)
    this.wake.resolve()
  }

  close(): void {
    this.closed = true
    this.wake.resolve()
  }

  async *[Symbol.asyncIterator](): AsyncIterator<JobEvent> {
    while (true) {
      const events = this.waiting
      this.waiting = []
      yield* events
      if (this.waiting.length === 0) {
        if (this.closed) {
          return
        }
        await this.wake.promise
        this.wake = Promise.withResolvers<void>()
      }
    }
  }
}
