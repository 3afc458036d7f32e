import * as z from 'zod/mini'
import { jobDispatch, jobEvent, jobLine, options, plainError, swarmStatus } from './shapes.ts'

/**
 * What two tabs of one browser say to each other: one runs the node (the host), others show it (guests). They meet in
 * the lobby; then each guest has a BroadcastChannel of its own with the host, named after a Web Lock that the guest
 * holds as long as it lives. So nobody counts heartbeats: whose lock is free is gone.
 *
 * Plain messages, not comlink: its callbacks need ports, which a BroadcastChannel does not carry; its calls wait for
 * ever where nobody answers, and it calls whatever is named.
 */

/** Raised with every change of the messages but those of the lobby, which stay: old tabs must understand them. */
export const VERSION = 1
export const LOBBY = 'swarmharness.view'

/** Of a guest: its channel's name and its lock's. */
export const placeOf = (guest: string) => `${LOBBY}/${guest}`

const guest = z.string().check(z.regex(/^[0-9a-f-]{36}$/))
const version = z.number()

export const lobbyMessage = z.discriminatedUnion('t', [
  /** A host is there now. */
  z.object({ t: z.literal('here'), v: version }),
  z.object({ t: z.literal('hello'), v: version, guest }),
  /** To a guest of another version. */
  z.object({ t: z.literal('differs'), v: version, guest })
])
export type LobbyMessage = z.output<typeof lobbyMessage>

const id = z.int().check(z.nonnegative())
const job = z.string().check(z.maxLength(64))
const skill = z.string().check(z.maxLength(64))

export const ask = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('submit'), skill, input: z.unknown(), options }),
  z.strictObject({ do: z.literal('quote'), skill, input: z.unknown(), options }),
  /** Its events from the first on. */
  z.strictObject({ do: z.literal('follow'), job }),
  z.strictObject({ do: z.literal('partial'), job }),
  z.strictObject({ do: z.literal('result'), job }),
  z.strictObject({ do: z.literal('cancel'), job }),
  z.strictObject({ do: z.literal('contribute'), options }),
  z.strictObject({ do: z.literal('pause') }),
  z.strictObject({ do: z.literal('finish') }),
  z.strictObject({ do: z.literal('ledger'), options }),
  z.strictObject({ do: z.literal('learned') }),
  z.strictObject({ do: z.literal('picture') }),
  /** What only the page's own code understands. */
  z.strictObject({ do: z.literal('order'), order: z.unknown() })
])
export type Ask = z.output<typeof ask>

/** From guest to host. */
export const request = z.strictObject({ id, ask })
/** Of a request that is none: enough to refuse it. */
export const requestId = z.object({ id })

const news = {
  status: swarmStatus,
  /** Newest last; undefined: as before. */
  jobs: z.optional(z.array(jobLine).check(z.maxLength(1_024))),
  note: z.unknown()
}

/** From host to guest. */
export const told = z.discriminatedUnion('t', [
  z.object({
    t: z.literal('welcome'),
    skills: z.array(z.object({ name: z.string(), version: z.string() })),
    ...news
  }),
  z.object({ t: z.literal('news'), ...news }),
  z.object({ t: z.literal('event'), job, event: jobEvent, dispatch: z.optional(jobDispatch) }),
  z.object({ t: z.literal('reply'), id, value: z.unknown() }),
  z.object({ t: z.literal('refusal'), id, error: plainError })
])
export type Told = z.output<typeof told>
