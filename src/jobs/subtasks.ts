import type { CID } from 'multiformats/cid'
import type { MicroCredits } from '../wire/index.ts'
import { JobError } from './errors.ts'
import { orAborted } from './waiting.ts'

/** How deep jobs may hire jobs: a job that nobody hired has depth 0. */
export const DEPTH_MAX = 4

/** A job's place among those that hire each other. */
export interface Place {
  /** Ends it: its own reasons, and those of its parent. */
  readonly signal: AbortSignal
  /** The escrow that its own ones cite: waits until its parent has one. Undefined: nobody hired it. */
  parentEscrow(signal: AbortSignal): Promise<CID | undefined>
  /** An escrow of its own was made. */
  opened(escrow: CID): void
  /** Its books are closed: what it did not cost is its parent's again. */
  end(paid: MicroCredits): void
}

export interface PlaceInit {
  readonly id: string
  readonly parent: string | undefined
  /** The most that it and all that it hires may cost (µcr). */
  readonly budget: MicroCredits
  /** Of that, what those may cost that it hires. */
  readonly subtaskBudget: MicroCredits
  /** Its own reasons to end. */
  readonly signal: AbortSignal
}

interface Running extends PlaceInit {
  readonly depth: number
  /** Of its subtask budget: the budgets of those that run, and what the others cost. */
  spent: MicroCredits
  readonly escrow: PromiseWithResolvers<CID>
}

/** Jobs that hire further jobs: each within what its parent left for that, and not too deep. */
export class Subtasks {
  private readonly running = new Map<string, Running>()

  /**
   * The limits alone, before anything is begun.
   *
   * @throws JobError `BAD_OPTION` for a parent that does not run, or too deep; `BUDGET_TOO_SMALL` beyond what it left
   */
  check(parent: string | undefined, budget: MicroCredits): void {
    const hirer = parent === undefined ? undefined : this.running.get(parent)
    if (parent !== undefined && hirer === undefined) {
      throw new JobError('BAD_OPTION', `No job ${parent} runs here: only one that runs hires others.`)
    }
    if (hirer !== undefined && hirer.depth >= DEPTH_MAX) {
      throw new JobError('BAD_OPTION', `Jobs hire jobs ${DEPTH_MAX} deep at most.`)
    }
    const left = hirer === undefined ? budget : hirer.subtaskBudget - hirer.spent
    if (budget > left) {
      throw new JobError(
        'BUDGET_TOO_SMALL',
        `The budget is ${budget} µcr; its parent has ${left} µcr left for it.`,
        {
          details: { budget: budget.toString(), left: left.toString() }
        }
      )
    }
  }

  /** @throws as `check` */
  begin(init: PlaceInit): Place {
    this.check(init.parent, init.budget)
    const hirer = init.parent === undefined ? undefined : this.running.get(init.parent)
    if (hirer !== undefined) {
      hirer.spent += init.budget
    }
    const ended = new AbortController()
    const end = () => ended.abort(new JobError('CANCELLED', 'The job that hired this one was ended.'))
    if (hirer?.signal.aborted === true) {
      end()
    }
    hirer?.signal.addEventListener('abort', end, { once: true })
    const signal = AbortSignal.any([init.signal, ended.signal])
    const escrow = Promise.withResolvers<CID>()
    escrow.promise.catch(() => {}) // whoever waits for it hears of it
    this.running.set(init.id, { ...init, signal, depth: (hirer?.depth ?? -1) + 1, spent: 0n, escrow })
    return {
      signal,
      parentEscrow: async (until) => hirer && orAborted(hirer.escrow.promise, until),
      opened: (id) => escrow.resolve(id),
      end: (paid) => {
        const own = this.running.get(init.id)
        hirer?.signal.removeEventListener('abort', end)
        if (own !== undefined && this.running.delete(init.id)) {
          escrow.reject(new JobError('CANCELLED', 'The job that hired this one has ended without an escrow.'))
          if (hirer !== undefined) {
            hirer.spent -= init.budget - min(init.budget, paid + own.spent)
          }
        }
      }
    }
  }
}

const min = (a: MicroCredits, b: MicroCredits) => (a < b ? a : b)
