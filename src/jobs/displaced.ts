import type { Milliseconds } from '../wire/index.ts'
import { IDLE_RECOGNISED, IDLE_STRANGER } from './constants.ts'

/** A job stream that has a place at a provider. */
export interface Seated {
  /** Of its requester's work, as in the queue; 0: a stranger's. */
  readonly weight: number
  /** How long it has had nothing to compute; 0: it has. */
  readonly idleMs: Milliseconds
}

/**
 * Whose place goes to one more job stream when all are taken: that of the stranger with nothing to compute for the
 * longest time. For a stranger it is left alone for a while first; for who is recognised even one that computes gives
 * way, and then a recognised one that has asked for nothing for long. Undefined: nobody's.
 *
 * @param weight of who comes; 0: a stranger
 */
export function displaced<S extends Seated>(seated: Iterable<S>, weight: number): S | undefined {
  const [stranger, recognised] = [longestIdle(seated, true), longestIdle(seated, false)]
  const enough = weight > 0 ? 0 : IDLE_STRANGER
  if (stranger !== undefined && stranger.idleMs >= enough) {
    return stranger
  }
  const isLate = weight > 0 && recognised !== undefined && recognised.idleMs >= IDLE_RECOGNISED
  return isLate ? recognised : undefined
}

function longestIdle<S extends Seated>(seated: Iterable<S>, isStranger: boolean): S | undefined {
  let found: S | undefined
  for (const one of seated) {
    if (one.weight > 0 !== isStranger && one.idleMs > (found?.idleMs ?? -1)) {
      found = one
    }
  }
  return found
}
