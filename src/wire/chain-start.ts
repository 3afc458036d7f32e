import * as z from 'zod/mini'
import { SEAT_MAX, VOTE_PAYLOAD_MAX } from './records.ts'
import { bytesUpTo } from './schema.ts'
import { signedUpTo } from './signed.ts'

/** Largest state of a chain that travels, in bytes: with it a message still has room for its records. */
export const START_STATE_MAX = 256 * 1024

/**
 * Where a chain may be read from instead of its genesis: `state` are the canonical bytes that the checkpoint after it
 * names by their hash, `votes` those of the seat's members on that checkpoint. Who reads there goes by their word, and
 * so takes it only from members that it has reason to believe.
 */
export const chainStart = z.strictObject({
  state: bytesUpTo(START_STATE_MAX),
  votes: z.array(signedUpTo(VOTE_PAYLOAD_MAX)).check(z.maxLength(SEAT_MAX))
})

export type ChainStart = z.output<typeof chainStart>
