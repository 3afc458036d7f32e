import type { CID } from 'multiformats/cid'
import type { MicroCredits } from '../wire/index.ts'
import { JobError } from './errors.ts'
import { min } from './price.ts'
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
  /**
   * Its books are closed: what it did not cost is its parent's again. What it hired is ended with it if it has failed;
   * else that goes on, on the account of its parent.
   *
   * @returns resolves when the books of all that was ended with it are closed, too
   */
  end(paid: MicroCredits, how: 'done' | 'failed'): Promise<void>
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
  /** Who hired it; once that one is done, who hired that. */
  hirer: Running | undefined
  /** What it has hired, and runs. */
  readonly hired: Set<Running>
  readonly ending: AbortController
  /** Its books are closed, and those of all that was ended with it. */
  readonly closed: PromiseWithResolvers<void>
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
    const ending = new AbortController()
    const signal = AbortSignal.any([init.signal, ending.signal])
    const escrow = Promise.withResolvers<CID>()
    escrow.promise.catch(() => {}) // whoever waits for it hears of it
    const own: Running = {
      ...init,
      signal,
      depth: (hirer?.depth ?? -1) + 1,
      spent: 0n,
      escrow,
      hirer,
      hired: new Set(),
      ending,
      closed: Promise.withResolvers()
    }
    if (hirer !== undefined) {
      hirer.spent += init.budget
      hirer.hired.add(own)
      endIfOver(own, hirer)
    }
    signal.addEventListener('abort', () => endAll(own.hired), { once: true })
    this.running.set(init.id, own)
    return {
      signal,
      parentEscrow: async (until) => hirer && orAborted(hirer.escrow.promise, until),
      opened: (id) => escrow.resolve(id),
      end: (paid, how) => this.end(own, paid, how)
    }
  }

  private async end(own: Running, paid: MicroCredits, how: 'done' | 'failed'): Promise<void> {
    if (!this.running.delete(own.id)) {
      return own.closed.promise
    }
    own.escrow.reject(new JobError('CANCELLED', 'The job that hired this one has ended without an escrow.'))
    const { hirer } = own
    if (hirer !== undefined) {
      hirer.spent -= own.budget - min(own.budget, paid + own.spent)
      hirer.hired.delete(own)
    }
    const left = [...own.hired]
    own.hired.clear()
    for (const each of left) {
      each.hirer = hirer
      hirer?.hired.add(each)
      if (hirer !== undefined) {
        endIfOver(each, hirer)
      }
    }
    if (how === 'failed') {
      endAll(left)
      await Promise.all(left.map(({ closed }) => closed.promise))
    }
    own.closed.resolve()
  }
}

/** For a job that is hired, or taken over, in the moment in which its hirer ends. */
function endIfOver(own: Running, hirer: Running): void {
  if (hirer.signal.aborted) {
    endAll([own])
  }
}

function endAll(some: Iterable<Running>): void {
  for (const { ending } of some) {
    ending.abort(new JobError('CANCELLED', 'The job that hired this one was ended.'))
  }
}
