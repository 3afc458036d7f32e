import type { JobEvent, JobReceipt, JobState } from '../api.ts'
import { describeFailure, type Failure } from './failure.ts'
import { formatInteger, formatUnits, shortId } from './format.ts'
import { texts } from './texts/index.ts'

export type UnitState = 'waiting' | 'sent' | 'verified'

/** What the page shows of one job: a pure fold of its events. */
export interface JobModel {
  readonly state: JobState
  /** Units done, of how many; `of` is 0 until the plan is known. */
  readonly done: number
  readonly of: number
  /** The first of the units. */
  readonly units: readonly UnitState[]
  /** The newest that `logLine` has words for, oldest first. */
  readonly log: readonly JobEvent[]
  readonly logDropped: number
  readonly receipt: JobReceipt | undefined
  readonly failure: Failure | undefined
}

const LOG_MOST = 200
/** Units of a job of which each is shown. */
export const UNITS_SHOWN = 512

export const NEW_JOB: JobModel = {
  state: 'queued',
  done: 0,
  of: 0,
  units: [],
  log: [],
  logDropped: 0,
  receipt: undefined,
  failure: undefined
}

export function applyJobEvent(model: JobModel, event: JobEvent): JobModel {
  const next = event.type === 'progress' ? model : withLogged(model, event)
  switch (event.type) {
    case 'queued':
      return {
        ...next,
        of: event.units,
        units: Array.from({ length: Math.min(event.units, UNITS_SHOWN) }, () => 'waiting')
      }
    case 'hired':
      return next
    case 'assigned':
      return { ...next, state: 'running', units: markUnit(next.units, event.unit, 'sent') }
    case 'progress':
      return { ...next, state: 'running', done: Math.min(event.done, event.of), of: event.of }
    case 'verified':
      return { ...next, state: 'running', units: markUnit(next.units, event.unit, 'verified') }
    case 'retried':
      return { ...next, state: 'running', units: markUnit(next.units, event.unit, 'waiting') }
    case 'settled':
      return { ...next, state: 'settling', receipt: event.receipt }
    case 'done':
      return { ...next, state: 'done', done: next.of, units: next.units.map(() => 'verified') }
    case 'failed':
      return { ...next, state: 'failed', failure: describeFailure(event.error) }
    case 'cancelled':
      return { ...next, state: 'cancelled' }
  }
}

/** A unit that is verified stays so: copies of it may still be on their way. */
function markUnit(units: readonly UnitState[], unit: number, state: UnitState): readonly UnitState[] {
  const before = units[unit]
  return before === undefined || before === 'verified' || before === state ? units : units.with(unit, state)
}

export function isOver(state: JobState): boolean {
  return state === 'done' || state === 'failed' || state === 'cancelled'
}

/** 0 to 1. */
export function shareDone(model: JobModel): number {
  return model.state === 'done' ? 1 : model.of === 0 ? 0 : model.done / model.of
}

const ANNOUNCE_EVERY_MS = 2_000

/** Whether a screen reader should hear of `next`: each new state at once, mere progress every two seconds. */
export function shouldAnnounce(
  said: { state: JobState; at: number } | undefined,
  next: JobModel,
  now: number
): boolean {
  return said === undefined || said.state !== next.state || now - said.at >= ANNOUNCE_EVERY_MS
}

function withLogged(model: JobModel, event: JobEvent): JobModel {
  const log = [...model.log, event]
  const excess = Math.max(0, log.length - LOG_MOST)
  return { ...model, log: log.slice(excess), logDropped: model.logDropped + excess }
}

/** An event in words; undefined for mere progress. */
export function logLine(event: JobEvent): string | undefined {
  const { events } = texts.job
  switch (event.type) {
    case 'queued':
      return events.queued(formatInteger(event.price), formatUnits(event.units))
    case 'hired':
      return events.hired(
        formatInteger(event.candidates.filter(({ chosen }) => chosen !== undefined).length),
        formatInteger(event.candidates.length)
      )
    case 'assigned':
      return events.assigned(formatInteger(event.unit + 1), shortId(event.provider))
    case 'progress':
      return undefined
    case 'verified':
      return events.verified(formatInteger(event.unit + 1), shortId(event.provider))
    case 'retried':
      return events.retried(
        formatInteger(event.unit + 1),
        shortId(event.provider),
        event.reason.slice(0, 200)
      )
    case 'settled':
      return events.settled(formatInteger(event.receipt.paid))
    case 'done':
      return events.done
    case 'failed':
      return events.failed(describeFailure(event.error).code ?? '')
    case 'cancelled':
      return events.cancelled
  }
}
