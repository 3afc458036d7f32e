import * as z from 'zod/mini'
import { RESEAT_PAYLOAD_MAX } from './records.ts'
import { signed, signedUpTo } from './signed.ts'

/**
 * Two things that one author signed and cannot both mean. `records`: two ids for one place of its chain, each that of
 * a record itself or of the one that a record names as the one before it. `votes`: a witness's votes for two records,
 * or for two seats, at one place of one chain. It needs nobody's word: both signatures are inside.
 */
export const forkProof = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('records'), one: signed, two: signed }),
  z.strictObject({
    kind: z.literal('votes'),
    one: signedUpTo(RESEAT_PAYLOAD_MAX),
    two: signedUpTo(RESEAT_PAYLOAD_MAX)
  })
])

export type ForkProof = z.output<typeof forkProof>
