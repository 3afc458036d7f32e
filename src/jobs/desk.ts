import type { JobReceipt, SubmitOptions } from '../api.ts'
import type { MicroCredits, SwarmError } from '../wire/index.ts'
import { DEADLINE_DEFAULT } from './constants.ts'
import { JobError } from './errors.ts'
import type { JobHandle } from './job.ts'
import { deadlineSignal, typedError } from './options.ts'
import { hex } from './plan.ts'
import { ReceiptBook } from './receipt-book.ts'
import type { Place, Subtasks } from './subtasks.ts'

/** A job as it is asked for: planned and priced. */
export interface Order<Output, Handle extends JobHandle<Output>> {
  readonly skill: string
  /** What it costs if every unit is done once (µcr). */
  readonly price: MicroCredits
  readonly units: number
  readonly options: Omit<SubmitOptions, 'redundancy'>
  /** The split of its settles. */
  readonly split: JobReceipt['split']
  readonly handle: (id: string, skill: string, cancel: () => Promise<void>) => Handle
  /** Runs it until all is verified and settled. @returns puts the output together */
  readonly work: (begun: Begun<Handle>) => Promise<() => Output>
}

/** A job that runs. */
export interface Begun<Handle> {
  readonly jobId: Uint8Array
  readonly handle: Handle
  readonly book: ReceiptBook
  readonly place: Place
  /** Of its own units: without what those may cost that it hires. */
  readonly budget: MicroCredits
  /** Cancelled, stopped, out of time, or ended with what hired it. */
  readonly signal: AbortSignal
}

/** How every job begins and ends, whatever it does in between: budget, deadline, place, books, result. */
export class JobDesk {
  private readonly subtasks: Subtasks
  private readonly running = new Map<string, Promise<void>>()
  private readonly stopped = new AbortController()

  constructor(subtasks: Subtasks) {
    this.subtasks = subtasks
  }

  /** @throws JobError `STOPPED` */
  refuseIfStopped(): void {
    this.stopped.signal.throwIfAborted()
  }

  /** @throws JobError `BUDGET_TOO_SMALL`, `BAD_OPTION` for a parent that cannot hire it */
  begin<Output, Handle extends JobHandle<Output>>(order: Order<Output, Handle>): Handle {
    const { skill, price, units, options } = order
    const { subtaskBudget = 0n, parent } = options
    const whole = options.budget ?? 2n * price + subtaskBudget
    const budget = whole - subtaskBudget
    if (budget < price) {
      throw new JobError('BUDGET_TOO_SMALL', `The job costs ${price} µcr; the budget is ${budget} µcr.`, {
        details: { price: price.toString(), budget: budget.toString() }
      })
    }
    this.subtasks.check(parent, whole)
    const jobId = crypto.getRandomValues(new Uint8Array(16))
    const id = hex(jobId)
    const cancel = new AbortController()
    const deadline = deadlineSignal(options.deadlineMs ?? DEADLINE_DEFAULT)
    const own = AbortSignal.any([
      cancel.signal,
      this.stopped.signal,
      deadline.signal,
      ...(options.signal ? [options.signal] : [])
    ])
    const place = this.subtasks.begin({ id, parent, budget: whole, subtaskBudget, signal: own })
    const handle = order.handle(id, skill, async () => {
      cancel.abort(new JobError('CANCELLED', 'The job was cancelled.'))
      await this.running.get(id)
    })
    handle.emit({ type: 'queued', price, units })
    const book = new ReceiptBook(id, skill, price, order.split)
    const run = this.run(order, { jobId, handle, book, place, budget, signal: place.signal }).finally(() => {
      deadline.clear()
      this.running.delete(id)
    })
    this.running.set(id, run)
    return handle
  }

  /** Cancels all and waits until their books are closed. */
  async stop(): Promise<void> {
    this.stopped.abort(new JobError('STOPPED', 'This node has stopped: create a new swarm.'))
    await Promise.all(this.running.values())
  }

  /** Never rejects: the handle has its error. Resolves when all books are closed, of what it hired too if it fails. */
  private async run<Output, Handle extends JobHandle<Output>>(
    { work, options }: Order<Output, Handle>,
    begun: Begun<Handle>
  ): Promise<void> {
    const { book, handle, place, signal } = begun
    try {
      const finish = await work(begun)
      const value = finish()
      const receipt = book.receipt()
      handle.emit({ type: 'settled', receipt })
      void place.end(book.paid, 'done')
      handle.succeed(value, receipt)
    } catch (thrown) {
      const error = signal.aborted ? signal.reason : thrown
      if (book.hasSettled) {
        handle.emit({ type: 'settled', receipt: book.receipt() })
      }
      const ended = place.end(book.paid, 'failed')
      handle.fail(withCause(typedError(error, options.signal), handle.lastFailure))
      await ended
    }
  }
}

/** Why nobody is left, where those that there were have failed. */
function withCause(error: SwarmError, last: JobHandle<unknown>['lastFailure']): SwarmError {
  if (error.code !== 'NO_PROVIDER' || last === undefined) {
    return error
  }
  const { message, retryable, details } = error
  return new JobError('NO_PROVIDER', `${message} Unit ${last.unit} had come back: ${last.reason}`, {
    retryable,
    details: { ...details, unit: last.unit },
    cause: error
  })
}
