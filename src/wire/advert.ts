import * as z from 'zod/mini'
import { hash, name, natural, peerId, timestamp } from './schema.ts'
import { signed } from './signed.ts'

/** Largest encoded advert envelope in bytes. */
export const ADVERT_MAX = 8 * 1024
export const ADVERT_SKILLS_MAX = 32

/** One skill on offer. `rate` is the least price in thousandths of the published cost (1000 = at cost). */
export const advertSkill = z.strictObject({
  name,
  version: z.string().check(z.maxLength(32)),
  kernel: hash,
  rate: natural
})

/**
 * A provider's expiring statement of what it serves, signed in the `advert` domain. `load` is 0 (idle) to 100
 * (full); `uptime` in seconds; a later `seq` replaces an earlier one; void after `expires`.
 */
export const advert = z.strictObject({
  v: z.literal(1),
  net: hash,
  peer: peerId,
  seq: natural,
  ts: timestamp,
  expires: timestamp,
  /** None: the node serves nothing now. */
  skills: z.array(advertSkill).check(z.maxLength(ADVERT_SKILLS_MAX)),
  device: z.strictObject({
    backend: z.enum(['webgpu', 'cpu']),
    class: name,
    /** Bytes that one kernel can bind; 0: not said. */
    memory: natural
  }),
  load: natural.check(z.maximum(100)),
  uptime: natural
})

/** Asks a peer for its advert, and tells one's own where there is news. The answer is `signed`. */
export const advertRequest = z.strictObject({ t: z.literal('advert'), mine: z.nullable(signed) })

export type Advert = z.output<typeof advert>
export type AdvertSkill = z.output<typeof advertSkill>
