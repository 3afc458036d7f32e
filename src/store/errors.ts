import { SwarmError } from '../wire/index.ts'

/**
 * `CONFLICT`: another record or identity took the place. `LOCKED`: another process uses the folder. `DENIED`:
 * the browser or the file system refuses storage. `FULL`: no space left. `CORRUPT`: what is stored is damaged.
 * `UNAVAILABLE`: another tab holds an older version open. `CLOSED`: the store is closed or was taken away.
 */
export type StoreErrorCode = 'CONFLICT' | 'LOCKED' | 'DENIED' | 'FULL' | 'CORRUPT' | 'UNAVAILABLE' | 'CLOSED'

export class StoreError extends SwarmError<StoreErrorCode> {
  override readonly name = 'StoreError'
}

export const placeTaken = (seq: number, expected: number) =>
  new StoreError(
    'CONFLICT',
    `The record for place ${seq} was not stored: the chain's next place is ${expected}. Read the head and sign again.`
  )

export const identityTaken = () =>
  new StoreError('CONFLICT', 'This store has an identity already: read it instead of making another.')

export const storeClosed = () => new StoreError('CLOSED', 'The store is closed: open it again.')

export const chainShortened = (places: number, length: number) =>
  new StoreError(
    'CONFLICT',
    `A chain of ${length} records was not cut to ${places}: it never gets shorter. Put at least as many in their place.`
  )
