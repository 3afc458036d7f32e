import { SwarmError } from '../../wire/index.ts'

export type ViewErrorCode = 'HOST_GONE' | 'ONLY_THERE' | 'BAD_MESSAGE' | 'UNKNOWN_JOB'

/** Between two tabs of one browser, of which one runs the node. */
export class ViewError extends SwarmError<ViewErrorCode> {
  override readonly name = 'ViewError'
}

export const badMessage = (cause?: unknown) =>
  new ViewError(
    'BAD_MESSAGE',
    'The other tab said what this one does not understand: reload both, so that they run the same version.',
    { cause }
  )

export const hostGone = () =>
  new ViewError(
    'HOST_GONE',
    'The tab that ran the node has closed, or has stopped it. Run the node here, and look among its jobs.',
    { retryable: true }
  )
