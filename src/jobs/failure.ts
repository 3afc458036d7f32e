import { type ErrorDetails, FAILURE_DETAILS_MAX, type JobResponseFrame, SwarmError } from '../wire/index.ts'

type FailedFrame = Extract<JobResponseFrame, { t: 'failed' }>

/** What a provider says of a unit that it gives back. */
export type Failure = Omit<FailedFrame, 't' | 'index'>

/** What a frame carries of a text. */
const MESSAGE_MAX = 512
const DETAIL_MAX = 128
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}$/

/** An error as a `failed` frame carries it. Of one without a code nothing is told: it may name what is private here. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof SwarmError)) {
    return { code: 'INTERNAL', message: 'The unit could not be computed.', retryable: false }
  }
  const { code, message, retryable, details } = error
  return { code, message: message.slice(0, MESSAGE_MAX), retryable, ...carried(details) }
}

/** Why a unit comes back, where a provider's whole part has ended: as of one unit, the code comes first. */
export const reasonOf = (error: Error): string =>
  error instanceof SwarmError ? `${error.code}: ${error.message}` : error.message

/** Of such an end: what it says, and its code, or that of what a provider said of a unit. */
export const causeOf = (error: Error): ErrorDetails =>
  error instanceof SwarmError ? { code: error.code, ...error.details } : {}

/** Frames have no floats, and no negative numbers: these go as text. */
function carried(details: ErrorDetails): Pick<Failure, 'details'> {
  const some = Object.entries(details)
    .filter(([name]) => NAME.test(name))
    .slice(0, FAILURE_DETAILS_MAX)
    .map(([name, value]) => {
      const isPlain = typeof value === 'boolean' || (Number.isSafeInteger(value) && Number(value) >= 0)
      return { name, value: isPlain ? value : String(value).slice(0, DETAIL_MAX) }
    })
  return some.length === 0 ? {} : { details: some }
}

/** The details of an error that a failure at a provider leads to: its own, and its code. */
export const detailsOf = ({ code, details = [] }: Failure): ErrorDetails => ({
  ...Object.fromEntries(details.map(({ name, value }) => [name, value])),
  code
})
