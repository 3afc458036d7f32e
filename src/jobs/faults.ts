import type { Milliseconds } from '../wire/index.ts'
import { SwarmError } from '../wire/index.ts'
import { JobError } from './errors.ts'

const FAULTS = new Set<string>([
  'WRONG_RESULT',
  'PROTOCOL',
  'BAD_SIGNATURE',
  'MALFORMED',
  'NOT_CANONICAL',
  'TOO_LARGE'
])

/** Wrong, forged or malformed: not bad luck. */
export function isProvidersFault(error: unknown): error is SwarmError {
  return error instanceof SwarmError && FAULTS.has(error.code)
}

/** When the provider is to be asked again. Undefined: it is not because it is busy. */
export function busyFor(error: Error): Milliseconds | undefined {
  if (!(error instanceof JobError)) {
    return undefined
  }
  const { code, retryAfterMs } = error.details
  const isBusy = error.code === 'BUSY' || code === 'BUSY'
  return isBusy && typeof retryAfterMs === 'number' ? retryAfterMs : undefined
}
