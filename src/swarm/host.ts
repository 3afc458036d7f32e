import * as z from 'zod/mini'
import { type NetworkName, SwarmError, WireError } from '../wire/index.ts'

/** What can be told from where the code runs, and from the relays that it is given. */

const PRIVATE_HOST = /^(localhost|127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|\[?::1\]?$|.*\.local$)/
const ANSWER_MS = 10_000

/** `local` in Node, on localhost and on a LAN; `main` on a public page. */
export function defaultNetwork(): NetworkName {
  return typeof location === 'undefined' || PRIVATE_HOST.test(location.hostname) ? 'local' : 'main'
}

/** `/relay.json`, as a relay publishes it. */
const hostConfiguration = z.object({
  relays: z.array(z.string()).check(z.minLength(1), z.maxLength(16)),
  network: z.optional(z.string().check(z.regex(/^[a-z\d-]{1,32}$/))),
  iceServers: z.optional(
    z.array(
      z.object({
        urls: z.union([z.string(), z.array(z.string())]),
        username: z.optional(z.string()),
        credential: z.optional(z.string())
      })
    )
  )
})

type HostConfiguration = z.output<typeof hostConfiguration>

type Answer = HostConfiguration & {
  /** Who gave it. */
  readonly at: string
}

/** Where a node meets others, and what helps it through a NAT. */
export interface MeetingPoints {
  readonly relays: string[]
  readonly iceServers: RTCIceServer[]
}

/**
 * What is behind relays as they are given: a multiaddr stands for itself, a web address for all that its `/relay.json`
 * names. Of several web addresses one must answer.
 *
 * @param given undefined: in a page the host that serves this code; in Node none
 * @param network of the node that asks
 * @throws SwarmError `NO_RELAY`; WireError `WRONG_NETWORK`, for nobody of this network would be found there; the reason of
 *   `signal`
 */
export async function findRelays(
  given: readonly string[] | undefined,
  network: string,
  signal?: AbortSignal
): Promise<MeetingPoints> {
  const answers = await Promise.allSettled(
    given?.map((address) => relaysAt(address, signal)) ??
      (typeof location === 'undefined' ? [] : [askRelay(import.meta.url, signal)])
  )
  signal?.throwIfAborted()
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
  const silent = answers.find((answer) => answer.status === 'rejected')
  if (silent !== undefined && found.length === 0) {
    throw silent.reason
  }
  for (const { network: theirs = network, at } of found) {
    if (theirs !== network) {
      throw new WireError(
        'WRONG_NETWORK',
        `The relay at ${at} is of the network ${theirs}, not of ${network}: start it with --network ${network}, name another one, or choose its network here (--network, ?network= of the page, network of createSwarm).`,
        { details: { network: theirs } }
      )
    }
  }
  return {
    relays: found.flatMap(({ relays }) => relays),
    iceServers: found.flatMap(({ iceServers = [] }) => iceServers)
  }
}

/**
 * A multiaddr is itself; the host of a web address is asked for its relays, their network and ICE servers.
 *
 * @throws SwarmError `NO_RELAY`, or the reason of `signal`
 */
export const relaysAt = async (address: string, signal?: AbortSignal): Promise<Answer> =>
  /^https?:/.test(address) && URL.canParse(address)
    ? askRelay(address, signal)
    : { relays: [address], at: address }

async function askRelay(address: string, signal?: AbortSignal): Promise<Answer> {
  const url = new URL(/* @vite-ignore */ '/relay.json', address)
  const late = AbortSignal.timeout(ANSWER_MS)
  let cause: unknown
  try {
    const response = await fetch(url, {
      signal: signal === undefined ? late : AbortSignal.any([signal, late]),
      cache: 'no-store'
    })
    const parsed = hostConfiguration.safeParse(await response.json())
    if (parsed.success) {
      return { ...parsed.data, at: url.origin }
    }
    cause = parsed.error
  } catch (error) {
    signal?.throwIfAborted()
    cause = error
  }
  throw new SwarmError(
    'NO_RELAY',
    `${url.origin} does not answer as a relay: is it running, is the address right, is there a network?`,
    { retryable: true, cause }
  )
}
