import * as z from 'zod/mini'
import {
  bytesUpTo,
  cid,
  decode,
  encode,
  escrowBody,
  microCredits,
  natural,
  peerId,
  SEAT_MAX,
  timestamp
} from '../wire/index.ts'
import type { ChainState } from './state.ts'

/** A chain's state as kept for the next visit. It never crosses the wire. */

const schema = z.strictObject({
  author: peerId,
  seq: natural,
  id: cid,
  ts: timestamp,
  bal: microCredits,
  idleSince: timestamp,
  idleHours: natural,
  seat: z.object({ members: z.array(peerId).check(z.maxLength(SEAT_MAX)), quorum: natural }),
  sure: z.object({ members: z.array(peerId).check(z.maxLength(SEAT_MAX)), quorum: natural, seq: natural }),
  healSeq: natural,
  debt: microCredits,
  seatSeq: natural,
  unsure: z.boolean(),
  openEscrows: z.array(
    z.tuple([
      z.string(),
      z.strictObject({ body: escrowBody, seq: natural, ts: timestamp, idleHours: natural })
    ])
  ),
  claimed: z.array(z.tuple([z.string(), timestamp])),
  closed: z.nullable(bytesUpTo(32))
})

export const encodeState = (state: ChainState): Uint8Array =>
  encode({ ...state, openEscrows: inOrder(state.openEscrows), claimed: inOrder(state.claimed) })

/** By key: two nodes that reached the same state write the same bytes. */
const inOrder = <T>(map: ReadonlyMap<string, T>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1))

/** @throws WireError when the bytes are not a state */
export function decodeState(bytes: Uint8Array): ChainState {
  const { openEscrows, claimed, ...rest } = decode(bytes, schema, Number.POSITIVE_INFINITY)
  return { ...rest, openEscrows: new Map(openEscrows), claimed: new Map(claimed) }
}
