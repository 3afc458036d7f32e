import type { SubmitOptions } from '../api.ts'
import { asSwarmError, isPeerIdString, type SwarmError } from '../wire/index.ts'
import { JobError } from './errors.ts'
import { RATE_MAX } from './price.ts'

const TIMER_MAX = 2 ** 31 - 1
const COPIES_MAX = 8

/** A value as a message names it: whatever a program passed, without an error of its own. */
export const shown = (value: unknown): string =>
  typeof value === 'object' && value !== null ? 'an object' : String(value).slice(0, 64)

/** @throws JobError `BAD_OPTION` */
export function checkObject(options: unknown): void {
  if (typeof options !== 'object' || options === null) {
    throw new JobError('BAD_OPTION', 'Options are an object, such as { budget: 5000n }.')
  }
}

/** @throws JobError `BAD_OPTION` */
export function checkOptions(options: SubmitOptions): void {
  checkObject(options)
  const { budget, deadlineMs, providerWaitMs, units, maxProviders, providers, rate, redundancy, signal } =
    options
  const { subtaskBudget, parent } = options
  if (
    budget !== undefined &&
    (typeof budget !== 'bigint' || budget <= 0n || budget > BigInt(Number.MAX_SAFE_INTEGER))
  ) {
    throw new JobError('BAD_OPTION', 'The budget must be a positive bigint of microcredits, such as 5000n.')
  }
  for (const [name, value] of Object.entries({ deadlineMs, providerWaitMs, units, maxProviders })) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0 && value <= TIMER_MAX)) {
      throw new JobError('BAD_OPTION', `${name} must be a positive whole number; it is ${shown(value)}.`)
    }
  }
  const isAmount = typeof subtaskBudget === 'bigint' && subtaskBudget >= 0n
  if (subtaskBudget !== undefined && !isAmount) {
    throw new JobError('BAD_OPTION', 'subtaskBudget must be a bigint of microcredits, 0n or more.')
  }
  if (parent !== undefined && typeof parent !== 'string') {
    throw new JobError('BAD_OPTION', 'parent must be the id of a running job: job.id.')
  }
  checkRate(rate)
  const isNumber =
    Number.isSafeInteger(redundancy) && Number(redundancy) >= 1 && Number(redundancy) <= COPIES_MAX
  if (redundancy !== undefined && redundancy !== 'auto' && !isNumber) {
    throw new JobError('BAD_OPTION', `redundancy is 'auto' or a number from 1 to ${COPIES_MAX}.`)
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new JobError('BAD_OPTION', 'signal must be an AbortSignal.')
  }
  const isList = Array.isArray(providers) && providers.length > 0 && providers.every(isPeerIdString)
  if (providers !== undefined && !isList) {
    throw new JobError('BAD_OPTION', 'providers must be a list of peer ids (12D3KooW…), not an empty one.')
  }
}

/** @throws JobError `BAD_OPTION` */
export function checkRate(rate: number | undefined): void {
  if (rate !== undefined && !(Number.isSafeInteger(rate) && rate > 0 && rate <= RATE_MAX)) {
    throw new JobError(
      'BAD_OPTION',
      `rate is in thousandths of the published cost, 1 to ${RATE_MAX}, 1000 by default; it is ${shown(rate)}.`
    )
  }
}

/** Aborts with JobError `DEADLINE`. Does not keep a Node process alive. */
export function deadlineSignal(ms: number): { signal: AbortSignal; clear: () => void } {
  const controller = new AbortController()
  const timer = setTimeout(
    () =>
      controller.abort(
        new JobError(
          'DEADLINE',
          `The job was not done within ${ms} ms. Give it more time or more providers.`,
          {
            retryable: true,
            details: { deadlineMs: ms }
          }
        )
      ),
    ms
  )
  if (typeof timer === 'object' && 'unref' in timer) {
    timer.unref()
  }
  return { signal: controller.signal, clear: () => clearTimeout(timer) }
}

/** Whatever was thrown, as an error with a code. The reason of the caller's own signal may be anything. */
export function typedError(error: unknown, signal?: AbortSignal): SwarmError {
  if (signal?.aborted === true && error === signal.reason) {
    return new JobError('CANCELLED', 'The job was cancelled by its signal.', { cause: error })
  }
  return asSwarmError(error)
}

/** The abort of the caller's own signal as an error with a code; what else was thrown as it is. */
export function namedAbort(error: unknown, signal: AbortSignal | undefined, what: string): unknown {
  return signal?.aborted === true && error === signal.reason
    ? new JobError('CANCELLED', `${what} was cancelled by its signal.`, { cause: error })
    : error
}
