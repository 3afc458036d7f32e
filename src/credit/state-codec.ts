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
  /** Absent where it is the seat itself. */
  sure: z.optional(
    z.object({ members: z.array(peerId).check(z.maxLength(SEAT_MAX)), quorum: natural, seq: natural })
  ),
  /** Absent where they are 0. */
  healSeq: z.optional(natural),
  debt: z.optional(microCredits),
  seatSeq: natural,
  unsure: z.boolean(),
  openEscrows: z.array(
    z.tuple([
      z.string(),
      z.strictObject({ body: escrowBody, seq: natural, ts: timestamp, idleHours: natural })
    ])
  ),
  claimed: z.array(z.tuple([z.string(), timestamp])),
  closed: z.union([z.literal(false), bytesUpTo(32)])
})

/** The same state gives the same bytes: a checkpoint names their hash. What is usual is left out. */
export function encodeState(state: ChainState): Uint8Array {
  const { sure, healSeq, debt, closed, openEscrows, claimed, ...rest } = state
  return encode({
    ...rest,
    ...(sure.seq !== state.seatSeq && { sure }),
    ...(healSeq > 0 && { healSeq }),
    ...(debt > 0n && { debt }),
    closed: closed ?? false,
    openEscrows: inOrder(openEscrows),
    claimed: inOrder(claimed)
  })
}

/** By key: two nodes that reached the same state write the same bytes. */
const inOrder = <T>(map: ReadonlyMap<string, T>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1))

/** @throws WireError when the bytes are not a state */
export function decodeState(bytes: Uint8Array): ChainState {
  const { openEscrows, claimed, closed, ...rest } = decode(bytes, schema, Number.POSITIVE_INFINITY)
  const { seat, seatSeq, sure = { ...seat, seq: seatSeq }, healSeq = 0, debt = 0n } = rest
  return {
    ...rest,
    sure,
    healSeq,
    debt,
    closed: closed === false ? null : closed,
    openEscrows: new Map(openEscrows),
    claimed: new Map(claimed)
  }
}
