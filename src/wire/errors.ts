/** What an error may carry besides its code: plain data only, so that it survives a worker and the wire. */
export type ErrorDetails = Record<string, string | number | boolean>

/**
 * The root of every error of this project. `code` is stable and meant for programs; the message says what
 * happened and what to do; `retryable` says whether the same call may succeed later.
 */
export class SwarmError<Code extends string = string> extends Error {
  override readonly name: string = 'SwarmError'
  readonly code: Code
  readonly retryable: boolean
  readonly details: ErrorDetails

  constructor(
    code: Code,
    message: string,
    options: { retryable?: boolean; details?: ErrorDetails; cause?: unknown } = {}
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retryable = options.retryable ?? false
    this.details = options.details ?? {}
  }
}

/** A SwarmError as plain data, for `postMessage`, JSON and logs: the structured clone of an error forgets its code. */
export interface PlainError {
  readonly name: string
  readonly code: string
  readonly message: string
  readonly retryable: boolean
  readonly details: ErrorDetails
}

export function errorToPlain({ name, code, message, retryable, details }: SwarmError): PlainError {
  return { name, code, message, retryable, details }
}

/** The way back: a SwarmError with the same name and code, though no longer of the class that it was. */
export function errorFromPlain({ name, code, message, retryable, details }: PlainError): SwarmError {
  return Object.defineProperty(new SwarmError(code, message, { retryable, details }), 'name', { value: name })
}

/** Whatever was thrown, as an error with a code: itself if it has one, else `INTERNAL`. */
export function asSwarmError(thrown: unknown): SwarmError {
  if (thrown instanceof SwarmError) {
    return thrown
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new SwarmError('INTERNAL', `Something unexpected happened: ${message}`, { cause: thrown })
}

/**
 * Bytes from a peer, a file or a store that are not what the schema says. `PASSPHRASE`: a sealed file, and not the
 * words that open it. Never retryable.
 */
export type WireErrorCode =
  | 'TOO_LARGE'
  | 'MALFORMED'
  | 'NOT_CANONICAL'
  | 'BAD_SIGNATURE'
  | 'WRONG_NETWORK'
  | 'PASSPHRASE'

export class WireError extends SwarmError<WireErrorCode> {
  override readonly name = 'WireError'
}
