import * as z from 'zod/mini'
import type { Dispatch, JobEvent, JobQuote, LedgerExport, SwarmStatus } from '../../api.ts'
import { errorFromPlain, type PeerIdString, type PlainError } from '../../wire/index.ts'
import { jobReceipt } from '../sdk/rows.ts'

/**
 * What crosses between two tabs, as the public API has it, without functions. Both tabs are this origin's, but they may
 * be of two versions: what does not fit is refused, and members that this version does not know are left out.
 */

const text = (most: number) => z.string().check(z.maxLength(most))
// Shown, and handed back as it came: whether it is a peer id is for the node to say.
const peer = z.custom<PeerIdString>((value) => typeof value === 'string' && value.length <= 128)
const amount = z.bigint()
const skillName = text(64)
const count = z.optional(z.number())
const list = <T extends z.ZodMiniType>(of: T, most = 10_000) => z.array(of).check(z.maxLength(most))
const orNone = <T extends z.ZodMiniType>(of: T) => z.union([of, z.undefined()])

export const jobState = z.enum(['queued', 'running', 'settling', 'done', 'failed', 'cancelled'])

export const swarmStatus = z.object({
  peer,
  network: text(64),
  state: z.enum(['starting', 'bootstrapping', 'relayed', 'direct', 'offline', 'stopped']),
  contributing: z.boolean(),
  paused: orNone(z.enum(['not-contributing', 'paused'])),
  power: z.number(),
  device: orNone(z.object({ backend: z.enum(['webgpu', 'cpu']), class: text(128) })),
  peers: list(
    z.object({
      peer,
      connection: z.enum(['direct', 'relayed']),
      transport: z.enum(['webrtc', 'websocket', 'other']),
      isRelay: z.boolean(),
      rttMs: count,
      skills: list(skillName)
    })
  ),
  balance: z.object({ settled: amount, verified: amount, pending: amount, escrowed: amount }),
  work: z.object({
    units: z.number(),
    running: z.number(),
    verifiedUnits: z.number(),
    busyMs: count,
    now: z.optional(list(z.object({ skill: skillName, requester: peer, units: z.number() })))
  })
}) satisfies z.ZodMiniType<SwarmStatus>

export const plainError = z.object({
  name: text(64),
  code: text(64),
  message: text(100_000),
  retryable: z.boolean(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
}) satisfies z.ZodMiniType<PlainError>

const unit = z.number()

export const jobEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('queued'), price: amount, units: z.number() }),
  z.object({
    type: z.literal('hired'),
    strategy: z.enum(['paper', 'swarm']),
    candidates: list(
      z.object({
        peer,
        score: orNone(z.number()),
        chosen: orNone(z.enum(['utility', 'cost', 'exploration']))
      })
    )
  }),
  z.object({ type: z.literal('assigned'), unit, provider: peer }),
  z.object({ type: z.literal('progress'), done: z.number(), of: z.number() }),
  z.object({ type: z.literal('verified'), unit, provider: peer }),
  z.object({ type: z.literal('retried'), unit, provider: peer, reason: text(10_000) }),
  z.object({ type: z.literal('settled'), receipt: jobReceipt }),
  z.object({ type: z.literal('done') }),
  z.object({
    type: z.literal('failed'),
    // the structured clone of an error forgets its code
    error: z.pipe(plainError, z.transform(errorFromPlain))
  }),
  z.object({ type: z.literal('cancelled') })
]) satisfies z.ZodMiniType<JobEvent>

export const jobDispatch = z.object({
  provider: peer,
  reason: z.enum(['next', 'hedge', 'resend', 'replica']),
  candidates: list(z.object({ peer, doneMs: orNone(z.number()) }))
}) satisfies z.ZodMiniType<Dispatch>

export const jobQuote = z.object({
  price: amount,
  units: z.number(),
  providers: z.number(),
  etaMs: orNone(z.number()),
  localEtaMs: z.number(),
  fasterAtHome: z.boolean(),
  measured: z.number()
}) satisfies z.ZodMiniType<JobQuote>

export const jobResult = z.object({ value: z.unknown(), receipt: jobReceipt })

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array)
const signed = z.object({ payload: bytes, signature: bytes })

export const ledgerExport = z.object({
  network: text(64),
  peer,
  records: z.array(signed),
  start: z.optional(z.object({ state: bytes, votes: z.array(signed) }))
}) satisfies z.ZodMiniType<LedgerExport>

/** What the router has learned, as it is at one moment. */
export const learned = z.object({
  strategy: z.enum(['paper', 'swarm']),
  pheromones: list(z.object({ peer, skill: skillName, strength: z.number() })),
  trust: list(z.object({ peer, skill: skillName, trust: z.number() }))
})
export type Learned = z.output<typeof learned>

/** The output is for the page to look at, which takes nothing for granted. */
export const unitPicture = orNone(z.object({ skill: skillName, requester: peer, output: z.unknown() }))

/** Of a call: checked by the node, like those of every program. */
export const options = z.record(z.string(), z.unknown())

export const jobLine = z.object({ id: text(64), skill: skillName, state: jobState })
export type JobLine = z.output<typeof jobLine>
