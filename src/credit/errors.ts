import { SwarmError } from '../wire/index.ts'

/**
 * `BAD_RECORD`: a record breaks a rule of its chain. `FORK`: two records for one place. `BAD_CERTIFICATE`,
 * `BAD_RECEIPT`, `BAD_SPLIT`: what their names say. `INSUFFICIENT_CREDIT`: the balance is too small.
 * `NO_VOTES`: nobody certified the escrow, which was refunded, or stays locked until `details.lockedUntil` (ms since
 * 1970): its witnesses may have voted for it. `UNKNOWN_ESCROW`: not an open escrow here.
 * `BAD_PROOF`: what should prove a fork proves none.
 * `UNDERPAID`: a settle pays less than was receipted. `NOT_RELEASED`: a settle before tClose lacks a payee's
 * release. `RECOVERING`: this node does not know the end of its own chain yet. `CLOCK`: a timestamp is too far from
 * this clock.
 * `SEAT`: too many of a seat's votes are of peers that have voted twice.
 * `MOVED`: this identity goes on elsewhere.
 * `NOT_CONCERNED`: this node has no vote on the record. `BUSY`: too much at once, ask again. `NOT_RUNNING`:
 * the ledger is not started, or is stopped.
 */
export type CreditErrorCode =
  | 'BAD_RECORD'
  | 'FORK'
  | 'BAD_CERTIFICATE'
  | 'BAD_RECEIPT'
  | 'BAD_SPLIT'
  | 'BAD_PROOF'
  | 'INSUFFICIENT_CREDIT'
  | 'NO_VOTES'
  | 'UNKNOWN_ESCROW'
  | 'UNDERPAID'
  | 'CLOCK'
  | 'NOT_RELEASED'
  | 'RECOVERING'
  | 'MOVED'
  | 'SEAT'
  | 'NOT_CONCERNED'
  | 'BUSY'
  | 'NOT_RUNNING'

export class CreditError extends SwarmError<CreditErrorCode> {
  override readonly name = 'CreditError'
}

/**
 * Throws a `code` error with `message` unless the condition holds.
 *
 * @param message a function where it takes time to write, and the condition is looked at for every record
 */
export function ensure(
  condition: boolean,
  code: CreditErrorCode,
  message: string | (() => string)
): asserts condition {
  if (!condition) {
    throw new CreditError(code, typeof message === 'string' ? message : message())
  }
}
